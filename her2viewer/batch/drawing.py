"""The annotated picture that a batch makes of a pair: both stains side by side, or the IHC alone."""

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import Drawing
from her2viewer.export.annotated import annotated_page, scales, shared_scale
from her2viewer.export.picture_file import png


def encoded_drawing(drawing: Drawing, case_id: str, options: BatchOptions) -> bytes:
    """The picture as the bytes of a PNG."""
    mpp, stains = scales(drawing.images.sources), tuple(drawing.images.sources)
    page = annotated_page(
        drawing.pixels.pixels,
        drawing.attribution,
        drawing.evidence.prediction,
        stains=stains,
        style=options.style,
        full_scale=drawing.fixed_peak,
        case_id=case_id,
        mpp=mpp,
        coverage=options.coverage,
    )
    return png(page.picture, shared_scale(mpp, stains), page.record.text)

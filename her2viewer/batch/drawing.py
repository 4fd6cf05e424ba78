"""The annotated picture that a batch writes for a pair: both stains side by side, or the IHC alone."""

from pathlib import Path

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import Drawing
from her2viewer.export.annotated import annotated_page, save_picture, scales, shared_scale


def save_drawing(path: Path, drawing: Drawing, case_id: str, options: BatchOptions) -> None:
    """Draws and writes the picture, in the format that the path's suffix names. Raises ExportError."""
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
    save_picture(path, page.picture, shared_scale(mpp, stains), page.record.text)

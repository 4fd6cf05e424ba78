"""The annotated picture that a batch writes for a pair: both stains side by side."""

from pathlib import Path

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import Drawing
from her2viewer.export.annotated import annotated_picture, save_picture
from her2viewer.scoring.stains import Stain


def save_drawing(path: Path, drawing: Drawing, case_id: str, options: BatchOptions) -> None:
    """Draws and writes the picture, in the format that the path's suffix names. Raises ExportError."""
    sizes = {stain: source.mpp for stain, source in drawing.images.sources.items()}
    mpp = {stain: None if size is None else size.um for stain, size in sizes.items()}
    picture = annotated_picture(
        drawing.pixels.pixels,
        drawing.attribution,
        drawing.evidence.prediction,
        stains=tuple(Stain),
        style=options.style,
        full_scale=drawing.fixed_peak,
        case_id=case_id,
        mpp=mpp,
        coverage=options.coverage,
    )
    # One picture has one resolution: it is told where both images agree on it.
    save_picture(path, picture, mpp[Stain.HE] if mpp[Stain.HE] == mpp[Stain.IHC] else None)

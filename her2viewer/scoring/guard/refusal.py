"""Fields that are not scored at all."""

from typing import Final

from her2viewer.errors import ImageError
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.preprocess import InputLayout

SMALLEST_SIDE: Final = 32
"""Pixels. Below this a field holds less than one cell and the network's input would be made up."""


def refuse_unscorable(field: FieldPixels) -> None:
    """Raises ImageError where an image is too small to say anything about."""
    for stain, image in field.pixels.items():
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise ImageError(
                f"the {stain.caption} image is {width} x {height} pixels, too small to score",
                remedy=f"open a field of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels",
            )


def refuse_incomplete(field: FieldPixels, layout: InputLayout) -> None:
    """Raises ImageError where a stain is missing that the model cannot do without."""
    for stain in layout.order:
        if stain not in field.pixels and stain not in layout.optional:
            raise ImageError(
                f"this model needs the {stain.caption} image, and it is missing",
                remedy="give both images, or use a model that was trained to do without it",
            )

"""One field of a registered pair, read from both images."""

from dataclasses import replace
from typing import Final

from her2viewer.cases.case import OpenedPair
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.resample import covered, read_through
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

MOST_SIDE: Final = 4096
"""Pixels of the longer side that are read of a drawn field: the network looks at far fewer, and it may be a whole section."""

_WHOLE: Final = 1e-6
"""Level-0 px that a rectangle's edge may be away from a whole number by rounding."""


def read_field(
    he: ImageSource, ihc: ImageSource, rectangle: FieldOfView, alignment: Alignment, side: int | None = None
) -> FieldPixels:
    """Both stains of a field. rectangle: level-0 px of the IHC; side: px of the longer side at most, None for level 0's own.

    The H&E is laid on the IHC by the affine that touches the alignment in the rectangle's middle, and read on the same raster.
    An alignment that neither turns nor mirrors needs no laying: the H&E's field is then a rectangle of its own pixels. What lies
    outside an image is white, and `covered` says so. Raises ImageError where an image cannot be read.
    """
    middle = rectangle.x + rectangle.width / 2, rectangle.y + rectangle.height / 2
    frame = alignment.affine_at(*alignment.to_he([middle])[0].tolist())
    fields = {Stain.HE: _laid(rectangle, frame), Stain.IHC: rectangle}
    sources = {Stain.HE: he, Stain.IHC: ihc}
    pixels = {
        stain: read_through(sources[stain], field.frame, _edges(field), _size(field, side))
        for stain, field in fields.items()
    }
    shares = {stain: covered(sources[stain], field.frame, _edges(field)) for stain, field in fields.items()}
    return FieldPixels(pixels, fields, {stain: share for stain, share in shares.items() if share < 1 - _WHOLE})


def read_whole(images: OpenedPair, alignment: Alignment | None) -> FieldPixels:
    """Both images whole at level 0; where they are registered, the H&E as it lies on the IHC. Raises ImageError.

    Window and batch read a pair by this, so that the same alignment gives the same numbers.
    """
    if alignment is None or alignment.origin == "assumed":
        return images.read()
    return read_field(images.he, images.ihc, FieldOfView.whole(images.ihc.size), alignment)


def _laid(rectangle: FieldOfView, frame: Affine) -> FieldOfView:
    """The IHC's rectangle on an H&E image that lies in a frame."""
    if not (frame.is_upright and frame.xx > 0 and frame.yy > 0):
        return replace(rectangle, frame=frame)
    back = frame.inverse()
    x, y = back(rectangle.x, rectangle.y)
    return FieldOfView(_whole(x), _whole(y), _whole(rectangle.width * back.xx), _whole(rectangle.height * back.yy))


def _whole(edge: float) -> float:
    nearest = float(round(edge))
    return nearest if abs(edge - nearest) < _WHOLE else edge


def _edges(field: FieldOfView) -> tuple[float, float, float, float]:
    return field.x, field.y, field.width, field.height


def _size(field: FieldOfView, side: int | None) -> tuple[int, int]:
    """(width, height) of the raster."""
    factor = 1.0 if side is None else min(side / max(field.width, field.height), 1.0)
    return max(1, round(field.width * factor)), max(1, round(field.height * factor))

"""One field of both stains, read through the alignment. In the files lane."""

import hashlib

import numpy as np

from her2viewer.errors import ImageError
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

_MOST_PIXELS = 64_000_000


def read_field_of(pair: tuple[OpenedImage, OpenedImage], alignment: Alignment, field: FieldOfView) -> FieldPixels:
    """A field in level-0 px of the IHC, and what lies there in the H&E. Raises ImageError where it cannot be read.

    pair: (H&E, IHC).
    """
    he, ihc = pair[0].source, pair[1].source
    right, bottom = field.x + field.width, field.y + field.height
    corners = alignment.to_he([(field.x, field.y), (right, field.y), (right, bottom), (field.x, bottom)])
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    fields = {Stain.HE: _whole_pixels(x0, y0, x1, y1), Stain.IHC: _whole_pixels(field.x, field.y, right, bottom)}
    pixels = {stain: _read(source, fields[stain]) for stain, source in ((Stain.HE, he), (Stain.IHC, ihc))}
    return FieldPixels(pixels, fields)


def alignment_name(alignment: Alignment) -> str:
    """What tells one alignment from another in a file; empty for the one that is assumed."""
    if alignment.origin == "assumed":
        return ""
    digest = hashlib.sha256(alignment.he_to_ihc.matrix.tobytes())
    if alignment.warp is not None:
        digest.update(alignment.warp.centres.tobytes() + alignment.warp.weights.tobytes())
    return digest.hexdigest()


def _whole_pixels(x0: float, y0: float, x1: float, y1: float) -> FieldOfView:
    left, top = np.floor(x0 + 0.5), np.floor(y0 + 0.5)
    return FieldOfView(float(left), float(top), max(float(round(x1 - left)), 1.0), max(float(round(y1 - top)), 1.0))


def _read(source: ImageSource, field: FieldOfView) -> np.ndarray:
    width, height = int(field.width), int(field.height)
    if width * height > _MOST_PIXELS:
        raise ImageError("the field is too large to be scored in one piece", remedy="score a grid of fields in it")
    try:
        return source.read(0, int(field.x), int(field.y), width, height)
    except MemoryError as error:
        raise ImageError(
            "there is not enough memory to read it", path=source.path, remedy="close other programs"
        ) from error

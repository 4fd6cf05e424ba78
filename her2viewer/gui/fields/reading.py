"""One field of both stains, read through the alignment. In the files lane."""

import hashlib
from collections.abc import Mapping
from typing import Final

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.field import read_field
from her2viewer.errors import ImageError
from her2viewer.gui.controllers.scoring import read_pixels
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

MOST_SIDE: Final = 4096
"""Pixels of the longer side that are read of a field: the network looks at far fewer, and a drawn region may be a section."""


def read_placed(pair: tuple[OpenedImage, OpenedImage], alignment: Alignment, field: FieldOfView) -> FieldPixels:
    """A field in level-0 px of the IHC, and what lies there in the H&E. Raises ImageError where it cannot be read.

    pair: (H&E, IHC).
    """
    he, ihc = pair[0].source, pair[1].source
    try:
        return read_field(he, ihc, field, alignment, MOST_SIDE)
    except MemoryError as error:
        raise ImageError(
            "there is not enough memory to read the field", path=ihc.path, remedy="close other programs"
        ) from error


def read_scored(
    pair: tuple[OpenedImage, OpenedImage],
    key: str | None,
    alignment: Alignment | None,
    fields: Mapping[Stain, FieldOfView],
) -> FieldPixels:
    """The very pixels that were scored, read again. Raises ImageError where they cannot be.

    pair: (H&E, IHC); key, alignment: the score's (`Scoring`); fields: its prediction's.
    """
    if key is None or alignment is None:
        return read_pixels(OpenedPair(pair[0].source, pair[1].source), alignment)
    return read_placed(pair, alignment, fields[Stain.IHC])


def alignment_name(alignment: Alignment) -> str:
    """What tells one alignment from another in a file; empty for the one that is assumed."""
    if alignment.origin == "assumed":
        return ""
    digest = hashlib.sha256(alignment.he_to_ihc.matrix.tobytes())
    if alignment.warp is not None:
        digest.update(alignment.warp.centres.tobytes() + alignment.warp.weights.tobytes())
    return digest.hexdigest()

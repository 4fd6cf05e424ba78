"""One field of both stains, read through the alignment. In the files lane."""

import hashlib
from collections.abc import Mapping

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.field import MOST_SIDE, read_field, read_whole
from her2viewer.errors import ImageError
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain


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
    found: tuple[OpenedImage | None, OpenedImage],
    key: str | None,
    alignment: Alignment | None,
    fields: Mapping[Stain, FieldOfView],
) -> FieldPixels:
    """The very pixels that were scored, read again. Raises ImageError where they cannot be.

    found: (H&E, IHC) of `State.scorable`; key, alignment: the score's (`Scoring`); fields: its prediction's.
    """
    he, ihc = found
    if he is None or key is None or alignment is None:
        return read_whole(OpenedPair(he.source if he is not None else None, ihc.source), alignment)
    return read_placed((he, ihc), alignment, fields[Stain.IHC])


def alignment_name(alignment: Alignment) -> str:
    """What tells one alignment from another in a file; empty for the one that is assumed."""
    if alignment.origin == "assumed":
        return ""
    digest = hashlib.sha256(alignment.he_to_ihc.matrix.tobytes())
    if alignment.warp is not None:
        digest.update(alignment.warp.centres.tobytes() + alignment.warp.weights.tobytes())
    return digest.hexdigest()

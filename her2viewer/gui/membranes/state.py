"""The membranes of the field on screen, read without the network."""

from dataclasses import dataclass

from her2viewer.errors import UserError
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.prediction import FieldOfView


@dataclass(frozen=True, eq=False, slots=True)
class MembraneState:
    """`reading` is of `field`, level-0 px of the IHC, at `mpp`; `busy` while it is read; `error` where it could not be.

    `cells_shown`: whether the cells are wished for over the tissue; `chosen`: the one that was clicked, by its place in the
    reading.
    """

    reading: MembraneReading | None = None
    field: FieldOfView | None = None
    mpp: PixelSize | None = None
    busy: bool = False
    error: UserError | None = None
    cells_shown: bool = False
    chosen: int | None = None

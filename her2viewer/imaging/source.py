"""What every image looks like to the rest of the product, whatever file it came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

RGBImage = NDArray[np.uint8]
"""(h, w, 3) uint8, sRGB, row-major: `image[row, col]`."""


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of an image. `downsample` is level-0 pixels per pixel of this level (>= 1)."""

    width: int
    height: int
    downsample: float


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Micrometres per level-0 pixel, and where the figure came from (for example 'OME-XML')."""

    um: float
    origin: str


class ImageSource(Protocol):
    """An opened image. Coordinates are pixels of the level asked for, x to the right, y down.

    `read` may be called from any one thread at a time.
    """

    @property
    def path(self) -> Path: ...

    @property
    def format(self) -> str:
        """The format found in the content, for example 'JPEG', whatever the file is called."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, lower-case hex."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of level 0, after EXIF orientation."""
        ...

    @property
    def levels(self) -> tuple[Level, ...]: ...

    @property
    def mpp(self) -> PixelSize | None: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed on the way to 8-bit sRGB, in words for the user ('16-bit grey, scaled to 8 bit')."""
        ...

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """(h, w, 3) uint8 sRGB; outside the image is white. The array is the caller's own."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

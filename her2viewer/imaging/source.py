"""What every image looks like to the rest of the product, whatever file it came from."""

from collections.abc import Mapping
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

    `read` may be called from several threads at once. The facts (all but pixels) can be read after `close`, too.
    """

    @property
    def path(self) -> Path: ...

    @property
    def format(self) -> str:
        """The format found in the content, for example 'JPEG', whatever the file is called."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, lower-case hex; of the file that was opened where the image is many files.

        A slide is hashed when this is first asked for, which takes as long as reading it; raises ImageError then. To
        tell whether two sources are one picture use `identity.same_picture`.
        """
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

    @property
    def properties(self) -> Mapping[str, str]:
        """What the file says of itself, plain text by name: those of `properties.COMMON` that are known, then its own."""
        ...

    @property
    def associated(self) -> tuple[str, ...]:
        """Names of the further pictures in the file, for example 'label', 'macro' and 'thumbnail'."""
        ...

    def associated_image(self, name: str) -> RGBImage:
        """One of `associated`, (h, w, 3) uint8. Raises ImageError where it is damaged, KeyError for another name."""
        ...

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """(h, w, 3) uint8 sRGB, contiguous; outside the image is white. The array is the caller's own.

        Raises ImageError where the file is damaged there or cannot be read any more; other windows may still be read.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

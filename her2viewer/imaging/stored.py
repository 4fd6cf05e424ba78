"""What a slide's file holds, before `Slide` makes an image source of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from her2viewer.imaging.source import Level, PixelSize, RGBImage


@dataclass(frozen=True)
class Facts:
    """What a slide says of itself; the fields mean what they mean in `ImageSource`.

    icc: the profile of the stored pixels, which `StoredPyramid.read` has not applied; None where there is none.
    """

    format: str
    mpp: PixelSize | None = None
    notes: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    associated: tuple[str, ...] = ()
    icc: bytes | None = None


class StoredPyramid(Protocol):
    """The levels that a file holds, finest first. Safe to read from several threads at once."""

    @property
    def levels(self) -> tuple[Level, ...]: ...

    @property
    def facts(self) -> Facts: ...

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """(h, w, 3) uint8, alpha over white; the window lies inside the level. Raises Unreadable and OSError."""
        ...

    def associated_image(self, name: str) -> RGBImage:
        """One of `facts.associated`, (h, w, 3) uint8. Raises Unreadable and OSError."""
        ...

    def close(self) -> None:
        """No read runs or follows."""
        ...

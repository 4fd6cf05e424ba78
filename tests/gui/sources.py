"""Image sources that are computed: as large as a slide, as slow or broken as a test needs them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from her2viewer.errors import ImageError
from her2viewer.gui.pane.pyramid import read_overview
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.source import Level, PixelSize, RGBImage


def pyramid(width: int, height: int, step: int = 2, smallest: int = 512) -> tuple[Level, ...]:
    """Levels as a file may hold them, each `step` times smaller than the one before."""
    levels = [Level(width, height, 1.0)]
    while max(levels[-1].width, levels[-1].height) > smallest:
        down = levels[-1].downsample * step
        levels.append(Level(-(-width // int(down)), -(-height // int(down)), down))
    return tuple(levels)


@dataclass(eq=False)
class ComputedSource:
    """Implements ImageSource. A level-0 pixel's colour tells where it is; no pixel is as grey as the surround.

    `gate` holds reads up; `broken`: (level, column, row) of tiles of 512 px whose reading fails; `reads`: what was read.
    """

    size: tuple[int, int]
    levels: tuple[Level, ...]
    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    broken: set[tuple[int, int, int]] = field(default_factory=set)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    path: Path = Path("computed.svs")
    format: str = "computed"
    sha256: str = "0" * 64
    mpp: PixelSize | None = None
    notes: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    associated: tuple[str, ...] = ()
    closed: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        place = (level, x // 512, y // 512)
        self.reads.append(place)
        self.begun.set()
        assert self.gate.wait(30)
        if self.closed:
            raise ValueError("computed.svs is closed")
        if place in self.broken:
            raise ImageError("part of it is damaged", path=self.path, remedy="scan it again")
        down = self.levels[level].downsample
        return colour_at((np.arange(x, x + w) + 0.5) * down, (np.arange(y, y + h) + 0.5) * down)

    def associated_image(self, name: str) -> RGBImage:
        raise KeyError(name)

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> "ComputedSource":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def colour_at(x: np.ndarray, y: np.ndarray) -> RGBImage:
    """(len(y), len(x), 3) uint8: the colour at level-0 positions; its neighbours differ, and blue is always strong."""
    image = np.empty((len(y), len(x), 3), np.uint8)
    image[..., 0] = (np.floor(x).astype(np.int64) % 251)[None]
    image[..., 1] = (np.floor(y).astype(np.int64) % 241)[:, None]
    image[..., 2] = 180 + ((x // 1000) % 40).astype(np.uint8)[None] + ((y // 1000) % 30).astype(np.uint8)[:, None]
    return image


def computed(width: int, height: int, step: int = 2) -> tuple[ComputedSource, OpenedImage]:
    """A computed source and what opening it gives."""
    source = ComputedSource((width, height), pyramid(width, height, step))
    image = OpenedImage(source, read_overview(source))
    source.reads.clear()
    source.begun.clear()
    return source, image

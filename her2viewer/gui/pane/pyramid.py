"""At which resolutions a pane shows an image, and which cells of them a view needs. Pure arithmetic, and reading by it.

A cell is a square of TILE pixels of a resolution; the last ones of a row or column are smaller.

The resolutions of a pane halve from one to the next. Most of them are levels of the file; where a file leaves some out (many
slides go down by four) they are made by averaging when they are read, so that the painter never shrinks by more than two.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from PySide6.QtCore import QRectF

from her2viewer.errors import ImageError
from her2viewer.imaging.source import ImageSource, Level, RGBImage
from her2viewer.imaging.tile_cache import TILE, TileCache, TileKey, grid, read_tile

OVERVIEW_SIDE: Final = 1024
"""The overview is the smallest resolution whose longer side is at least this."""

DAMAGED: Final = 118
"""The grey of what cannot be read: that of the surround, which is no tissue."""

_SMALLEST_SIDE: Final = 96
"""No resolution is made whose longer side would be below this: a pane is larger."""

_ENOUGH_LARGER: Final = 1.5
"""A level that is less than this many times coarser than the one before is not worth a resolution of its own."""


class Cell(NamedTuple):
    """Which resolution, and where in its grid."""

    resolution: int
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """One resolution of an image. `across`, `down`: level-0 pixels per pixel of it.

    `level` is the level of the file it is read from, and `shrink` how many of that level's pixels become one, along each side.
    """

    level: int
    shrink: int
    width: int
    height: int
    across: float
    down: float

    def cells(self, box: QRectF) -> "Block":
        """The cells that a rectangle of level-0 pixels inside the image touches."""
        columns, rows = -(-self.width // TILE), -(-self.height // TILE)
        step_x, step_y = TILE * self.across, TILE * self.down
        left, top = max(int(box.left() // step_x), 0), max(int(box.top() // step_y), 0)
        right = min(-int(-box.right() // step_x), columns)
        bottom = min(-int(-box.bottom() // step_y), rows)
        return Block(left, top, right, bottom)

    def grown(self, block: "Block") -> "Block":
        """A block with a ring of cells around it, as far as there are any."""
        columns, rows = -(-self.width // TILE), -(-self.height // TILE)
        return Block(
            max(block.left - 1, 0),
            max(block.top - 1, 0),
            min(block.right + 1, columns),
            min(block.bottom + 1, rows),
        )

    def extent(self, block: "Block") -> tuple[int, int, int, int]:
        """(x, y, width, height) of a block in pixels of this resolution."""
        x, y = block.left * TILE, block.top * TILE
        return x, y, min(block.right * TILE, self.width) - x, min(block.bottom * TILE, self.height) - y


class Block(NamedTuple):
    """A rectangle of cells: columns `left` to `right` and rows `top` to `bottom`, the last ones not included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)

    def holds(self, other: "Block") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def cells(self, resolution: int) -> Iterator[Cell]:
        for row in range(self.top, self.bottom):
            for column in range(self.left, self.right):
                yield Cell(resolution, column, row)

    def nearest_first(self, resolution: int, column: float, row: float) -> list[Cell]:
        """Its cells by the distance of their middles from a place, in cells."""
        return sorted(
            self.cells(resolution), key=lambda cell: (cell.column + 0.5 - column) ** 2 + (cell.row + 0.5 - row) ** 2
        )


def resolutions(levels: Sequence[Level], size: tuple[int, int]) -> tuple[Resolution, ...]:
    """The resolutions of an image of `size` (width, height), from fine to coarse.

    Those after the overview's are halves of it, each of the one before, and need no reading.
    """
    used = [0]
    for index, level in enumerate(levels):
        if level.downsample >= levels[used[-1]].downsample * _ENOUGH_LARGER:
            used.append(index)
    made: list[Resolution] = []
    for index, following in zip(used, [*used[1:], None], strict=True):
        level = levels[index]
        across, down = _pitch(level.width, size[0], level), _pitch(level.height, size[1], level)
        shrink = 1
        while True:
            width, height = -(-level.width // shrink), -(-level.height // shrink)
            made.append(Resolution(index, shrink, width, height, across * shrink, down * shrink))
            shrink *= 2
            if following is not None and level.downsample * shrink * _ENOUGH_LARGER > levels[following].downsample:
                break
            if following is None and max(level.width, level.height) / shrink < OVERVIEW_SIDE:
                break
    del made[overview_resolution(made) + 1 :]
    while max(made[-1].width, made[-1].height) >= 2 * _SMALLEST_SIDE:
        made.append(_halved(made[-1]))
    return tuple(made)


def _halved(one: Resolution) -> Resolution:
    width, height = -(-one.width // 2), -(-one.height // 2)
    return Resolution(one.level, one.shrink * 2, width, height, one.across * 2, one.down * 2)


def _pitch(side: int, size: int, level: Level) -> float:
    """Level-0 pixels per pixel of a level along one side.

    A level that is smaller by a whole number is made of whole blocks, whether its size was rounded up or down; any other spans
    the image.
    """
    blocks = level.downsample.is_integer() and abs(side * level.downsample - size) < level.downsample
    return level.downsample if blocks else size / side


def resolution_for(available: Sequence[Resolution], px: float) -> int:
    """The coarsest resolution that is no coarser than the screen, at `px` level-0 pixels per device pixel."""
    fine_enough = [i for i, one in enumerate(available) if one.across <= px * 1.001]
    return fine_enough[-1] if fine_enough else 0


def overview_resolution(available: Sequence[Resolution]) -> int:
    """The one that is held for as long as an image is open."""
    enough = [i for i, one in enumerate(available) if max(one.width, one.height) >= OVERVIEW_SIDE]
    return enough[-1] if enough else 0


def read_overview(source: ImageSource, told: Callable[[ImageError], object] = lambda _: None) -> RGBImage:
    """The whole of an image at its overview's resolution, (h, w, 3) uint8. Raises ImageError.

    Where a part is damaged and others are not, it is grey, and `told` gets the error: the rest can be looked at.
    """
    resolution = (available := resolutions(source.levels, source.size))[overview_resolution(available)]
    level = source.levels[resolution.level]
    try:
        whole = source.read(resolution.level, 0, 0, level.width, level.height)
    except ImageError as error:
        whole = _what_can_be_read(source, resolution.level, error)
        told(error)
    return shrunk(whole, resolution.shrink)


def _what_can_be_read(source: ImageSource, level: int, error: ImageError) -> RGBImage:
    """A level tile by tile. Raises `error` where no tile of it can be read."""
    whole = np.full((source.levels[level].height, source.levels[level].width, 3), DAMAGED, np.uint8)
    across, down = grid(source.levels[level])
    found = False
    for row, column in np.ndindex(down, across):
        with suppress(ImageError):
            tile = read_tile(source, level, column, row)
            whole[row * TILE :, column * TILE :][: tile.shape[0], : tile.shape[1]] = tile
            found = True
    if not found:
        raise error
    return whole


def read_cell(cache: TileCache, source: ImageSource, resolution: Resolution, cell: Cell) -> RGBImage:
    """The pixels of a cell, (h, w, 3) uint8, by way of the tiles that are kept. Raises ImageError."""
    across, down = grid(source.levels[resolution.level])
    shrink = resolution.shrink
    rows = [
        np.hstack(
            [
                cache.read(source, TileKey(resolution.level, column, row))
                for column in range(cell.column * shrink, min((cell.column + 1) * shrink, across))
            ]
        )
        for row in range(cell.row * shrink, min((cell.row + 1) * shrink, down))
    ]
    return shrunk(np.vstack(rows), shrink)


def shrunk(image: np.ndarray, by: int) -> np.ndarray:
    """Each pixel the mean of `by` x `by`; a side that does not divide repeats its last row or column for that."""
    if by == 1:
        return image
    height, width = image.shape[:2]
    across, down = -(-width // by), -(-height // by)
    if (across * by, down * by) != (width, height):
        image = cv2.copyMakeBorder(image, 0, down * by - height, 0, across * by - width, cv2.BORDER_REPLICATE)
    return cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)

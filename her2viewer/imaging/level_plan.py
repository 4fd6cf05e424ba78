"""Which levels a slide offers: those stored in its file, and averaged ones where the file leaves large gaps."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from her2viewer.imaging.source import Level, RGBImage

LARGEST_STEP: Final = 4.0
_TOLERANCE: Final = 1.05  # 4.02 is what scanners make of 4 by rounding

COARSEST_SIDE: Final = 1024
"""Levels are added until the longer side of the last is at most this."""

LARGEST_EXACT_FACTOR: Final = 16
"""Up to here every pixel of an averaged level is the mean of all that it covers: 67 million stored pixels for a tile of
512. Beyond, reading all of them for one tile would take minutes, and the colours are sampled."""

_SAMPLED_CELL: Final = 16
_SAMPLE_SIDE: Final = 64
_BLOCK_SIDE: Final = 2048

Read = Callable[[int, int, int, int], RGBImage]
"""(x, y, w, h) inside one stored level."""


@dataclass(frozen=True, slots=True)
class PlannedLevel:
    """A level offered: stored level number `stored`, shrunk by `factor`; 1 where it is that level itself."""

    level: Level
    stored: int
    factor: int = 1


def plan(stored: Sequence[Level]) -> tuple[PlannedLevel, ...]:
    """Stored levels, and averaged ones between and behind them in steps of 4 or 2.

    Only where two stored levels are more than 64 times apart is a larger step left between them.
    """
    planned = []
    for index, level in enumerate(stored):
        planned.append(PlannedLevel(level, index))
        if index + 1 < len(stored):
            factors = _between(stored[index + 1].downsample / level.downsample)
        else:
            factors = _down_to(max(level.width, level.height) / COARSEST_SIDE)
        for factor in factors:
            shrunk = Level(-(-level.width // factor), -(-level.height // factor), level.downsample * factor)
            planned.append(PlannedLevel(shrunk, index, factor))
    return tuple(planned)


def _between(ratio: float) -> Iterator[int]:
    factor = 1
    while ratio / factor > LARGEST_STEP * _TOLERANCE and factor < LARGEST_EXACT_FACTOR:
        factor *= 4 if ratio / factor > 2 * LARGEST_STEP else 2
        yield factor


def _down_to(ratio: float) -> Iterator[int]:
    factor = 1
    while ratio / factor > 1:
        factor *= 4 if ratio / factor > 2 else 2
        yield factor


def read_averaged(read: Read, level: Level, factor: int, x: int, y: int, w: int, h: int) -> RGBImage:
    """Window (x, y, w, h) of `level` shrunk by `factor`; each pixel is the mean of factor x factor, at edges of those there.

    Reads at most `_BLOCK_SIDE` squared stored pixels at a time, whatever the window.
    """
    out = np.empty((h, w, 3), np.uint8)
    side = max(1, _BLOCK_SIDE // factor)
    for left, top, width, height in blocks(x, y, w, h, side):
        x0, y0 = left * factor, top * factor
        wanted = (height * factor, width * factor)
        pixels = read(x0, y0, min(wanted[1], level.width - x0), min(wanted[0], level.height - y0))
        missing = [(0, full - there) for full, there in zip(wanted, pixels.shape[:2], strict=True)]
        if missing != [(0, 0), (0, 0)]:
            pixels = np.pad(pixels, (*missing, (0, 0)), mode="edge")
        out[top - y : top - y + height, left - x : left - x + width] = cv2.resize(
            pixels, (width, height), interpolation=cv2.INTER_AREA
        )
    return out


def read_sampled(read: Read, level: Level, factor: int, x: int, y: int, w: int, h: int) -> RGBImage:
    """As `read_averaged`, from one small patch in the middle of every 16 x 16 pixels, with colours interpolated between.

    What is read depends on the place alone, so that neighbouring windows agree.
    """
    step = _SAMPLED_CELL * factor
    columns, rows = -(-level.width // step), -(-level.height // step)
    # One cell more on each side: interpolation looks at the neighbours.
    first = (max(x // _SAMPLED_CELL - 1, 0), max(y // _SAMPLED_CELL - 1, 0))
    end = (min(-(-(x + w) // _SAMPLED_CELL) + 1, columns), min(-(-(y + h) // _SAMPLED_CELL) + 1, rows))
    cells = np.empty((end[1] - first[1], end[0] - first[0], 3), np.float32)
    for row in range(first[1], end[1]):
        for column in range(first[0], end[0]):
            cells[row - first[1], column - first[0]] = _mean_in_the_middle(read, level, step, column, row)
    size = (cells.shape[1] * _SAMPLED_CELL, cells.shape[0] * _SAMPLED_CELL)
    smooth = np.rint(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)).astype(np.uint8)
    left, top = x - first[0] * _SAMPLED_CELL, y - first[1] * _SAMPLED_CELL
    return np.ascontiguousarray(smooth[top : top + h, left : left + w])


def _mean_in_the_middle(read: Read, level: Level, step: int, column: int, row: int) -> tuple[float, ...]:
    """The mean colour of a patch in the middle of a cell, of the part of the cell that lies in the level."""
    x, width = _middle(column * step, min((column + 1) * step, level.width))
    y, height = _middle(row * step, min((row + 1) * step, level.height))
    return tuple(read(x, y, width, height).mean(axis=(0, 1)).tolist())


def _middle(start: int, end: int) -> tuple[int, int]:
    length = min(_SAMPLE_SIDE, end - start)
    return start + (end - start - length) // 2, length


def blocks(x: int, y: int, w: int, h: int, side: int) -> Iterator[tuple[int, int, int, int]]:
    """A window cut into (x, y, w, h) of at most `side` a side."""
    for top in range(y, y + h, side):
        for left in range(x, x + w, side):
            yield left, top, min(side, x + w - left), min(side, y + h - top)


def whole_downsample(finest: tuple[int, int], width: int, height: int, said: float) -> float:
    """The whole number that a level is smaller by, where its size is `finest` shrunk by that and rounded either way.

    Libraries divide the rounded sizes, which moves the far end of a large slide by several pixels. `said` otherwise.
    """
    factor = round(said)
    fits = all(
        math.floor(full / factor) <= side <= math.ceil(full / factor)
        for full, side in zip(finest, (width, height), strict=True)
    )
    return float(factor) if fits else said

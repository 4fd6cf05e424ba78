"""Occlusion: how far a class falls where a patch of one stain is covered with empty glass. Looks into no stage."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.changed_inputs import logit_of
from her2viewer.scoring.network import Network
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.preprocess import Cell, InputLayout, empty_glass
from her2viewer.scoring.watching import never, unwatched

STEP: Final = 16
"""Input pixels from one patch to the next, and the side of a cell of the map."""

PATCH: Final = 2
"""The side of a patch in steps: each patch overlaps its neighbours by half, and most cells lie under four of them."""

_BATCH: Final = 8


class _Patch(NamedTuple):
    """What is covered: input pixels, and the cells of the map that lie under it."""

    pixels: tuple[slice, slice]
    cells: tuple[slice, slice]


def occlusion(
    network: Network,
    x: Tensor,
    layout: InputLayout,
    target: int,
    against: int | None = None,
    *,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unwatched,
) -> NDArray[np.float32]:
    """The class's logit (or its difference to another's) for x less that for x with a patch covered, averaged over patches.

    Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2, with the drop in place of what
    is left, as captum has it: a cell is the mean over the patches that cover it. Patches are `PATCH * STEP` input pixels wide
    and high, `STEP` apart, and never reach over the seam of two stains. They become empty glass, which every network has
    seen, not the grey of a mean. Where a cell of the layout is no whole number of steps, the steps are stretched to fit it.

    x: (1, 3, h, w), normalised. Returns (rows, columns) float32, signed, in logits per patch: positive where tissue speaks
    for the class. Raises Cancelled when `cancelled` says so between batches.
    """
    glass = normalised(empty_glass(layout)[None, None, None], layout, x.device).to(x.dtype)
    patches, (rows, columns) = _patches(layout)
    drop, times = np.zeros((rows, columns)), np.zeros((rows, columns))
    with torch.inference_mode():
        whole = float(logit_of(network, x, target, against))
        for first in range(0, len(patches), _BATCH):
            if cancelled():
                raise Cancelled
            some = patches[first : first + _BATCH]
            covered = x.repeat(len(some), 1, 1, 1)
            for picture, patch in zip(covered, some, strict=True):
                picture[:, *patch.pixels] = glass[0]
            for patch, logit in zip(some, logit_of(network, covered, target, against).tolist(), strict=True):
                drop[patch.cells] += whole - logit
                times[patch.cells] += 1
            progress(first + len(some), len(patches))
    return (drop / times).astype(np.float32)


def _patches(layout: InputLayout) -> tuple[list[_Patch], tuple[int, int]]:
    """All patches of all stains, from left to right, and the map's (rows, columns)."""
    cells = [layout.cell(stain) for stain in layout.order]
    rows, columns = (max(1, round(side / STEP)) for side in (cells[0].height, cells[0].width))
    found = [patch for index, cell in enumerate(cells) for patch in _patches_of(cell, rows, columns, index * columns)]
    return found, (rows, columns * len(cells))


def _patches_of(cell: Cell, rows: int, columns: int, first_column: int) -> Iterator[_Patch]:
    down, across = _spans(cell.y, cell.height, rows), _spans(cell.x, cell.width, columns)
    for (top, vertical), (left, horizontal) in product(down, across):
        left_cells = slice(left.start + first_column, left.stop + first_column)
        yield _Patch((vertical, horizontal), (top, left_cells))


def _spans(start: int, length: int, steps: int) -> list[tuple[slice, slice]]:
    """The patches of one axis: the steps that each covers, and its pixels."""
    edges = start + np.rint(np.linspace(0, length, steps + 1)).astype(int)
    width = min(PATCH, steps)
    return [
        (slice(first, first + width), slice(int(edges[first]), int(edges[first + width])))
        for first in range(steps - width + 1)
    ]

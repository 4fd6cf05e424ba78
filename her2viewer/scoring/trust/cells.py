"""Maps and pictures on the network's input, stain by stain: drawn, turned in place, and what of it is there at all."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import Cell, InputLayout
from her2viewer.scoring.stains import Stain

Picture = NDArray[Any]
"""(h, w) or (h, w, channels) over the network's input."""

Part = tuple[slice, slice]
"""Rows and columns of the input."""


def over_input(attribution: Attribution, values: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """(h, w) float32: the map at each pixel of the network's input. values: another map on the same way.

    As it is drawn on the images, but that nothing is read across the seam of two stains, where turning would change neighbours.
    """
    layout = attribution.layout
    cells = {stain: layout.cell(stain) for stain in layout.order}
    fields = {stain: FieldOfView.whole((cell.width, cell.height)) for stain, cell in cells.items()}
    placed = replace(attribution, values=attribution.values if values is None else values, fields=fields, separate=True)
    out = np.empty((layout.height, layout.width), np.float32)
    for stain, cell in cells.items():
        out[part(cell)] = placed.render(stain, fields[stain], (cell.width, cell.height))
    return out


def part(cell: Cell) -> Part:
    """The rows and columns of the input that a stain fills."""
    return slice(cell.y, cell.y + cell.height), slice(cell.x, cell.x + cell.width)


def given(evidence: Evidence) -> list[Part]:
    """The parts of the input that show an image, and not the filling of a stain that was missing."""
    layout, fields = evidence.layout, evidence.prediction.fields
    return [part(layout.cell(stain)) for stain in layout.order if stain in fields or not fields]


def sampled(drawn: NDArray[np.float32], parts: Sequence[Part]) -> NDArray[np.float32]:
    """(n,) every second row and column of those parts of a map over the input: finer than the grid of any stage."""
    return np.concatenate([drawn[where][::2, ::2].ravel() for where in parts])


Turn = tuple[Callable[[Picture], Picture], Callable[[Picture], Picture]]
"""A turn of one stain's picture, and the way back."""

FLIPS: Final[dict[str, Turn]] = {
    "left to right": (np.fliplr, np.fliplr),
    "upside down": (np.flipud, np.flipud),
    "by 180 degrees": (lambda picture: np.rot90(picture, 2), lambda picture: np.rot90(picture, 2)),
}
QUARTER_TURNS: Final[dict[str, Turn]] = {
    "by 90 degrees": (lambda picture: np.rot90(picture, 1), lambda picture: np.rot90(picture, 3)),
    "by 270 degrees": (lambda picture: np.rot90(picture, 3), lambda picture: np.rot90(picture, 1)),
}


def turns(layout: InputLayout) -> dict[str, Turn]:
    """Flips and the half turn; quarter turns only where a stain's cell is square: no other keeps its shape."""
    square = all(layout.cell(stain).width == layout.cell(stain).height for stain in layout.order)
    return FLIPS | QUARTER_TURNS if square else FLIPS


def in_place(picture: Picture, layout: InputLayout, turn: Callable[[Picture], Picture]) -> Picture:
    """The picture with each stain turned within its own cell, a copy."""
    out = picture.copy()
    for stain in layout.order:
        where = part(layout.cell(stain))
        out[where] = turn(picture[where])
    return out


def middle(layout: InputLayout) -> NDArray[np.float32]:
    """(h, w) float32: a spot in the middle of each stain's cell, 1 there and e^-4 in its corners."""
    out = np.empty((layout.height, layout.width), np.float32)
    for stain in layout.order:
        cell = layout.cell(stain)
        out[part(cell)] = spot(cell.width, cell.height)
    return out


def spot(width: int, height: int) -> NDArray[np.float32]:
    """(height, width) float32: exp(-2 (u^2 + v^2)), u and v from -1 to 1 across and down."""
    u, v = ((np.arange(size) + 0.5) * (2 / size) - 1 for size in (width, height))
    return np.asarray(np.exp(-2 * (u[None] ** 2 + v[:, None] ** 2)), np.float32)


def stain_picture(network_input: NDArray[np.uint8], layout: InputLayout, stain: Stain) -> NDArray[np.uint8]:
    """A stain's part of the composed picture."""
    return network_input[part(layout.cell(stain))]

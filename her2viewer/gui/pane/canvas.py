"""One picture made of cells: each holds its own pixels, or what coarser ones make of it, so that nothing is ever blank.

Cells that are drawn one by one show their seams as soon as they are scaled or turned. So they are laid into one picture at
their own resolution, and that is drawn in one go.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from her2viewer.gui.pane.pyramid import Block, Cell, Resolution
from her2viewer.imaging.tile_cache import TILE

Pixels = NDArray[np.uint8]
"""(h, w, 4) uint8: blue, green, red and 255, which is how Qt holds opaque colour."""

_HATCH_STEP: Final = 16
_HATCH_GREY: Final = 118


class Piece:
    """Pixels that cover at least a cell: at which resolution (its index), and where their first pixel is in it (x, y)."""

    __slots__ = ("origin", "pixels", "resolution")

    def __init__(self, resolution: int, pixels: Pixels, origin: tuple[int, int]) -> None:
        self.resolution = resolution
        self.pixels = pixels
        self.origin = origin


Find = Callable[[Cell], Piece]
"""The finest pixels at hand for a cell."""


def opaque(image: NDArray[np.uint8]) -> Pixels:
    """RGB, (h, w, 3) uint8, as Qt wants it."""
    pixels: Pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGRA)  # type: ignore[assignment]
    return pixels


def plain(pixels: Pixels) -> NDArray[np.uint8]:
    """The inverse of `opaque`: (h, w, 3) uint8 RGB."""
    image: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)  # type: ignore[assignment]
    return image


class Canvas:
    """The pixels of a block of cells at one resolution. `image` shares them, and `x`, `y` is its first pixel's place."""

    def __init__(self, resolutions: tuple[Resolution, ...], index: int, block: Block) -> None:
        self._resolutions = resolutions
        self.index = index
        self.block = block
        self.x, self.y, width, height = resolutions[index].extent(block)
        self._pixels: Pixels = np.empty((height, width, 4), np.uint8)
        self._laid: dict[Cell, tuple[int, bool]] = {}
        self.image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)

    def serves(self, index: int, block: Block) -> bool:
        """Whether a view of a block can be painted from it, without it being far too large for that."""
        return self.index == index and self.block.holds(block) and self.block.area <= 2 * block.area + 4

    def moved_to(self, block: Block) -> "Canvas":
        """A canvas of another block, with what the two have in common."""
        made = Canvas(self._resolutions, self.index, block)
        for cell, laid in self._laid.items():
            if block.left <= cell.column < block.right and block.top <= cell.row < block.bottom:
                made._place(cell)[:] = self._place(cell)
                made._laid[cell] = laid
        return made

    def lay(self, block: Block, find: Find, failed: set[Cell]) -> None:
        """Lays the best pixels at hand into each cell of a block; what lies there already is left alone."""
        for cell in block.cells(self.index):
            piece, hatched = find(cell), cell in failed
            if self._laid.get(cell) != (piece.resolution, hatched):
                place = self._place(cell)
                if piece.resolution == self.index:
                    x, y = cell.column * TILE - piece.origin[0], cell.row * TILE - piece.origin[1]
                    place[:] = piece.pixels[y : y + place.shape[0], x : x + place.shape[1]]
                else:
                    self._enlarge(cell, piece, place)
                if hatched:
                    _hatch(place)
                self._laid[cell] = (piece.resolution, hatched)

    def _place(self, cell: Cell) -> Pixels:
        x, y = cell.column * TILE - self.x, cell.row * TILE - self.y
        return self._pixels[y : y + TILE, x : x + TILE]

    def _enlarge(self, cell: Cell, piece: Piece, place: Pixels) -> None:
        """Coarser pixels over a cell, placed to a fraction of them so that nothing jumps when the finer ones come."""
        fine, coarse = self._resolutions[self.index], self._resolutions[piece.resolution]
        across, down = fine.across / coarse.across, fine.down / coarse.down
        back = np.array(
            [
                [across, 0, across * (cell.column * TILE + 0.5) - piece.origin[0] - 0.5],
                [0, down, down * (cell.row * TILE + 0.5) - piece.origin[1] - 0.5],
            ]
        )
        place[:] = cv2.warpAffine(
            piece.pixels,
            back,
            (place.shape[1], place.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _hatch(place: Pixels) -> None:
    """Thin grey lines over what could not be read any finer."""
    rows, columns = np.ogrid[: place.shape[0], : place.shape[1]]
    lines = (rows + columns) % _HATCH_STEP < 2
    place[lines, :3] = (place[lines, :3].astype(np.uint16) + _HATCH_GREY) // 2

"""Cells' contours as paths that paint fast: by squares of the image, and with fewer corners the smaller they are on screen."""

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainterPath

from her2viewer.gui.fields.placing import Placing, polygon
from her2viewer.scoring.membrane.reading import MembraneCells
from her2viewer.scoring.membrane.rule import Grade

SQUARE: Final = 512.0
"""Level-0 px of a side: what a pane does not show is not painted, square by square."""

CORNERS: Final = (4, 8, 16, 32)
"""Of a contour, by how large cells are on screen."""

_STEP: Final = 5.0
"""Logical pixels between two corners from where more of them would not be seen."""


class Contours:
    """The contours of a reading in one image's level-0 px, a path for each grade, square and number of corners."""

    def __init__(self, cells: MembraneCells, placing: Placing) -> None:
        self.centre = np.asarray(placing.to_image(cells.centre), np.float64).reshape(-1, 2)
        self.outline = _placed(cells, placing, self.centre)
        self._grade = cells.grade
        self._paths: dict[tuple[Grade, tuple[int, int], int], QPainterPath] = {}

    @cached_property
    def size(self) -> float:
        """The middle length of an outline, level-0 px."""
        step = self.outline - np.roll(self.outline, 1, axis=1)
        return float(np.median(np.hypot(step[..., 0], step[..., 1]).sum(axis=1))) if len(self.outline) else 0.0

    @cached_property
    def _members(self) -> dict[tuple[Grade, tuple[int, int]], NDArray[np.intp]]:
        found: dict[tuple[Grade, tuple[int, int]], list[int]] = {}
        squares = np.floor(self.centre / SQUARE).astype(int).tolist()
        for index, ((column, row), grade) in enumerate(zip(squares, self._grade.tolist(), strict=True)):
            found.setdefault((Grade(grade), (column, row)), []).append(index)
        return {key: np.array(value) for key, value in found.items()}

    def paths(self, grade: Grade, seen: QRectF, scale: float) -> list[QPainterPath]:
        """The paths of a grade's cells that can be in `seen`, level-0 px. scale: logical pixels of one of them."""
        corners = self.corners(scale)
        return [
            self._path(grade, square, corners)
            for (of, square) in self._members
            if of is grade and self._frame(square).intersects(seen)
        ]

    def corners(self, scale: float) -> int:
        """How many corners a contour is drawn with."""
        wanted = self.size * scale / _STEP
        return next((count for count in CORNERS if count >= wanted), CORNERS[-1])

    def _frame(self, square: tuple[int, int]) -> QRectF:
        # Cells reach over their square by less than their own length.
        column, row = square
        return QRectF(column * SQUARE, row * SQUARE, SQUARE, SQUARE).adjusted(
            -self.size, -self.size, self.size, self.size
        )

    def _path(self, grade: Grade, square: tuple[int, int], corners: int) -> QPainterPath:
        key = grade, square, corners
        if key not in self._paths:
            path = QPainterPath()
            for outline in self.outline[self._members[grade, square]][:, :: max(self.outline.shape[1] // corners, 1)]:
                path.addPolygon(polygon(outline))
                path.closeSubpath()
            self._paths[key] = path
        return self._paths[key]


def _placed(cells: MembraneCells, placing: Placing, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, rays, 2) contours in level-0 px of the image. Where the alignment bends, each cell is carried by its middle: over
    a cell's few micrometres bending is not seen, and undoing it is slow."""
    outline = cells.contour.astype(np.float64)
    affine = placing.affine
    if affine is not None:
        return affine.points(outline.reshape(-1, 2)).reshape(outline.shape)
    straight = placing.alignment.he_to_ihc.inverse()
    offset = straight.points((outline - cells.centre[:, None]).reshape(-1, 2)) - straight.points([(0.0, 0.0)])
    return centre[:, None] + offset.reshape(outline.shape)

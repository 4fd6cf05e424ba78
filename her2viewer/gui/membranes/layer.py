"""The cells that were read, over the tissue: each cell's membrane in the colour and the kind of line of its grade."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF, QRegion

from her2viewer.gui.fields.placing import Placing, on_screen, polygon, transform
from her2viewer.gui.membranes.contours import Contours
from her2viewer.gui.membranes.grades import LOOKS
from her2viewer.gui.membranes.resolve import cell_words
from her2viewer.gui.pane.layer import Sight
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.stains import Stain

_DARK, _LIGHT = QColor(0, 0, 0, 200), QColor(255, 255, 255)
_SMALL: Final = 56.0
"""Logical pixels of an outline below which its line is thin: broader ones would cover the cell, and take long."""
_NEAR: Final = 12
"""Cells that are nearest to a click and are asked whether they hold it."""


@dataclass(frozen=True, slots=True)
class CellsShown:
    """What the layer draws: a reading, the cell that was clicked, and how the images lie on each other."""

    reading: MembraneReading
    alignment: Alignment
    chosen: int | None


class CellLayer:
    """`shown`: what is drawn just now, or None. Contours are placed once for a reading and an alignment."""

    def __init__(self, shown: Callable[[], CellsShown | None]) -> None:
        self._shown = shown
        self._contours: dict[Stain, tuple[MembraneReading, Alignment, Contours]] = {}

    def paint(self, painter: QPainter, sight: Sight) -> None:
        shown = self._shown()
        if shown is None:
            self._contours.clear()
        if shown is None or sight.image is None:
            return
        contours = self.contours(shown, sight.stain)
        to_screen = on_screen(sight)
        seen = transform(to_screen.inverse()).mapRect(QRectF(painter.window()))
        small = contours.size * to_screen.scale < _SMALL
        placed = transform(to_screen)
        painter.save()
        painter.setClipRegion(QRegion(placed.map(QPolygonF(QRectF(0, 0, *sight.image.source.size))).toPolygon()))
        for grade in Grade:
            for path in contours.paths(grade, seen, to_screen.scale):
                LOOKS[grade].stroke(painter, path, placed, small=small)
        painter.restore()
        if shown.chosen is not None:
            self._paint_chosen(painter, sight, contours, shown)

    def cell_at(self, sight: Sight, at: tuple[float, float]) -> int | None:
        """The cell of the reading whose outline holds a level-0 position of a pane's own image."""
        shown = self._shown()
        if shown is None:
            return None
        contours = self.contours(shown, sight.stain)
        distance = np.hypot(*(contours.centre - at).T)
        for index in np.argsort(distance)[:_NEAR].tolist():
            outline = contours.outline[index].astype(np.float32)
            if cv2.pointPolygonTest(outline, at, False) >= 0:
                return int(index)
        return None

    def contours(self, shown: CellsShown, stain: Stain) -> Contours:
        """The contours in a stain's image, placed when first asked for."""
        kept = self._contours.get(stain)
        if kept is None or kept[0] is not shown.reading or kept[1] is not shown.alignment:
            kept = shown.reading, shown.alignment, Contours(shown.reading.cells, Placing(stain, shown.alignment))
            self._contours[stain] = kept
        return kept[2]

    def _paint_chosen(self, painter: QPainter, sight: Sight, contours: Contours, shown: CellsShown) -> None:
        assert shown.chosen is not None
        outline = polygon(on_screen(sight).points(contours.outline[shown.chosen]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(_DARK, 5.0), QPen(_LIGHT, 2.5)):
            painter.setPen(pen)
            painter.drawPolygon(outline)
        frame, room = outline.boundingRect(), QRectF(painter.window()).adjusted(4, 4, -4, -4)
        text, metrics = cell_words(shown.reading, shown.chosen), QFontMetricsF(painter.font())
        plate = metrics.boundingRect(QRectF(0, 0, 400, 200), Qt.AlignmentFlag.AlignLeft, text).adjusted(-8, -4, 8, 4)
        plate.moveCenter(frame.center())
        plate.moveBottom(frame.top() - 6)
        if plate.top() < room.top():
            plate.moveTop(frame.bottom() + 6)
        plate.moveLeft(min(max(plate.left(), room.left()), room.right() - plate.width()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_DARK)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(_LIGHT)
        painter.drawText(plate.adjusted(8, 4, -8, -4), Qt.AlignmentFlag.AlignLeft, text)

"""Landmarks over the tissue: a ring with a cross and its number, told from every other mark by shape, not by colour."""

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.registration.landmarks import Spot
from her2viewer.gui.registration.state import Registration
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain

RADIUS = 9.0
"""Logical px of the ring; a mark is taken hold of within a little more than this."""
_GAP = 3.0
_DARK, _LIGHT = QColor(0, 0, 0, 190), QColor(255, 255, 255)


class LandmarkLayer:
    """Draws the landmarks of one pane while they are being set.

    A spot that the alignment expects elsewhere has a line to where it expects it; one that is missing in this image is a
    dotted ring at the place where it should be.
    """

    def __init__(self, registration: Callable[[], Registration]) -> None:
        self._registration = registration

    def paint(self, painter: QPainter, sight: Sight) -> None:
        registration = self._registration()
        if not registration.setting:
            return
        alignment, stain = registration.alignment, sight.stain
        for index, mark in enumerate(registration.landmarks.marks):
            chosen, number = index == registration.landmarks.chosen, str(index + 1)
            at, other = mark.at(stain), mark.at(stain.other)
            expected = _expected(alignment, stain, other)
            if at is None and expected is not None:
                _ring(painter, sight.to_screen(*expected), number, chosen=chosen, missing=True)
            elif at is not None:
                if expected is not None:
                    _line(painter, sight.to_screen(*at), sight.to_screen(*expected))
                _ring(painter, sight.to_screen(*at), number, chosen=chosen, missing=False)


def _expected(alignment: Alignment | None, stain: Stain, other: Spot | None) -> Spot | None:
    """Where the alignment puts the other image's spot in this one; level-0 px."""
    if alignment is None or other is None:
        return None
    placed = alignment.to_ihc([other]) if stain is Stain.IHC else alignment.to_he([other])
    return float(placed[0, 0]), float(placed[0, 1])


def _line(painter: QPainter, start: QPointF, end: QPointF) -> None:
    if math.hypot(end.x() - start.x(), end.y() - start.y()) < 1:
        return
    for width, colour in ((3.0, _DARK), (1.5, _LIGHT)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(start, end)


def _ring(painter: QPainter, at: QPointF, number: str, *, chosen: bool, missing: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for extra, colour in ((2.0, _DARK), (0.0, _LIGHT)):
        pen = QPen(colour, (2.5 if chosen else 1.5) + extra)
        if missing:
            pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.drawEllipse(at, RADIUS, RADIUS)
        if chosen:
            painter.drawEllipse(at, RADIUS + 4, RADIUS + 4)
        if not missing:
            painter.setPen(QPen(colour, 1.0 + extra))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(at + QPointF(_GAP * dx, _GAP * dy), at + QPointF(RADIUS * dx, RADIUS * dy))
    metrics = QFontMetricsF(painter.font())
    size = QRectF(0, 0, metrics.horizontalAdvance(number) + 8, metrics.height())
    plate = size.translated(at + QPointF(RADIUS + 6, -RADIUS - metrics.height() / 2))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_DARK)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(_LIGHT)
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, number)

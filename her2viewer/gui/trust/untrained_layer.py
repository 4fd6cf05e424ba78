"""A plate over the tissue while the panes show the map of an untrained network, so that nobody takes it for the model's."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.trust.resolve import UNTRAINED

_DARK, _LIGHT = QColor(0, 0, 0, 200), QColor(255, 255, 255)
_TOP: Final = 40


class UntrainedLayer:
    """Says whose map it is in the upper middle of each pane, below what else is said there."""

    def __init__(self, is_shown: Callable[[], bool]) -> None:
        self._is_shown = is_shown

    def paint(self, painter: QPainter, sight: Sight) -> None:
        if not self._is_shown():
            return
        metrics = QFontMetricsF(painter.font())
        width = painter.window().width()
        plate = QRectF(0, _TOP, metrics.horizontalAdvance(UNTRAINED) + 24, metrics.height() + 12)
        plate.moveLeft((width - plate.width()) / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_DARK)
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(_LIGHT)
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, UNTRAINED)

"""The line of the curtain: it lies over the tissue, is dragged, and takes no other mouse than its own."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

_WIDTH = 24
_DARK, _LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255)


class Divider(QWidget):
    """A child of the view it stands over. `dragged`: the share of the view's width at which it was let be, 0 to 1."""

    dragged = Signal(float)

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setAccessibleName("Curtain")
        self.hide()

    def stand_at(self, share: float) -> None:
        """Moves to a share of the width of the view."""
        view = self._view
        self.setGeometry(round(share * view.width() - _WIDTH / 2), 0, _WIDTH, view.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        view = self._view
        at = self.mapTo(view, event.position()).x()
        self.dragged.emit(min(max(at / max(view.width(), 1), 0.0), 1.0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, half = QPointF(_WIDTH / 2, self.height() / 2), QPointF(0, self.height() / 2)
        for width, colour in ((3.0, _DARK), (1.0, _LIGHT)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(middle - half, middle + half)
        painter.setPen(QPen(_LIGHT, 1))
        painter.setBrush(_DARK)
        painter.drawRoundedRect(QRectF(middle.x() - 10, middle.y() - 14, 20, 28), 4, 4)
        for side in (-1, 1):
            tip = middle + QPointF(6.0 * side, 0)
            painter.drawLine(tip, tip + QPointF(-3.0 * side, -4))
            painter.drawLine(tip, tip + QPointF(-3.0 * side, 4))

"""The legend of the score map: each score in its colour, with how many fields have it and which share that is."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.gui.fields.resolve import ShareShown
from her2viewer.gui.theme import score_colour

_ROW = 24
_NAME = 52
_FIGURE = 104


class ShareBars(QWidget):
    """A row a score: swatch, name, bar, count and share as text."""

    def __init__(self) -> None:
        super().__init__()
        self._shares: tuple[ShareShown, ...] = ()
        self._classes = 4
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Fields per score")

    def set_shares(self, shares: tuple[ShareShown, ...], classes: int) -> None:
        self._shares, self._classes = shares, classes
        self.setAccessibleDescription(", ".join(f"{one.name}: {figures(one)}" for one in shares))
        self.setVisible(bool(shares))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, len(self._shares) * _ROW)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink, track = (self.palette().color(role) for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Mid))
        width = self.width() - _NAME - _FIGURE - 8
        middle = Qt.AlignmentFlag.AlignVCenter
        for row, one in enumerate(self._shares):
            top = row * _ROW
            painter.setPen(Qt.PenStyle.NoPen)
            colour = score_colour(one.place, self._classes)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(0, top + 5, 14, 14), 2, 2)
            painter.setBrush(track)
            painter.drawRoundedRect(QRectF(_NAME, top + 8, width, 8), 2, 2)
            if one.share:
                painter.setBrush(colour)
                painter.drawRoundedRect(QRectF(_NAME, top + 8, max(width * one.share, 2.0), 8), 2, 2)
            painter.setPen(ink)
            painter.drawText(QRectF(22, top, _NAME - 22, _ROW), middle | Qt.AlignmentFlag.AlignLeft, one.name)
            place = QRectF(self.width() - _FIGURE, top, _FIGURE, _ROW)
            painter.drawText(place, middle | Qt.AlignmentFlag.AlignRight, figures(one))


def figures(one: ShareShown) -> str:
    """'312 (24%)'; the count alone where no field counts."""
    return f"{one.count:,} ({one.share:.0%})" if one.share is not None else f"{one.count:,}"

"""What the colours over the tissue mean."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from her2viewer.export.overlay import ColourMap, OverlayStyle, colour_table
from her2viewer.gui.panels.section import FactRows, quiet
from her2viewer.gui.resolve.map import LegendShown


def ramp(colour_map: ColourMap) -> QLinearGradient:
    """A colour map from left to right over a unit length."""
    gradient = QLinearGradient(0, 0, 1, 0)
    table = colour_table(colour_map)
    for step in range(0, 256, 5):
        gradient.setColorAt(step / 255, QColor(*(int(value) for value in table[step])))
    return gradient


def ramp_pixmap(colour_map: ColourMap, size: QSize) -> QPixmap:
    """A colour map as a small picture, for lists."""
    pixmap = QPixmap(size)
    painter = QPainter(pixmap)
    painter.scale(size.width(), size.height())
    painter.fillRect(QRectF(0, 0, 1, 1), ramp(colour_map))
    painter.end()
    return pixmap


class _Ramp(QWidget):
    """The colour map, with the part below the threshold left out as it is over the tissue."""

    def __init__(self) -> None:
        super().__init__()
        self._style = OverlayStyle()
        self._on = True
        self.setFixedHeight(16)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_style(self, style: OverlayStyle, on: bool) -> None:
        self._style, self._on = style, on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self._on:
            painter.save()
            painter.setClipRect(QRectF(self.width() * self._style.threshold, 0, self.width(), self.height()))
            painter.scale(self.width(), self.height())
            painter.fillRect(QRectF(0, 0, 1, 1), ramp(self._style.colour_map))
            painter.restore()
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid)))
        painter.drawRect(frame)


class Legend(QWidget):
    """The ramp with its ends, then class, method, grid and raw peaks, or in words why nothing is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Legend")
        self._ramp = _Ramp()
        self._low = quiet("0")
        self._high = QLabel()
        self._unit = quiet("")
        self._ends = QWidget()
        ends = QHBoxLayout(self._ends)
        ends.setContentsMargins(0, 0, 0, 0)
        ends.addWidget(self._low)
        ends.addStretch(1)
        ends.addWidget(self._unit)
        ends.addStretch(1)
        ends.addWidget(self._high)
        self._facts = FactRows()
        self._note = QLabel()
        self._note.setWordWrap(True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self._ramp, self._ends, self._facts, self._note):
            layout.addWidget(widget)

    def show_legend(self, shown: LegendShown, style: OverlayStyle) -> None:
        drawn = shown.top is not None
        self._ramp.setVisible(drawn)
        self._ends.setVisible(drawn)
        self._ramp.set_style(style, drawn)
        self._high.setText(f"{shown.top:.3g}" if shown.top is not None else "")
        self._unit.setText(shown.unit)
        self._facts.set_rows(shown.lines)
        self._note.setText(shown.note)
        self._note.setVisible(bool(shown.note))

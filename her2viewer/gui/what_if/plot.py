"""The probabilities of all scores along the strength of the DAB, stacked, with the borders between the scores."""

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.gui.theme import score_colour
from her2viewer.scoring.what_if import WhatIf

_ROW: Final = 16
"""Of text, above the bands (two rows) and below."""
_BANDS: Final = 112
_SIDE: Final = 12


class WhatIfPlot(QWidget):
    """Each score's band is as high as its probability. `chosen`: a factor was clicked, or dragged to."""

    chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._found: WhatIf | None = None
        self._factor = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(3 * _ROW + _BANDS)
        self.setAccessibleName("Probabilities over the strength of the DAB")
        self.setToolTip("Probability of each score (height of its band) over the DAB; click or drag to go there")
        self.setCursor(Qt.CursorShape.SizeHorCursor)

    def show_what_if(self, found: WhatIf | None, factor: float) -> None:
        self._found, self._factor = found, factor
        self.setAccessibleDescription(found.words if found is not None else "")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._found is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bands(painter, self._found)
        self._paint_borders(painter, self._found)
        self._paint_scale(painter, self._found)
        self._paint_factor(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event)

    def _choose(self, event: QMouseEvent) -> None:
        if self._found is None:
            return
        area = self._area()
        share = min(max((event.position().x() - area.left()) / area.width(), 0.0), 1.0)
        self.chosen.emit(share * float(self._found.factors[-1]))

    def _area(self) -> QRectF:
        return QRectF(_SIDE, 2 * _ROW, self.width() - 2 * _SIDE, _BANDS)

    def _x(self, factor: float) -> float:
        assert self._found is not None
        area = self._area()
        return area.left() + area.width() * factor / float(self._found.factors[-1])

    def _paint_bands(self, painter: QPainter, found: WhatIf) -> None:
        area, count = self._area(), len(found.classes)
        xs = [self._x(float(factor)) for factor in found.factors]
        edges = np.hstack([np.zeros((len(xs), 1)), found.probabilities.cumsum(axis=1)])
        ys = area.bottom() - area.height() * np.clip(edges, 0, 1)
        for index, name in enumerate(found.classes):
            lower = [QPointF(x, y) for x, y in zip(xs, ys[:, index].tolist(), strict=True)]
            upper = [QPointF(x, y) for x, y in zip(xs, ys[:, index + 1].tolist(), strict=True)]
            colour = score_colour(index, count)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([*lower, *reversed(upper)]))
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Window), 1))
            if index + 1 < count:
                painter.drawPolyline(QPolygonF(upper))
            self._paint_name(painter, name, _ink_on(colour), np.array(xs), ys[:, index + 1], ys[:, index])

    def _paint_name(
        self, painter: QPainter, name: str, ink: QColor, xs: np.ndarray, top: np.ndarray, bottom: np.ndarray
    ) -> None:
        """Where its band is highest, if it is high and wide enough there to hold it."""
        fine = np.linspace(xs[0], xs[-1], 128)
        above, below = np.interp(fine, xs, top), np.interp(fine, xs, bottom)
        high = below - above
        if (high >= _ROW).sum() * (fine[1] - fine[0]) < painter.fontMetrics().horizontalAdvance(name) + 8:
            return
        # The middle of where it is nearly as high as it gets: at the end of a plateau a name would look lost.
        places = np.flatnonzero(high >= 0.97 * high.max())
        best = int(places[len(places) // 2])
        painter.setPen(ink)
        middle = float(above[best] + below[best]) / 2
        painter.drawText(QRectF(fine[best] - 24, middle - _ROW / 2, 48, _ROW), Qt.AlignmentFlag.AlignCenter, name)

    def _paint_borders(self, painter: QPainter, found: WhatIf) -> None:
        area, ink = self._area(), self.palette().color(QPalette.ColorRole.WindowText)
        right = [-1e9, -1e9]
        for border in found.borders:
            x = self._x(border.factor)
            painter.setPen(QPen(ink, 1, Qt.PenStyle.DashLine))
            text = f"{border.factor:.2f}"
            width = painter.fontMetrics().horizontalAdvance(text)
            left = min(max(x - width / 2, 0.0), self.width() - width)
            row = 1 if left > right[1] + 6 else 0
            painter.drawLine(QPointF(x, area.top() - (1 - row) * _ROW), QPointF(x, area.bottom()))
            if left <= right[row] + 6:
                continue  # a third border in one place is drawn without its figure; the words have it
            right[row] = left + width
            painter.setPen(ink)
            painter.fillRect(QRectF(left - 2, row * _ROW, width + 4, _ROW - 1), self._ground())
            painter.drawText(QRectF(left, row * _ROW, width + 1, _ROW - 2), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_scale(self, painter: QPainter, found: WhatIf) -> None:
        area = self._area()
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        for whole in range(int(found.factors[-1]) + 1):
            x = self._x(whole)
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
            text = "as it is" if whole == 1 else f"{whole}x"
            painter.drawText(QRectF(x - 32, area.bottom() + 2, 64, _ROW - 2), Qt.AlignmentFlag.AlignCenter, text)

    def _paint_factor(self, painter: QPainter) -> None:
        area, x = self._area(), self._x(self._factor)
        for width, role in ((4, QPalette.ColorRole.Window), (2, QPalette.ColorRole.WindowText)):
            painter.setPen(QPen(self.palette().color(role), width))
            painter.drawLine(QPointF(x, area.top() - 2), QPointF(x, area.bottom() + 2))

    def _ground(self) -> QColor:
        return self.palette().color(QPalette.ColorRole.Midlight)


def _ink_on(colour: QColor) -> QColor:
    """Black or white, whichever is read better on a colour (WCAG 2 relative luminance)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return QColor("black") if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else QColor("white")

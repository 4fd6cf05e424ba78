"""The reliability diagram: how often a score was right where its probability was so and so."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.scoring.package import Reliability

_LEFT: Final = 56
_BOTTOM: Final = 44
_TOP: Final = 8
_COUNTS: Final = 56
_GAP: Final = 16
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


class ReliabilityPlot(QWidget):
    """A point a bin with its 95% interval, the line of perfect calibration, and beneath it how many fields a bin holds."""

    def __init__(self, reliability: Reliability) -> None:
        super().__init__()
        self._reliability = reliability
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(480)
        self.setAccessibleName(f"Reliability on {reliability.dataset}")
        lines = [
            f"{one.low:.0%} to {one.high:.0%}: {one.exact:.0%} right ({one.exact_low:.0%} to {one.exact_high:.0%}), "
            f"{one.fields} fields"
            for one in reliability.bins
        ]
        self.setAccessibleDescription("; ".join(lines))
        self.setToolTip("\n".join(lines))

    def sizeHint(self) -> QSize:
        return QSize(400, 360)

    def minimumSizeHint(self) -> QSize:
        return QSize(280, 360)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() - _LEFT - 24
        counts = QRectF(_LEFT, self.height() - _BOTTOM - _COUNTS, width, _COUNTS)
        area = QRectF(_LEFT, _TOP, width, counts.top() - _GAP - _TOP)
        self._paint_frame(painter, area, counts)
        self._paint_bins(painter, area)
        self._paint_counts(painter, counts)

    def _paint_frame(self, painter: QPainter, area: QRectF, counts: QRectF) -> None:
        line = self.palette().color(QPalette.ColorRole.Mid)
        ink = self.palette().color(QPalette.ColorRole.PlaceholderText)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for tick in _TICKS:
            x, y = area.left() + tick * area.width(), area.bottom() - tick * area.height()
            painter.setPen(QPen(line, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(ink)
            painter.drawText(QRectF(0, y - 9, _LEFT - 8, 18), right, f"{tick:.0%}")
            painter.drawText(QRectF(x - 32, counts.bottom() + 2, 64, 18), Qt.AlignmentFlag.AlignCenter, f"{tick:.0%}")
        painter.drawText(
            QRectF(_LEFT, counts.bottom() + 20, area.width(), 20),
            Qt.AlignmentFlag.AlignCenter,
            "probability of the score that was given",
        )
        painter.save()
        painter.translate(10, area.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-90, -10, 180, 20), Qt.AlignmentFlag.AlignCenter, "scored as labelled")
        painter.restore()
        painter.setPen(QPen(ink, 1, Qt.PenStyle.DashLine))
        painter.drawLine(area.bottomLeft(), area.topRight())

    def _paint_bins(self, painter: QPainter, area: QRectF) -> None:
        accent = self.palette().color(QPalette.ColorRole.Highlight)

        def at(confidence: float, exact: float) -> QPointF:
            return QPointF(area.left() + confidence * area.width(), area.bottom() - exact * area.height())

        bins = self._reliability.bins
        painter.setPen(QPen(accent, 2))
        painter.drawPolyline([at(one.confidence, one.exact) for one in bins])
        for one in bins:
            painter.setPen(QPen(accent, 1))
            low, high = at(one.confidence, one.exact_low), at(one.confidence, one.exact_high)
            painter.drawLine(low, high)
            for end in (low, high):
                painter.drawLine(end - QPointF(3, 0), end + QPointF(3, 0))
            painter.setBrush(accent)
            painter.drawEllipse(at(one.confidence, one.exact), 4, 4)

    def _paint_counts(self, painter: QPainter, area: QRectF) -> None:
        most = max((one.fields for one in self._reliability.bins), default=1)
        ink = self.palette().color(QPalette.ColorRole.PlaceholderText)
        room = area.height() - 16
        for one in self._reliability.bins:
            left, right = (area.left() + end * area.width() for end in (one.low, one.high))
            high = max(room * one.fields / most, 1.0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(QPalette.ColorRole.Mid))
            painter.drawRect(QRectF(left + 1, area.bottom() - high, right - left - 2, high))
            painter.setPen(ink)
            spot = QRectF(left - 8, area.bottom() - high - 16, right - left + 16, 16)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, f"{one.fields:,}")
        painter.setPen(ink)
        painter.drawText(
            QRectF(0, area.top(), _LEFT - 8, area.height()),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            "fields",
        )

"""The shares of cells of each grade as bars, which are the legend of the cells over the tissue as well."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.gui.membranes.grades import LOOKS
from her2viewer.gui.membranes.resolve import GradeRow
from her2viewer.scoring.membrane.rule import ENOUGH

_ROW: Final = 32
_TEXT: Final = 18
_SAMPLE: Final = 32
"""Logical pixels of a line's sample, and of the gap after it."""
_GAP: Final = 8


class GradeBars(QWidget):
    """Per grade: a sample of its line, its name, its cells, and a bar with a mark at the tenth that the rule asks for."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[GradeRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Cells of each grade")
        self.setToolTip(
            "Share of cells of each grade, and how its cells are drawn over the tissue.\n"
            f"The mark on each bar is at {ENOUGH:.0%}: the ASCO/CAP rule asks for more than a tenth of the tumour cells."
        )

    def show_rows(self, rows: tuple[GradeRow, ...]) -> None:
        self._rows = rows
        self.setAccessibleDescription(", ".join(f"{LOOKS[row.grade].name} {_figures(row)}" for row in rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, _ROW * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink, track = (self.palette().color(role) for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Mid))
        middle = Qt.AlignmentFlag.AlignVCenter
        left = _SAMPLE + _GAP
        for index, row in enumerate(self._rows):
            top, look = index * _ROW, LOOKS[row.grade]
            look.draw_sample(painter, QPointF(0, top + _TEXT / 2), QPointF(_SAMPLE, top + _TEXT / 2))
            painter.setPen(ink)
            text = QRectF(left, top, self.width() - left, _TEXT)
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignLeft, look.name)
            painter.drawText(text, middle | Qt.AlignmentFlag.AlignRight, _figures(row))
            bar = QRectF(left, top + _TEXT + 2, self.width() - left, 6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(track)
            painter.drawRoundedRect(bar, 2, 2)
            painter.setBrush(QColor(look.colour))
            if row.count:
                painter.drawRoundedRect(
                    QRectF(bar.topLeft(), bar.bottomRight()).adjusted(0, 0, -bar.width() * (1 - row.share), 0), 2, 2
                )
            tenth = bar.left() + ENOUGH * bar.width()
            painter.setPen(QPen(ink, 1))
            painter.drawLine(QPointF(tenth, bar.top() - 2), QPointF(tenth, bar.bottom() + 2))


def _figures(row: GradeRow) -> str:
    return f"{row.share:.0%} ({row.count:,})"

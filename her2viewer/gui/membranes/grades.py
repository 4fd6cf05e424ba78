"""How a cell's grade is named and drawn: by colour and by the kind of its line, so that colour is never the only sign."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from her2viewer.gui.theme import score_colour
from her2viewer.scoring.membrane.rule import Grade

_THIN: Final = ((0.0, 0.0),)
_BROAD: Final = ((-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5))
_BROADER: Final = ((-0.75, 0.0), (0.75, 0.0), (0.0, -0.75), (0.0, 0.75))
"""Where a line of one pixel is drawn to make a broader one, logical pixels: a broad pen takes forty times as long."""


@dataclass(frozen=True, slots=True)
class GradeLook:
    """`name`: for who reads; `colour`: that of the score that such cells make.

    `dash`: logical pixels drawn and left out by turns, empty for a solid line; `strokes`: see `_BROAD`.
    """

    name: str
    colour: str
    dash: tuple[float, ...] = ()
    strokes: tuple[tuple[float, float], ...] = _THIN

    def stroke(self, painter: QPainter, path: QPainterPath, to_screen: QTransform, *, small: bool) -> None:
        """Draws a path of level-0 px. small: for cells of a few pixels, which broad lines would cover."""
        whole = painter.transform()
        pen = QPen(QColor(self.colour), 1.0)
        pen.setCosmetic(True)
        if self.dash:
            pen.setDashPattern([0.6 * length for length in self.dash] if small else list(self.dash))
        for dx, dy in self.strokes[:2] if small and not self.dash else _THIN if small else self.strokes:
            painter.setTransform(to_screen * QTransform.fromTranslate(dx, dy) * whole)
            painter.strokePath(path, pen)
        painter.setTransform(whole)

    def draw_sample(self, painter: QPainter, start: QPointF, end: QPointF) -> None:
        """A stretch of the line, for a legend."""
        width = 1.0 if self.strokes is _THIN else 2.0 if self.strokes is _BROAD else 2.5
        pen = QPen(QColor(self.colour), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if self.dash:
            pen.setDashPattern([length / width for length in self.dash])
        painter.setPen(pen)
        painter.drawLine(start, end)


def _colour(grade: Grade) -> str:
    return score_colour(grade, len(Grade)).name()


LOOKS: Final = {
    Grade.NONE: GradeLook("Not stained", _colour(Grade.NONE)),
    Grade.FAINT_INCOMPLETE: GradeLook("Faint, incomplete", _colour(Grade.FAINT_INCOMPLETE), (2.0, 4.0), _BROAD),
    Grade.WEAK_TO_MODERATE: GradeLook("Weak to moderate", _colour(Grade.WEAK_TO_MODERATE), (8.0, 4.0), _BROAD),
    Grade.INTENSE_COMPLETE: GradeLook("Intense, complete", _colour(Grade.INTENSE_COMPLETE), (), _BROADER),
}

"""How a cell's grade is named and drawn: by colour and by the kind of its line, so that colour is never the only sign."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from her2viewer.gui.theme import score_colour
from her2viewer.scoring.membrane.rule import Grade

_LINE: Final = Qt.PenStyle


@dataclass(frozen=True, slots=True)
class GradeLook:
    """`name`: for who reads; `colour`: that of the score that such cells make; `line`, `width`: logical pixels on screen."""

    name: str
    colour: str
    line: Qt.PenStyle
    width: float

    def pen(self, scale: float = 1.0) -> QPen:
        """For lines that are as wide at every zoom."""
        pen = QPen(QColor(self.colour), self.width * scale, self.line)
        pen.setCosmetic(True)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        return pen


def _colour(grade: Grade) -> str:
    return score_colour(grade, len(Grade)).name()


LOOKS: Final = {
    Grade.NONE: GradeLook("Not stained", _colour(Grade.NONE), _LINE.SolidLine, 1.0),
    Grade.FAINT_INCOMPLETE: GradeLook("Faint, incomplete", _colour(Grade.FAINT_INCOMPLETE), _LINE.DotLine, 2.0),
    Grade.WEAK_TO_MODERATE: GradeLook("Weak to moderate", _colour(Grade.WEAK_TO_MODERATE), _LINE.DashLine, 2.0),
    Grade.INTENSE_COMPLETE: GradeLook("Intense, complete", _colour(Grade.INTENSE_COMPLETE), _LINE.SolidLine, 2.5),
}

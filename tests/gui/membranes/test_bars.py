"""The bars as they are drawn: as long as their shares, with the rule's mark, and lines told apart without colour."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QTransform
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from her2viewer.gui.membranes.bars import GradeBars
from her2viewer.gui.membranes.grades import LOOKS
from her2viewer.gui.membranes.resolve import GradeRow
from her2viewer.scoring.membrane.rule import Grade

from ..test_pane import pixels_of

ROWS = (
    GradeRow(Grade.INTENSE_COMPLETE, 50, 0.5),
    GradeRow(Grade.WEAK_TO_MODERATE, 0, 0.0),
    GradeRow(Grade.FAINT_INCOMPLETE, 25, 0.25),
    GradeRow(Grade.NONE, 25, 0.25),
)


def like(picture: np.ndarray, colour: str) -> np.ndarray:
    wanted = QColor(colour)
    return np.abs(picture.astype(int) - (wanted.red(), wanted.green(), wanted.blue())).max(axis=2) < 4


def test_bars_are_as_long_as_their_shares_and_say_so(qtbot: QtBot) -> None:
    bars = GradeBars()
    qtbot.addWidget(bars)
    bars.show_rows(ROWS)
    bars.resize(280, bars.sizeHint().height())
    picture = pixels_of(bars.grab().toImage())
    for index, row in enumerate(ROWS):
        bar = like(picture[index * 32 + 20 : index * 32 + 26, 40:], LOOKS[row.grade].colour).any(axis=0)
        # The mark at a tenth lies over the bar and takes two pixels of it.
        assert bar.sum() == pytest.approx(row.share * 240, abs=4)
    assert bars.accessibleDescription().startswith("Intense, complete 50% (50), Weak to moderate 0% (0)")


def test_without_rows_nothing_stands_there(qtbot: QtBot) -> None:
    bars = GradeBars()
    qtbot.addWidget(bars)
    bars.show_rows(ROWS)
    bars.show_rows(())
    assert bars.sizeHint().height() == 0 and bars.accessibleDescription() == ""
    assert isinstance(bars, QWidget)


@pytest.mark.parametrize("small", [False, True])
def test_the_lines_of_grades_differ_in_ink_even_where_colour_is_not_seen(small: bool) -> None:
    drawn = {grade: stroked(grade, small=small) for grade in Grade}
    # Along the line: solid ones have no gap, the dashed one longer runs than the dotted one.
    gaps = {grade: int((~row).sum()) for grade, row in drawn.items()}
    assert gaps[Grade.NONE] == gaps[Grade.INTENSE_COMPLETE] == 0
    assert 0 < longest(drawn[Grade.FAINT_INCOMPLETE]) < longest(drawn[Grade.WEAK_TO_MODERATE]) < 40
    assert thick(Grade.INTENSE_COMPLETE, small=small) > thick(Grade.NONE, small=small)


def line(grade: Grade, *, small: bool) -> np.ndarray:
    """(h, w) how dark: a level stretch of a grade's line on white, all grades in black."""
    image = QImage(240, 16, QImage.Format.Format_RGB888)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    path = QPainterPath(QPointF(0, 8))
    path.lineTo(240, 8)
    look = LOOKS[grade]
    black = type(look)(look.name, "#000000", look.dash, look.strokes)
    black.stroke(painter, path, QTransform(), small=small)
    painter.end()
    return 255 - pixels_of(image).astype(int).mean(axis=2)


def stroked(grade: Grade, *, small: bool) -> np.ndarray:
    return line(grade, small=small)[:, 4:-4].sum(axis=0) > 90


def thick(grade: Grade, *, small: bool) -> float:
    return float(line(grade, small=small)[:, 4:-4].sum(axis=0).mean())


def longest(row: np.ndarray) -> int:
    runs = "".join("x" if on else " " for on in row).split()
    return max(map(len, runs), default=0)

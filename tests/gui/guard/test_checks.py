"""The checks beneath the score of a real window."""

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.guard.checks import ChecksView
from her2viewer.gui.guard.resolve import CheckRow, ChecksShown

from .test_resolve import BLURRED, SHARP, SWAPPED, examined


def test_they_come_with_a_score_and_go_with_it(app: App) -> None:
    view = app.window.score_panel.checks
    assert view.isHidden()
    app.store.change(scoring=examined(SHARP, BLURRED).scoring)
    assert view.isVisible() and view.fold.heading.text() == "1 of 2 checks failed"
    assert not view._rows[0][1].isVisible(), "listed only when asked for"
    view.fold.heading.click()
    titles = [title.text() for _, title, _ in view._rows]
    assert titles == ["Failed: sharpness of the H&E image", "Sharpness of the H&E image"]
    assert [icon.accessibleName() for icon, _, _ in view._rows] == ["failed", "passed"]
    app.store.put(app.store.state.unscored())
    assert view.isHidden()


def test_swapped_stains_can_be_swapped_back_with_a_click(app: App) -> None:
    app.store.change(scoring=examined(SWAPPED).scoring)
    panel = app.window.score_panel
    assert panel._swap.isVisible() and panel._against.text().startswith("Swap them.")
    assert panel._score.text() == "No call"


def test_fewer_checks_leave_no_row_behind(qtbot: QtBot) -> None:
    view = ChecksView()
    qtbot.addWidget(view)
    row = CheckRow(True, "Sharpness", "1, passes with at least 0", "")
    view.show_checks(ChecksShown("All 3 checks passed", (row, row, row)))
    view.fold.set_open(True)
    view.show()
    view.show_checks(ChecksShown("All 1 check passed", (row,)))
    assert [label.isVisible() for _, label, _ in view._rows] == [True, False, False]
    assert all(isinstance(label, QLabel) for label in view._rows[0])

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from her2viewer.gui.panels.fold import Fold


def test_a_click_on_the_heading_hides_the_body_and_brings_it_back(qtbot: QtBot) -> None:
    inside, beside = QLabel("inside"), QLabel("beside")
    fold = Fold("Section", beside)
    fold.body.addWidget(inside)
    qtbot.addWidget(fold)
    fold.show()
    assert inside.isVisible() and fold.heading.accessibleName() == "Section, open"
    fold.heading.click()
    assert not inside.isVisible() and beside.isVisible() and not fold.is_open
    assert fold.heading.accessibleName() == "Section, folded" and fold.heading.toolTip() == "Open: Section"
    fold.heading.click()
    assert inside.isVisible()


def test_a_fold_may_begin_closed_and_be_named_later(qtbot: QtBot) -> None:
    fold = Fold("", small=True, is_open=False)
    qtbot.addWidget(fold)
    fold.set_title("All 3 checks passed")
    assert fold.heading.text() == "All 3 checks passed" and not fold.is_open
    assert fold.heading.accessibleName() == "All 3 checks passed, folded"

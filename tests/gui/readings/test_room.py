"""The reader's own score in the real window: by keys, beside the model's, taken back, with reason, tags and notes."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.readings.resolve import resolve_reading

from ..conftest import opened
from .conftest import read, scored, settled, shown

Key = Qt.Key
Ctrl = Qt.KeyboardModifier.ControlModifier


def words(app: App) -> str:
    return resolve_reading(app.store.state).words


def model(app: App) -> str:
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    return evidence.prediction.score


def other_than(score: str) -> str:
    return "0" if score != "0" else "1+"


def test_a_score_by_a_key(open_app: App, qtbot: QtBot) -> None:
    panel = open_app.window.reading_panel
    assert not panel.reason.isVisible() and "6 to 9" in words(open_app)
    qtbot.keyClick(open_app.window, Key.Key_8)
    qtbot.waitUntil(lambda: panel.buttons["2+"].isChecked())
    settled(open_app, qtbot)
    assert words(open_app).startswith("The model has not scored this case. Read in ")
    assert panel.reason.isVisible()
    qtbot.keyClick(open_app.window, Key.Key_5)
    qtbot.waitUntil(lambda: panel.buttons["not assessable"].isChecked())
    assert not panel.buttons["2+"].isChecked()


def test_agreed_and_overridden_after_the_model_was_seen(open_app: App, qtbot: QtBot) -> None:
    scored(open_app, qtbot)
    read(open_app, qtbot, model(open_app))
    assert words(open_app).startswith(f"The model agrees: {model(open_app)}. You had seen it.")
    read(open_app, qtbot, other_than(model(open_app)))
    assert words(open_app).startswith(f"Overridden: the model says {model(open_app)}")


def test_read_first_and_scored_after_is_blind(open_app: App, qtbot: QtBot) -> None:
    read(open_app, qtbot, "0")
    scored(open_app, qtbot)
    qtbot.waitUntil(lambda: "You scored first" in words(open_app))


def test_a_reason_leaves_the_reading_as_it_is(open_app: App, qtbot: QtBot) -> None:
    read(open_app, qtbot, "0")
    scored(open_app, qtbot)
    panel = open_app.window.reading_panel
    panel.reason.setFocus()
    qtbot.keyClicks(panel.reason, "faint, under 10%")
    qtbot.keyClick(panel.reason, Key.Key_Return)
    qtbot.waitUntil(lambda: open_app.store.state.readings.reading.reason == "faint, under 10%")
    settled(open_app, qtbot)
    assert "You scored first" in words(open_app), "a reason is no second reading"


def test_undo_goes_through_readings_tags_and_fields_in_their_order(open_app: App, qtbot: QtBot) -> None:
    from her2viewer.cases.shape import Shape

    app, panel = open_app, open_app.window.reading_panel
    read(app, qtbot, "1+")
    app.fields.editor.add(Shape.rectangle(10, 10, 50, 50))
    qtbot.keyClick(app.window, Key.Key_T, Ctrl)
    assert panel.tags.hasFocus()
    qtbot.keyClicks(panel.tags, "study A, breast")
    qtbot.keyClick(panel.tags, Key.Key_Return)
    qtbot.waitUntil(lambda: app.store.state.readings.case.tags == ("breast", "study A"))
    settled(app, qtbot)
    app.window.body.setFocus()
    assert app.window.actions_[Id.UNDO].text() == "Undo change the tags"
    app.window.actions_[Id.UNDO].trigger()
    qtbot.waitUntil(lambda: app.store.state.readings.case.tags == ())
    assert len(app.store.state.fields.annotations) == 1
    app.window.actions_[Id.UNDO].trigger()
    assert not app.store.state.fields.annotations
    settled(app, qtbot)
    assert app.window.actions_[Id.UNDO].text() == "Undo read as 1+"
    app.window.actions_[Id.UNDO].trigger()
    qtbot.waitUntil(lambda: app.store.state.readings.reading is None)
    settled(app, qtbot)
    assert not app.window.actions_[Id.UNDO].isEnabled()
    for _ in range(3):
        app.window.actions_[Id.REDO].trigger()
        settled(app, qtbot)
    qtbot.waitUntil(lambda: app.store.state.readings.case.tags == ("breast", "study A"))
    assert app.store.state.readings.reading.score == "1+" and len(app.store.state.fields.annotations) == 1


def test_a_reading_taken_back_from_the_next_case_names_its_own(
    open_app: App, qtbot: QtBot, other_pair: tuple[Path, Path]
) -> None:
    read(open_app, qtbot, "3+")
    shown(open_app, qtbot, other_pair)
    open_app.window.actions_[Id.UNDO].trigger()
    qtbot.waitUntil(lambda: "00001_train_2+" in open_app.window.messages.text)
    assert open_app.window.messages.text == "Taken back in 00001_train_2+: read as 3+."
    assert open_app.store.state.readings.reading is None


def test_notes_are_kept_when_the_typing_pauses_and_when_the_page_is_turned(
    open_app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    app, panel = open_app, open_app.window.reading_panel
    app.window.actions_[Id.EDIT_NOTES].trigger()
    assert panel.notes.hasFocus() and panel.fold.is_open
    qtbot.keyClicks(panel.notes, "Crushed at the edge.")
    qtbot.waitUntil(lambda: app.store.state.readings.case.notes == "Crushed at the edge.")
    qtbot.keyClicks(panel.notes, " Ask for a recut.")
    opened(app, qtbot, other_pair)
    assert panel.notes.toPlainText() == ""
    shown(app, qtbot, pair)
    assert panel.notes.toPlainText() == "Crushed at the edge. Ask for a recut."
    assert panel.fold._title == "Tags and notes: notes"


def test_digits_typed_into_notes_give_no_score(open_app: App, qtbot: QtBot) -> None:
    open_app.window.actions_[Id.EDIT_NOTES].trigger()
    qtbot.keyClicks(open_app.window.reading_panel.notes, "60% weak")
    settled(open_app, qtbot)
    assert open_app.window.reading_panel.notes.toPlainText() == "60% weak"
    assert open_app.store.state.readings.reading is None


def test_one_hand_reads_a_folder(open_app: App, qtbot: QtBot, folder: Path) -> None:
    app = open_app
    app.cases.open_folder(folder)
    qtbot.waitUntil(lambda: len(app.store.state.cases.pairs) == 5)
    app.window.panes[next(iter(app.window.panes))].view.setFocus()
    given = []
    for key, score in ((Key.Key_6, "0"), (Key.Key_7, "1+"), (Key.Key_9, "3+")):
        before = app.store.state.pair
        qtbot.keyClick(app.window.focusWidget(), Key.Key_J)
        qtbot.waitUntil(lambda before=before: app.store.state.pair != before)
        qtbot.waitUntil(lambda: app.store.state.readings.case is not None)
        qtbot.keyClick(app.window.focusWidget(), key)
        qtbot.waitUntil(lambda: app.store.state.readings.reading is not None)
        given.append(score)
    settled(app, qtbot)
    from her2viewer.gui.cases.shown import resolve_cases

    states = [row.state for row in resolve_cases(app.store.state).rows]
    assert [state.rpartition("you ")[2] for state in states[1:4]] == given

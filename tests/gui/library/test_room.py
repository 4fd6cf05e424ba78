"""The case library behind the real window: what comes back after a restart or a kill, moved files, recent cases, damage."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.cases.library.library import Library
from her2viewer.cases.shape import Shape
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.cases.shown import resolve_cases
from her2viewer.gui.readings.state import LibraryPhase
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.imaging.affine import Affine

from ..conftest import AppMaker, opened
from ..readings.conftest import known, read, scored, settled, shown

Key = Qt.Key


def started(make_app: AppMaker, qtbot: QtBot) -> App:
    app = make_app()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    qtbot.waitUntil(lambda: app.store.state.readings.phase is LibraryPhase.OPEN)
    return app


def work(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> str:
    """A reader's work on a pair: aligned by hand, scored, read, a field drawn and scored, tags and notes. The model's score."""
    shown(app, qtbot, pair)
    app.registration.controller.align_by_hand(Affine(1, 0, 7, 0, 1, -3))
    scored(app, qtbot)
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    read(app, qtbot, "2+")
    app.fields.editor.add(Shape.rectangle(20, 20, 90, 60), "Hot spot")
    app.fields.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.key is not None and app.store.state.scoring.evidence is not None)
    panel = app.window.reading_panel
    panel.edit_tags()
    qtbot.keyClicks(panel.tags, "cohort A")
    qtbot.keyClick(panel.tags, Key.Key_Return)
    panel.edit_notes()
    qtbot.keyClicks(panel.notes, "Edge artefact.")
    qtbot.waitUntil(lambda: app.store.state.readings.case.notes == "Edge artefact.")
    settled(app, qtbot)
    return evidence.prediction.score


def is_back(app: App, qtbot: QtBot, score: str) -> None:
    """All of `work` stands again."""
    state = app.store.state
    qtbot.waitUntil(lambda: len(app.store.state.fields.annotations) == 1)
    (field,) = app.store.state.fields.annotations.values()
    assert field.title == "Hot spot" and field.score is not None
    assert state.registration.alignment.he_to_ihc == Affine(1, 0, 7, 0, 1, -3)
    assert state.registration.alignment.origin == "by hand"
    assert state.readings.reading.score == "2+" and state.readings.prediction.score == score
    panel = app.window.reading_panel
    assert panel.buttons["2+"].isChecked()
    assert panel.tags.text() == "cohort A" and panel.notes.toPlainText() == "Edge artefact."
    assert score in app.window.score_panel._text.text() and "Press S" in app.window.score_panel._text.text()


def test_everything_is_back_after_a_restart(make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    app = started(make_app, qtbot)
    score = work(app, qtbot, pair)
    app.window.close()
    again = started(make_app, qtbot)
    shown(again, qtbot, pair)
    is_back(again, qtbot, score)
    scored(again, qtbot)
    assert again.store.state.scoring.phase is ScorePhase.SCORED


def test_everything_is_back_after_a_kill(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], settings: Settings
) -> None:
    """The first window is never closed: the second finds what was on the disk a moment after the last change."""
    app = started(make_app, qtbot)
    score = work(app, qtbot, pair)
    killed = settings.library_file.parent
    copy = killed.with_name("copied")
    shutil.copytree(killed, copy)  # the file, its write-ahead log and the log of actions, as a crash leaves them
    app.window.close()
    shutil.rmtree(killed)
    copy.rename(killed)
    again = started(make_app, qtbot)
    shown(again, qtbot, pair)
    is_back(again, qtbot, score)


def test_what_is_typed_at_the_last_moment_is_kept(make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    app = started(make_app, qtbot)
    shown(app, qtbot, pair)
    app.window.reading_panel.edit_notes()
    qtbot.keyClicks(app.window.reading_panel.notes, "No pause after this")
    app.registration.controller.align_by_hand(Affine(1, 0, 1, 0, 1, 0))
    app.fields.editor.add(Shape.rectangle(0, 0, 40, 40))
    app.window.close()
    again = started(make_app, qtbot)
    shown(again, qtbot, pair)
    assert again.window.reading_panel.notes.toPlainText() == "No pause after this"
    assert again.store.state.registration.alignment.origin == "by hand"
    assert len(again.store.state.fields.annotations) == 1


def test_moved_files_are_asked_for_and_nothing_is_lost(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    app = started(make_app, qtbot)
    score = work(app, qtbot, pair)
    app.window.close()
    moved = tuple(tmp_path / "archive" / stain / path.name for stain, path in zip(("HE", "IHC"), pair, strict=True))
    for old, new in zip(pair, moved, strict=True):
        new.parent.mkdir(parents=True)
        old.rename(new)
    again = started(make_app, qtbot)
    qtbot.waitUntil(lambda: len(again.store.state.readings.known) == 1)
    again.library.list_recent()
    qtbot.waitUntil(lambda: len(again.store.state.cases.pairs) == 1)
    qtbot.keyClick(again.window, Key.Key_J)
    qtbot.waitUntil(lambda: "say where to find the files" in again.window.messages.text)
    assert again.window.messages.text.startswith("The images of 00001_train_2+ are not where they were.")
    (found,) = again.store.state.readings.known.values()
    again.library.relink(found.case, [pair[0].parent.parent.parent / "HE" / "nothing.png"])
    qtbot.waitUntil(lambda: "cannot be read" in again.window.messages.text)
    again.library.relink(found.case, moved[::-1])
    qtbot.waitUntil(lambda: tuple(image.source.path for image in again.store.state.pair or ()) == moved)
    known(again, qtbot)
    is_back(again, qtbot, score)


def test_a_foreign_file_is_no_image_of_the_case(
    open_app: App, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    settled(open_app, qtbot)
    (found,) = open_app.store.state.readings.known.values()
    open_app.library.relink(found.case, [other_pair[0]])
    qtbot.waitUntil(lambda: "its bytes are others" in open_app.window.messages.text)


def test_a_moved_pair_opened_by_hand_is_the_same_case(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    app = started(make_app, qtbot)
    score = work(app, qtbot, pair)
    new = tmp_path / "elsewhere_HE.png", tmp_path / "elsewhere_IHC.png"
    for old, path in zip(pair, new, strict=True):
        shutil.copy(old, path)
    shown(app, qtbot, new)
    is_back(app, qtbot, score)


def test_swapped_stains_take_nothing_with_them(open_app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    app = open_app
    app.registration.controller.align_by_hand(Affine(1, 0, 7, 0, 1, -3))
    settled(app, qtbot)
    app.images.swap()
    known(app, qtbot)
    scored(app, qtbot)
    app.registration.controller.align_by_hand(Affine(1, 0, 99, 0, 1, 99))
    settled(app, qtbot)
    shown(app, qtbot, pair)
    assert app.store.state.registration.alignment.he_to_ihc == Affine(1, 0, 7, 0, 1, -3)
    assert app.store.state.readings.prediction is None, "a score of the swapped stains is none of the case"


def test_recent_cases_are_found_by_tags_and_notes(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    app = started(make_app, qtbot)
    work(app, qtbot, pair)
    shown(app, qtbot, other_pair)
    app.window.close()
    again = started(make_app, qtbot)
    qtbot.waitUntil(lambda: len(again.store.state.readings.known) == 2)
    search = again.window.command_search
    search.open_over(again.window)
    qtbot.keyClicks(search.line, "cohort edge")
    assert [search.list.item(row).text() for row in range(search.list.count())] == ["Kept case 00001_train_2+"]
    qtbot.keyClick(search.line, Key.Key_Return)
    qtbot.waitUntil(lambda: tuple(image.source.path for image in again.store.state.pair or ()) == pair)
    known(again, qtbot)
    again.window.actions_[Id.RECENT_CASES].trigger()
    qtbot.waitUntil(lambda: len(again.store.state.cases.pairs) == 2)
    again.cases.panel.filter.setText("cohort")
    rows = resolve_cases(again.store.state).rows
    assert [row.name for row in rows] == ["00001_train_2+"] and "you 2+" in rows[0].state


def test_recent_cases_of_an_empty_library_are_said(make_app: AppMaker, qtbot: QtBot) -> None:
    app = started(make_app, qtbot)
    app.window.actions_[Id.RECENT_CASES].trigger()
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("No case is kept yet"))


@pytest.mark.parametrize("blind", [False, True])
def test_a_library_that_cannot_be_opened_leaves_the_window_usable(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], settings: Settings, blind: bool
) -> None:
    settings.library_file.parent.mkdir(parents=True)
    settings.library_file.write_bytes(b"no library at all" * 100)
    settings.blind_first = blind
    app = make_app()
    qtbot.waitUntil(lambda: app.store.state.readings.phase is LibraryPhase.FAILED)
    assert "no reading is kept" in app.window.messages.text
    opened(app, qtbot, pair)
    panel = app.window.reading_panel
    assert not panel.buttons["0"].isEnabled() and "No reading can be kept" in panel._words.text()
    assert app.window.messages._remedy.text() == "Set it aside"
    assert not app.readings.sign.isVisible(), "nothing is hidden that could not be revealed"
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    app.fields.editor.add(Shape.rectangle(0, 0, 40, 40))
    app.window.close()
    assert settings.library_file.read_bytes().startswith(b"no library"), "what is broken is left as it is"
    again = make_app()
    opened(again, qtbot, pair)
    qtbot.waitUntil(lambda: len(again.store.state.fields.annotations) == 1)


def test_a_damaged_library_is_set_aside(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], settings: Settings
) -> None:
    settings.library_file.parent.mkdir(parents=True)
    settings.library_file.write_bytes(b"no library at all" * 100)
    app = make_app()
    qtbot.waitUntil(lambda: app.store.state.readings.phase is LibraryPhase.FAILED)
    opened(app, qtbot, pair)
    app.window.messages.say("")
    app.library.rescue()
    known(app, qtbot)
    assert app.window.messages.text.startswith("The damaged library was kept as ")
    read(app, qtbot, "1+")


def test_two_windows_keep_to_one_library(
    make_app: AppMaker, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    one, two = started(make_app, qtbot), started(make_app, qtbot)
    shown(one, qtbot, pair)
    shown(two, qtbot, other_pair)
    read(one, qtbot, "0")
    read(two, qtbot, "3+")
    with Library(one.library.keeper.path) as library:
        assert sorted(reading.score for reading in library.readings()) == ["0", "3+"]

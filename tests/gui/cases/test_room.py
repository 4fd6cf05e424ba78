"""Cases in the real window: a folder listed, paged through without a mouse, filtered, failed, scored and come back to."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.cases.shape import Shape
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.cases.shown import resolve_cases
from her2viewer.gui.cases.thumbnails import SIDE
from her2viewer.gui.state import ScorePhase
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, opened, tissue, write
from .conftest import LABELS, on_screen, settled

Key = Qt.Key


def states(app: App) -> list[str]:
    return [row.state for row in resolve_cases(app.store.state).rows]


def score(app: App, qtbot: QtBot) -> str:
    qtbot.keyClick(app.window, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    return evidence.prediction.score


def test_an_empty_list_teaches(app: App) -> None:
    panel = app.cases.panel
    assert panel.open_folder.isVisible() and not panel.list.isVisible()
    assert not app.window.actions_[ActionId.NEXT_CASE].isEnabled()
    assert "Ctrl+Shift+O" in app.window.actions_[ActionId.NEXT_CASE].toolTip()


def test_a_folder_is_listed_and_its_first_case_opened(listed: App) -> None:
    shown = resolve_cases(listed.store.state)
    assert [row.label for row in shown.rows] == [f"label {label}" for label in LABELS]
    assert states(listed) == ["open", *["not opened"] * 4]
    assert on_screen(listed) == "00000_train_0.png"
    assert shown.count == "5" and "1 file left out" in shown.note
    assert "00099_train_0.png: no partner" in listed.cases.panel.note.toolTip()


@pytest.mark.parametrize(
    ("on", "back"),
    [
        (Key.Key_J, Key.Key_K),
        (Key.Key_Right, Key.Key_Left),
        (Key.Key_Down, Key.Key_Up),
        (Key.Key_PageDown, Key.Key_PageUp),
    ],
)
def test_paging_with_one_hand(listed: App, qtbot: QtBot, on: Key, back: Key) -> None:
    app = listed
    app.window.panes[Stain.IHC].view.setFocus()
    seen = [on_screen(app)]
    for key in (on, on, back):
        qtbot.keyClick(app.window.focusWidget(), key)
        before = seen[-1]
        qtbot.waitUntil(lambda before=before: on_screen(app) != before)
        seen.append(on_screen(app))
    assert [name[:5] for name in seen] == ["00000", "00001", "00002", "00001"]
    index = app.cases.panel.list.currentIndex()
    assert index.row() == 1, "the list follows"


def test_a_slider_keeps_its_arrows(listed: App, qtbot: QtBot) -> None:
    score(listed, qtbot)
    slider = listed.window.explain_panel.opacity.slider
    slider.setFocus()
    before = slider.value()
    qtbot.keyClick(slider, Key.Key_Right)
    assert slider.value() != before and on_screen(listed) == "00000_train_0.png"


def test_at_the_ends_nothing_happens(listed: App, qtbot: QtBot) -> None:
    qtbot.keyClick(listed.window, Key.Key_K)
    settled(listed, qtbot)
    assert on_screen(listed) == "00000_train_0.png"


def test_the_next_pair_is_opened_ahead_and_no_other(listed: App, qtbot: QtBot, folder: Path) -> None:
    names = ("HE", "IHC")
    assert set(listed.cases._opener.held) == {folder / stain / "00001_train_1+.png" for stain in names}
    qtbot.keyClick(listed.window, Key.Key_J)
    qtbot.waitUntil(lambda: on_screen(listed) == "00001_train_1+.png")
    settled(listed, qtbot)
    assert set(listed.cases._opener.held) == {folder / stain / "00002_train_2+.png" for stain in names}


def test_scores_stay_with_their_case(listed: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    app = listed
    first = score(app, qtbot)
    evidence = app.store.state.scoring.evidence
    qtbot.keyClick(app.window, Key.Key_J)
    qtbot.waitUntil(lambda: on_screen(app) == "00001_train_1+.png")
    assert app.store.state.scoring.phase is ScorePhase.NONE
    assert states(app)[:2] == [f"scored {first}", "open"]
    qtbot.keyClick(app.window, Key.Key_K)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert app.store.state.scoring.evidence is evidence and scorer.scored == 1
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    assert app.window.score_panel._score.text() == first


def test_the_score_of_a_field_is_not_the_score_of_its_case(listed: App, qtbot: QtBot) -> None:
    app = listed
    app.fields.editor.add(Shape.rectangle(20, 20, 100, 100))
    app.fields.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert app.store.state.scoring.key is not None
    assert states(app)[0] == "open"
    whole = score(app, qtbot)
    assert states(app)[0] == f"scored {whole}"


def test_a_file_that_was_written_anew_is_not_given_the_old_score(listed: App, qtbot: QtBot, folder: Path) -> None:
    app = listed
    score(app, qtbot)
    qtbot.keyClick(app.window, Key.Key_J)
    qtbot.waitUntil(lambda: on_screen(app) == "00001_train_1+.png")
    settled(app, qtbot)
    write(folder / "IHC" / "00000_train_0.png", tissue(1234, stain=Stain.IHC))
    qtbot.keyClick(app.window, Key.Key_K)
    qtbot.waitUntil(lambda: on_screen(app) == "00000_train_0.png")
    settled(app, qtbot)
    assert app.store.state.scoring.phase is ScorePhase.NONE


def test_a_case_that_fails_says_why_and_paging_goes_on(app: App, qtbot: QtBot, folder: Path) -> None:
    (folder / "IHC" / "00001_train_1+.png").write_text("no image")
    app.cases.open_folder(folder)
    qtbot.waitUntil(lambda: on_screen(app) == "00000_train_0.png")
    settled(app, qtbot)
    qtbot.keyClick(app.window, Key.Key_J)
    qtbot.waitUntil(lambda: "00001_train_1+.png" in app.window.messages.text)
    assert states(app)[1].startswith("failed: holds text, not an image")
    assert on_screen(app) == "00000_train_0.png", "what stands is kept"
    qtbot.keyClick(app.window, Key.Key_J)
    qtbot.waitUntil(lambda: on_screen(app) == "00002_train_2+.png")


def test_a_file_that_cannot_be_read_is_marked_before_it_is_opened(app: App, qtbot: QtBot, folder: Path) -> None:
    (folder / "HE" / "00003_train_3+.png").write_bytes(b"")
    app.cases.open_folder(folder)
    qtbot.waitUntil(lambda: len(states(app)) == 5 and states(app)[3].startswith("failed"))


def test_thumbnails_come_for_the_rows_that_are_seen(listed: App, qtbot: QtBot, folder: Path) -> None:
    thumbnails = listed.cases._thumbnails
    path = folder / "IHC" / "00003_train_3+.png"
    qtbot.waitUntil(lambda: thumbnails.get(path) is not None)
    image = thumbnails.get(path)
    assert image is not None and max(image.width(), image.height()) == SIDE


def test_no_thumbnail_is_made_of_rows_out_of_sight(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    root = tmp_path / "many"
    he, ihc = tissue(1, (32, 32)), tissue(2, (32, 32), Stain.IHC)
    for number in range(60):
        write(root / "HE" / f"{number:03}.png", he)
        write(root / "IHC" / f"{number:03}.png", ihc)
    app.cases.open_folder(root)
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    settled(app, qtbot)
    made = sum(app.cases._thumbnails.get(root / "HE" / f"{number:03}.png") is not None for number in range(60))
    assert 0 < made < 30
    app.cases.panel.list.scrollToBottom()
    qtbot.waitUntil(lambda: app.cases._thumbnails.get(root / "HE" / "059.png") is not None)


def test_the_filter_finds_by_name_label_and_state(listed: App, qtbot: QtBot) -> None:
    app = listed
    qtbot.keyClick(app.window, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    line = app.cases.panel.filter
    assert line.hasFocus()
    qtbot.keyClicks(line, "1+ not")
    assert [row.name for row in resolve_cases(app.store.state).rows] == ["00001_train_1+", "00004_train_1+"]
    assert app.cases.panel.count.text() == "2 of 5"
    qtbot.keyClick(app.window, Key.Key_PageDown)
    qtbot.waitUntil(lambda: on_screen(app) == "00001_train_1+.png")
    line.clear()
    qtbot.keyClicks(line, "nothing")
    assert app.cases.panel._nothing.isVisible() and "Clear the filter" in app.cases.panel._nothing.text()


def test_typing_in_the_filter_turns_no_page(listed: App, qtbot: QtBot) -> None:
    line = listed.cases.panel.filter
    line.setFocus()
    qtbot.keyClicks(line, "jks")
    assert line.text() == "jks" and on_screen(listed) == "00000_train_0.png"
    assert listed.store.state.scoring.phase is ScorePhase.NONE


def test_click_and_enter_open(listed: App, qtbot: QtBot) -> None:
    view = listed.cases.panel.list
    place = view.visualRect(view.rows.index(2)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: on_screen(listed) == "00002_train_2+.png")
    view.setFocus()
    qtbot.keyClick(view, Key.Key_Down)
    assert view.currentIndex().row() == 3 and on_screen(listed) == "00002_train_2+.png"
    qtbot.keyClick(view, Key.Key_Return)
    qtbot.waitUntil(lambda: on_screen(listed) == "00003_train_3+.png")


def test_a_pair_opened_otherwise_is_listed_too(listed: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(listed, qtbot, pair)
    assert len(states(listed)) == 6 and states(listed)[-1] == "open"


def test_a_folder_without_pairs_says_so(app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app.cases.open_folder(tmp_path)
    qtbot.waitUntil(lambda: "there are no images in it" in app.window.messages.text)
    assert app.cases.panel.open_folder.isVisible()


def test_no_call_is_a_state_of_its_own(listed: App, qtbot: QtBot) -> None:
    from dataclasses import replace

    score(listed, qtbot)
    evidence = listed.store.state.scoring.evidence
    assert evidence is not None
    listed.scoring.show(replace(evidence, prediction=replace(evidence.prediction, no_call="the field is blank")))
    row = resolve_cases(listed.store.state).rows[0]
    assert (row.state, row.sign) == ("no call", "question") and "the field is blank" in row.more


def test_rows_are_told_to_who_cannot_see(listed: App) -> None:
    rows = listed.cases.panel.list.rows
    spoken = rows.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "00001_train_1+, not opened, label 1+"

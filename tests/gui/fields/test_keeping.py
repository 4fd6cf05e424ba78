"""Fields outlive the window and the pair: kept with their case or beside the settings, back when the pair is opened again."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from her2viewer.cases.shape import Shape
from her2viewer.gui.fields.keeping import AFTER_MS, pair_key
from her2viewer.gui.fields.state import RunPhase
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase

from ..conftest import AppMaker, opened
from .conftest import Hand


def kept_files(settings: Settings) -> list[Path]:
    return sorted(settings.fields_folder.glob("*")) if settings.fields_folder.exists() else []


def test_fields_are_back_after_another_pair(hand: Hand, pair: tuple[Path, Path], other_pair: tuple[Path, Path]) -> None:
    hand.add()
    hand.room.editor.add(Shape.ellipse(20, 130, 100, 80), "Invasive front")
    before = hand.fields.annotations
    opened(hand.app, hand.qtbot, other_pair)
    assert len(hand.fields.annotations) == 0
    hand.qtbot.waitUntil(lambda: hand.room.keeping._kept is not None)
    hand.add(10, 10, 50, 50)
    opened(hand.app, hand.qtbot, pair)
    hand.qtbot.waitUntil(lambda: len(hand.fields.annotations) == 2)
    assert hand.fields.annotations == before
    assert hand.fields.history.undo_label is None  # what was there before is nothing that was done now
    panel = hand.app.window.fields_panel
    assert panel._note.text() == "2 fields of your last visit are back."
    assert hand.app.window.messages.text == ""


def test_fields_scores_and_the_map_outlive_the_window(
    hand: Hand, pair: tuple[Path, Path], make_app: AppMaker, settings: Settings, qtbot: QtBot
) -> None:
    hand.add()
    hand.room.scoring.score()
    qtbot.waitUntil(lambda: hand.only.score is not None)
    hand.room.editor.select(None)
    hand.grid(64)
    score_map = hand.grid_done()
    before = hand.fields.annotations
    hand.app.window.close()
    assert [file.name.endswith(".scoremap.json") for file in kept_files(settings)] == [True]
    again = make_app()
    qtbot.waitUntil(lambda: again.store.state.model.phase is ModelPhase.READY)
    opened(again, qtbot, pair)
    qtbot.waitUntil(lambda: len(again.store.state.fields.annotations) == 1)
    fields = again.store.state.fields
    assert fields.annotations == before
    assert fields.score_map is not None
    assert fields.score_map.outcomes == score_map.outcomes
    assert fields.run.phase is RunPhase.DONE


def test_written_a_moment_after_the_last_change_and_never_beside_the_images(
    hand: Hand, pair: tuple[Path, Path], settings: Settings
) -> None:
    beside = set(pair[0].parents[2].rglob("*"))
    hand.add()
    timer = hand.room.keeping._timer
    assert timer.isActive() and timer.interval() == AFTER_MS
    timer.timeout.emit()  # the moment is over
    shelf = hand.room.keeping._shelf

    def kept() -> str:
        found = shelf.read(*pair)
        return found.fields if found is not None else ""

    hand.qtbot.waitUntil(lambda: "Polygon" in kept())
    assert set(pair[0].parents[2].rglob("*")) == beside and kept_files(settings) == []
    assert pair[0].parent.name not in kept()
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.files.busy)
    hand.room.editor.delete()
    timer.timeout.emit()
    hand.qtbot.waitUntil(lambda: kept() == "")


def test_a_kept_file_that_is_broken_is_set_aside_and_said(
    hand: Hand, pair: tuple[Path, Path], other_pair: tuple[Path, Path], settings: Settings
) -> None:
    on_screen = hand.app.store.state.pair
    assert on_screen is not None
    opened(hand.app, hand.qtbot, other_pair)
    file = settings.fields_folder / f"{pair_key(on_screen)}.geojson"
    file.parent.mkdir()
    file.write_text("half of it was written when the la")
    opened(hand.app, hand.qtbot, pair)
    hand.qtbot.waitUntil(lambda: "set aside" in hand.app.window.messages.text)
    assert kept_files(settings)[0].name.endswith(".unreadable")
    assert len(hand.fields.annotations) == 0
    hand.add()  # and work goes on
    assert len(hand.fields.annotations) == 1


def test_scores_of_images_that_have_changed_do_not_come_back(
    hand: Hand, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    hand.add()
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    opened(hand.app, hand.qtbot, other_pair)
    from ..conftest import tissue, write

    write(pair[1], tissue(77))
    opened(hand.app, hand.qtbot, pair)
    hand.qtbot.waitUntil(lambda: len(hand.fields.annotations) == 1)
    assert hand.only.score is None


@pytest.mark.parametrize("swapped", [False, True])
def test_a_pair_is_known_by_where_its_two_images_are(hand: Hand, swapped: bool) -> None:
    pair = hand.app.store.state.pair
    assert pair is not None
    other = (pair[1], pair[0]) if swapped else pair
    assert (pair_key(other) == pair_key(pair)) is not swapped

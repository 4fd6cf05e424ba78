"""Scores that another model or another alignment made: marked in words and in looks, left out of shares, scored again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from her2viewer.cases.field_score import FieldScore
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.files import DRAWN_FILTER
from her2viewer.gui.fields.outdated import Now, outdated_fields
from her2viewer.gui.fields.table import Column
from her2viewer.gui.state import Model, ModelPhase, ScorePhase
from her2viewer.imaging.affine import Affine
from her2viewer.scoring.prediction import FieldOfView, ModelIdentity

from .conftest import MODEL, Hand, map_of, score_of


def scored(hand: Hand, *places: tuple[float, float]) -> list[str]:
    """Fields at these places, each with its score; their ids."""
    keys = []
    for x, y in places:
        key = hand.add(x, y, 64, 64).id
        hand.room.scoring.score(key)
        hand.qtbot.waitUntil(lambda key=key: hand.fields.annotations[key].score is not None)
        keys.append(key)
    return keys


def shift(hand: Hand, by: float = 10) -> None:
    """Another alignment."""
    hand.app.registration.controller.align_by_hand(Affine(tx=by))


def other_model(hand: Hand) -> None:
    facts = hand.app.store.state.model.facts
    assert facts is not None
    newer = replace(facts, identity=ModelIdentity("fake", "2", "1" * 64))
    hand.app.store.change(model=Model(ModelPhase.READY, newer))


def pixels_around(hand: Hand, x: float, y: float) -> np.ndarray:
    """What the IHC's pane shows of a field's inside, (h, w, 3)."""
    view = hand.view()
    image = view.viewport().grab().toImage().convertToFormat(image_format())
    raw = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    at: QPoint = view.to_screen(x, y).toPoint()
    return raw[at.y() - 8 : at.y() + 8, at.x() - 8 : at.x() + 8, :3].astype(int)


def image_format() -> object:
    from PySide6.QtGui import QImage

    return QImage.Format.Format_RGB32


@pytest.mark.parametrize("change", [shift, other_model])
def test_words_in_table_panel_and_on_the_tissue(hand: Hand, change: object) -> None:
    (key,) = scored(hand, (40, 40))
    hand.room.editor.select(None)
    hand.room.scoring.show_whole()  # no map lies over the field
    before = pixels_around(hand, 72, 72)
    change(hand)  # type: ignore[operator]
    hand.follow()
    hand.qtbot.waitUntil(lambda: "outdated" in hand.room.panel._outdated.text())
    assert outdated_fields(hand.app.store.state) == (key,)
    assert not hand.room.panel._rescore.isHidden() and hand.room.panel._rescore.isEnabled()
    table = hand.room.panel.listing.table
    index = table.index(table.place(key), Column.SCORE)
    assert index.data().endswith(", outdated")
    assert index.data(6).italic()  # FontRole
    assert "Outdated: scored" in index.data(3)  # ToolTipRole
    assert "Not counted: 1 outdated" in hand.room.panel._sentences.text()
    assert not np.array_equal(pixels_around(hand, 72, 72), before), "another look than a score of now"
    table.set_filter("outdated")
    assert [row.key for row in table.rows] == [key]


def test_undoing_the_alignment_makes_them_good_again(hand: Hand) -> None:
    scored(hand, (40, 40))
    shift(hand)
    assert outdated_fields(hand.app.store.state)
    hand.app.registration.controller.undo()
    assert not outdated_fields(hand.app.store.state)


def test_all_are_scored_again_in_one_go(hand: Hand) -> None:
    keys = scored(hand, (20, 20), (100, 20), (20, 100))
    before = [hand.fields.annotations[key].score for key in keys]
    shift(hand)
    hand.follow()
    hand.room.panel._rescore.click()
    hand.qtbot.waitUntil(lambda: not outdated_fields(hand.app.store.state) and hand.fields.again is None)
    after = [hand.fields.annotations[key].score for key in keys]
    assert all(
        a is not None and a.alignment and b is not None and not b.alignment for a, b in zip(after, before, strict=True)
    )
    hand.follow()
    assert hand.room.panel._rescore.isHidden()


def test_a_field_that_fails_costs_itself_alone_and_esc_stops(hand: Hand, scorer: object) -> None:
    keys = scored(hand, (20, 20), (100, 20))
    shift(hand)
    scorer.gate.clear()  # type: ignore[attr-defined]
    hand.room.rescoring.start()
    assert hand.fields.again is not None
    assert hand.app.window.actions_[Id.CANCEL].isEnabled()
    hand.app.cancel()
    scorer.gate.set()  # type: ignore[attr-defined]
    assert hand.fields.again is None
    hand.qtbot.waitUntil(lambda: not hand.app.lanes.inference.busy)
    assert set(outdated_fields(hand.app.store.state)) == set(keys)
    from ..conftest import user_error

    scorer.fail = user_error("this one cannot be scored")  # type: ignore[attr-defined]
    hand.room.rescoring.start()
    hand.qtbot.waitUntil(lambda: hand.fields.again is None)
    assert "this one cannot be scored" in hand.app.window.messages.text
    assert set(outdated_fields(hand.app.store.state)) == set(keys), "what failed keeps its score and stays outdated"
    scorer.fail = None  # type: ignore[attr-defined]


def test_a_map_is_outdated_as_a_whole_and_laid_again_as_it_was(hand: Hand) -> None:
    hand.grid(64)
    first = hand.grid_done()
    shift(hand)
    hand.follow()
    hand.qtbot.waitUntil(lambda: "score map is outdated" in hand.room.panel._outdated.text())
    assert hand.room.panel._shares_title.text() == "Score map, outdated"
    assert {row.outdated for row in hand.room.panel.listing.table.rows} == {True}
    hand.room.rescoring.start()
    second = hand.grid_done()
    hand.qtbot.waitUntil(lambda: hand.fields.score_map.basis.alignment != "")  # type: ignore[union-attr]
    second = hand.grid_done()
    assert second.cells == first.cells and second.basis.alignment != first.basis.alignment
    assert all(second.score(index).alignment == second.basis.alignment for index in range(len(second.cells)))  # type: ignore[union-attr]


def test_a_click_on_an_outdated_field_scores_it_again_and_says_what_it_was(hand: Hand) -> None:
    (key,) = scored(hand, (40, 40))
    was = hand.fields.annotations[key].score.score  # type: ignore[union-attr]
    shift(hand)
    hand.room._on_row(key)
    assert f"had an outdated score, {was} by fake 1" in hand.app.window.messages.text
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.SCORED)
    assert not outdated_fields(hand.app.store.state)


def test_the_geojson_says_it_in_class_and_words_and_a_reading_finds_it_again(hand: Hand, tmp_path: Path) -> None:
    (key,) = scored(hand, (40, 40))
    shift(hand)
    path = tmp_path / "out.geojson"
    hand.room.files.ask_save = lambda *_: (path, DRAWN_FILTER)  # type: ignore[assignment]
    hand.app.window.actions_[Id.EXPORT_FIELDS].trigger()
    hand.qtbot.waitUntil(lambda: "Written" in hand.app.window.messages.text)
    (feature,) = json.loads(path.read_text())["features"]
    assert feature["properties"]["classification"]["name"].endswith("(outdated)")
    assert "another alignment" in feature["properties"]["metadata"]["HER2 outdated"]
    hand.room.editor.delete(key)
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])  # type: ignore[assignment, return-value]
    hand.app.window.actions_[Id.IMPORT_FIELDS].trigger()
    hand.qtbot.waitUntil(lambda: "imported from" in hand.app.window.messages.text)
    assert hand.only.score is not None and hand.only.classification == ""
    assert outdated_fields(hand.app.store.state) == (hand.only.id,)


def test_what_outdates_a_score() -> None:
    score: FieldScore = score_of(FieldOfView(0, 0, 9, 9))
    assert Now().outdates(score) == Now(MODEL, "").outdates(score) == "", "what is not known outdates nothing"
    assert "another model (fake 1)" in Now(ModelIdentity("a", "b", "2" * 64), "").outdates(score)
    assert "another alignment" in Now(MODEL, "f" * 64).outdates(score)
    assert Now(ModelIdentity("renamed", "1", MODEL.sha256), "").outdates(score) == "", "the same weights"
    assert Now(MODEL, "f" * 64).outdates_map(map_of(2, 2)) and not Now(MODEL, "").outdates_map(map_of(2, 2))
    assert not Now(MODEL, "x").outdates_map(None)

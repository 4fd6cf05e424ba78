"""Fields to GeoJSON and back, score maps to their files and back, by the real actions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from her2viewer.cases.shape import Shape
from her2viewer.gui.actions import ActionId as Id
from her2viewer.gui.fields.files import DRAWN_FILTER, TILES_FILTER
from her2viewer.gui.fields.state import RunPhase

from .conftest import Hand


@pytest.fixture
def files(hand: Hand, tmp_path: Path) -> Path:
    """Answers the file dialogs: each file is `out` with the suffix that is asked for."""
    hand.room.files.ask_save = lambda title, name, filters: (tmp_path / "out", filters[-1])
    return tmp_path


def written(hand: Hand) -> None:
    hand.qtbot.waitUntil(lambda: "Written" in hand.app.window.messages.text)


def trigger(hand: Hand, action: Id) -> None:
    hand.app.window.actions_[action].trigger()


def test_fields_come_back_as_they_went(hand: Hand, files: Path) -> None:
    hand.add(40, 50, 80, 60)
    hand.room.editor.add(Shape.ellipse(20, 130, 100, 80), "Invasive front")
    hand.room.editor.add(Shape.polygon([(150, 20), (240, 30), (200, 120)]))
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.fields.selected_annotation.score is not None)
    before = hand.fields.annotations
    trigger(hand, Id.EXPORT_FIELDS)
    written(hand)
    path = files / "out.geojson"
    document = json.loads(path.read_text())
    assert [feature["properties"]["name"] for feature in document["features"]] == [
        "Field 1",
        "Invasive front",
        "Field 2",
    ]
    for key in list(before):
        hand.room.editor.delete(key)
    hand.room.files.ask_open = lambda title, kind: path
    trigger(hand, Id.IMPORT_FIELDS)
    hand.qtbot.waitUntil(lambda: len(hand.fields.annotations) == 3)
    assert hand.fields.annotations == before
    assert hand.app.window.actions_[Id.UNDO].text() == "Undo import 3 fields"
    trigger(hand, Id.IMPORT_FIELDS)
    hand.qtbot.waitUntil(lambda: "here already" in hand.app.window.messages.text)
    assert len(hand.fields.annotations) == 3
    hand.room.editor.undo()
    assert len(hand.fields.annotations) == 0


def test_the_cells_of_a_map_go_out_as_tiles(hand: Hand, files: Path) -> None:
    hand.add()
    hand.room.editor.select(None)
    hand.grid(64)
    score_map = hand.grid_done()
    asked: list[tuple[str, ...]] = []

    def ask(title: str, name: str, filters: list[str]) -> tuple[Path, str]:
        asked.append(tuple(filters))
        return files / "out", filters[-1]

    hand.room.files.ask_save = ask
    trigger(hand, Id.EXPORT_FIELDS)
    written(hand)
    assert asked == [(DRAWN_FILTER, TILES_FILTER)]
    features = json.loads((files / "out.geojson").read_text())["features"]
    assert len(features) == len(score_map.counted())
    assert {feature["properties"]["objectType"] for feature in features} == {"tile"}


def test_a_map_is_saved_loaded_and_goes_on(hand: Hand, files: Path) -> None:
    hand.grid(64)
    score_map = hand.grid_done()
    half = replace(score_map, outcomes=score_map.outcomes[:8] + (None,) * 8)
    hand.room.grid.show(half)
    trigger(hand, Id.SAVE_MAP)
    written(hand)
    path = files / "out.scoremap.json"
    hand.room.grid.remove()
    hand.room.files.ask_open = lambda title, kind: path
    trigger(hand, Id.LOAD_MAP)
    hand.qtbot.waitUntil(lambda: hand.fields.score_map is not None)
    assert hand.fields.run.phase is RunPhase.STOPPED
    assert hand.fields.score_map.outcomes == half.outcomes
    hand.room.grid.resume()
    assert hand.grid_done().outcomes == score_map.outcomes


@pytest.mark.parametrize(
    ("action", "text", "said"),
    [
        (Id.IMPORT_FIELDS, "not at all JSON", "not JSON"),
        (Id.IMPORT_FIELDS, '{"type": "Feature', "not JSON"),
        (Id.IMPORT_FIELDS, "[]", "no GeoJSON feature"),
        (Id.LOAD_MAP, '{"schema": "her2viewer.result/1"}', "not a score map"),
        (Id.LOAD_MAP, "", "not a score map"),
    ],
)
def test_foreign_and_broken_files_are_said_and_nothing_is_lost(
    hand: Hand, files: Path, action: Id, text: str, said: str
) -> None:
    hand.add()
    path = files / "foreign.json"
    path.write_text(text)
    hand.room.files.ask_open = lambda title, kind: path
    trigger(hand, action)
    hand.qtbot.waitUntil(lambda: said in hand.app.window.messages.text)
    assert "foreign.json" in hand.app.window.messages.text
    assert len(hand.fields.annotations) == 1


def test_notes_of_an_import_stand_in_the_message_bar(hand: Hand, files: Path) -> None:
    bow = [[40, 40], [160, 160], [160, 40], [40, 160], [40, 40]]
    far = [[900, 900], [950, 900], [950, 950], [900, 900]]
    features = [
        {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"foreign": 1}}
        for ring in (bow, far)
    ]
    path = files / "qupath.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    hand.room.files.ask_open = lambda title, kind: path
    trigger(hand, Id.IMPORT_FIELDS)
    hand.qtbot.waitUntil(lambda: "imported from qupath.geojson" in hand.app.window.messages.text)
    text = hand.app.window.messages.text
    assert "outside" in text
    assert len(hand.fields.annotations) == 2  # both halves of the bow


def test_a_map_of_other_images_is_refused(hand: Hand, files: Path, other_pair: tuple[Path, Path]) -> None:
    from ..conftest import opened

    hand.grid(64)
    hand.grid_done()
    trigger(hand, Id.SAVE_MAP)
    written(hand)
    opened(hand.app, hand.qtbot, other_pair)
    hand.room.files.ask_open = lambda title, kind: files / "out.scoremap.json"
    trigger(hand, Id.LOAD_MAP)
    hand.qtbot.waitUntil(lambda: "made of another H&E image" in hand.app.window.messages.text)
    assert hand.fields.score_map is None


def test_nothing_to_export_is_said(hand: Hand) -> None:
    hand.room.files.export_geojson()
    assert "no field to export" in hand.app.window.messages.text
    assert not hand.app.window.actions_[Id.EXPORT_FIELDS].isEnabled()

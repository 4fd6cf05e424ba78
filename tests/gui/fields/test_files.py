"""Fields to GeoJSON and back, score maps to their files and back, by the real actions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from her2viewer.cases.shape import Shape
from her2viewer.gui.actions import ActionId as Id
from her2viewer.gui.fields.files import (
    DRAWN_FILTER,
    GEOJSON_FILTER,
    HE_DRAWN_FILTER,
    HE_GEOJSON_FILTER,
    HE_TILES_FILTER,
    TILES_FILTER,
)
from her2viewer.gui.fields.state import RunPhase
from her2viewer.imaging.affine import Affine
from her2viewer.scoring.prediction import FieldOfView

from .conftest import Hand


@pytest.fixture
def files(hand: Hand, tmp_path: Path) -> Path:
    """Answers the file dialogs: each file is `out` with the suffix that is asked for."""
    hand.room.files.ask_save = lambda title, name, filters: (
        tmp_path / "out",
        next(one for one in reversed(filters) if "H&E" not in one),
    )
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
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])
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
    assert asked == [(DRAWN_FILTER, HE_DRAWN_FILTER, TILES_FILTER, HE_TILES_FILTER)]
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
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])
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
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])
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
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])
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
    hand.room.files.ask_open = lambda title, kinds: (files / "out.scoremap.json", kinds[0])
    trigger(hand, Id.LOAD_MAP)
    hand.qtbot.waitUntil(lambda: "made of another H&E image" in hand.app.window.messages.text)
    assert hand.fields.score_map is None


def test_nothing_to_export_is_said(hand: Hand) -> None:
    hand.room.files.export_geojson()
    assert "no field to export" in hand.app.window.messages.text
    assert not hand.app.window.actions_[Id.EXPORT_FIELDS].isEnabled()


def export(hand: Hand, path: Path, kind: str) -> list[dict[str, Any]]:
    hand.room.files.ask_save = lambda title, name, filters: (path, kind)
    hand.app.window.messages.say("")
    trigger(hand, Id.EXPORT_FIELDS)
    written(hand)
    features: list[dict[str, Any]] = json.loads(path.read_text())["features"]
    return features


def take(hand: Hand, path: Path, kind: str) -> str:
    hand.room.files.ask_open = lambda title, kinds: (path, kind)
    hand.app.window.messages.say("")
    trigger(hand, Id.IMPORT_FIELDS)
    hand.qtbot.waitUntil(lambda: f"imported from {path.name}" in hand.app.window.messages.text)
    text: str = hand.app.window.messages.text
    return text


@pytest.mark.parametrize("degrees", [0.0, 30.0])
def test_fields_in_pixels_of_the_he_go_out_and_come_back(hand: Hand, files: Path, degrees: float) -> None:
    """Annotated on the H&E in QuPath, looked at on the IHC here, and the other way round."""
    hand.app.registration.controller.align_by_hand(Affine.similarity(0.5, degrees, (40, 30), about=(128, 128)))
    scored = hand.add(100, 110, 40, 30)
    hand.room.scoring.score(scored.id)
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    added = hand.room.editor.add(Shape.ellipse(90, 90, 50, 30))
    assert added is not None
    before = hand.fields.annotations
    path = files / "he.geojson"
    features = export(hand, path, HE_DRAWN_FILTER)
    assert "in pixels of the H&E image. Aligned by hand" in hand.app.window.messages.text
    alignment = hand.app.store.state.registration.alignment
    assert alignment is not None
    ring = np.array(features[0]["geometry"]["coordinates"][0])[:4]
    assert np.allclose(ring, alignment.to_he(before[scored.id].shape.outline()), atol=0.006)
    for key in before:
        hand.room.editor.delete(key)
    # Whatever was chosen: this file says itself what it is of.
    assert "in pixels of the H&E" in take(hand, path, GEOJSON_FILTER)
    assert hand.fields.annotations == before, "shapes, kinds and the score, as they were"
    take(hand, path, HE_GEOJSON_FILTER)
    assert len(hand.fields.annotations) == 2, "what is here already is not added again"


def test_a_foreign_file_is_of_the_image_that_was_chosen(hand: Hand, files: Path) -> None:
    hand.app.registration.controller.align_by_hand(Affine.stretch(0.5, 20, 0.5, 10))
    path = files / "qupath.geojson"
    ring = [[40, 40], [140, 40], [140, 140], [40, 140], [40, 40]]
    path.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}))
    take(hand, path, HE_GEOJSON_FILTER)
    assert hand.only.shape.bounds == FieldOfView(40, 30, 50, 50)
    hand.room.editor.delete(hand.only.id)
    take(hand, path, GEOJSON_FILTER)
    assert hand.only.shape.bounds == FieldOfView(40, 40, 100, 100)


def test_a_rectangle_that_was_moved_on_the_he_is_where_it_was_moved_to(hand: Hand, files: Path) -> None:
    hand.app.registration.controller.align_by_hand(Affine.similarity(1, 30, about=(128, 128)))
    key = hand.add(100, 110, 40, 30).id
    hand.room.scoring.score(key)
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    path = files / "he.geojson"
    export(hand, path, HE_DRAWN_FILTER)
    document = json.loads(path.read_text())
    rings = document["features"][0]["geometry"]["coordinates"]
    document["features"][0]["geometry"]["coordinates"] = (np.array(rings) + 5).tolist()
    path.write_text(json.dumps(document))
    hand.room.editor.delete(key)
    assert "score was not taken over" in take(hand, path, HE_GEOJSON_FILTER)
    assert hand.only.score is None
    assert hand.only.shape.area == pytest.approx(1200, rel=1e-3)


def test_the_cells_of_a_map_lie_on_the_he(hand: Hand, files: Path) -> None:
    hand.app.registration.controller.align_by_hand(Affine(tx=16, ty=8))
    hand.grid(64)
    hand.grid_done()
    features = export(hand, files / "he.geojson", HE_TILES_FILTER)
    assert features[0]["properties"]["objectType"] == "tile"
    assert np.array(features[0]["geometry"]["coordinates"][0]).min(axis=0).tolist() == [-16, -8]

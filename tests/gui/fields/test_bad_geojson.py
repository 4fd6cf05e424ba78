"""GeoJSON as it comes, through the real window: said in a sentence, taken in as far as it can be, the window goes on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer

from her2viewer.export import geojson_reading
from her2viewer.gui.actions import ActionId as Id

from .conftest import Hand


def said(hand: Hand, words: str) -> str:
    hand.qtbot.waitUntil(lambda: words in hand.app.window.messages.text)
    text: str = hand.app.window.messages.text
    return text


def imported(hand: Hand, path: Path, document: object) -> str:
    """Imports a document as a file by the window's own action; returns what is said."""
    path.write_text(json.dumps(document), encoding="utf-8")
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])  # type: ignore[assignment, return-value]
    hand.app.window.actions_[Id.IMPORT_FIELDS].trigger()
    return said(hand, f"imported from {path.name}")


def feature(*rings: object, **properties: object) -> dict[str, object]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": rings},
        "properties": properties,
        "a foreign member": {"deep": [1, {"deeper": None}]},
    }


def test_holes_and_foreign_keys_come_through(hand: Hand, tmp_path: Path) -> None:
    outline = [[20, 20], [220, 20], [220, 220], [20, 220], [20, 20]]
    hole = [[60, 60], [60, 180], [180, 180], [180, 60], [60, 60]]
    text = imported(
        hand, tmp_path / "holes.geojson", feature(outline, hole, name="Ring", measurements={"Area": 1}, x=2)
    )
    assert "Other programs' values were not taken in" in text
    ring = hand.only
    assert ring.name == "Ring" and ring.shape.area == 200 * 200 - 120 * 120
    assert ring.shape.contains(40, 120) and not ring.shape.contains(120, 120)
    hand.click((40, 120))
    assert hand.fields.selected == ring.id
    hand.grid(32)
    centres = [(cell.field.x + 16, cell.field.y + 16) for cell in hand.grid_done().cells]
    assert centres and all(ring.shape.contains(*centre) for centre in centres), "the hole has no fields"


def test_an_outline_that_crosses_itself_is_mended_and_said(hand: Hand, tmp_path: Path) -> None:
    bow = [[40, 40], [160, 160], [160, 40], [40, 160], [40, 40]]
    assert "crossed itself and was mended" in imported(hand, tmp_path / "bow.geojson", feature(bow))
    assert sum(one.shape.area for one in hand.fields.annotations.values()) == pytest.approx(2 * 60 * 120 / 2)


def test_a_million_points_are_taken_in_while_the_window_goes_on(hand: Hand, tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    radius = 80 + 20 * np.sin(11 * angle)
    ring = np.stack([128 + radius * np.cos(angle), 128 + radius * np.sin(angle)], axis=1)
    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(hand.app.lanes.files.busy))
    timer.start(10)
    imported(hand, tmp_path / "million.geojson", feature(ring.round(2).tolist()))
    assert sum(ticks) >= 3, "the window's own events went on while the file was read"
    timer.stop()
    shape = hand.only.shape
    assert shape.area == pytest.approx(np.pi * (80**2 + 20**2 / 2), rel=1e-2)
    drawn = hand.room._layer._placed_outlines(hand.room.placing(hand.view()), hand.fields)  # type: ignore[arg-type]
    assert drawn[hand.only.id].path.elementCount() < 5_000, "what is painted is bounded"
    hand.click((128, 128))
    assert hand.fields.selected == hand.only.id
    hand.room.scoring.score()
    hand.qtbot.waitUntil(lambda: hand.only.score is not None)
    hand.app.window.actions_[Id.UNDO].trigger()
    assert not hand.fields.annotations


def test_a_file_of_more_than_can_be_held_is_refused_in_a_sentence(
    hand: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson_reading, "MOST_ANNOTATIONS", 200)
    hand.add()
    ring = [[20, 20], [60, 20], [60, 60], [20, 20]]
    path = tmp_path / "cells.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature(ring)] * 201}), encoding="utf-8")
    hand.room.files.ask_open = lambda title, kinds: (path, kinds[0])  # type: ignore[assignment, return-value]
    hand.app.window.actions_[Id.IMPORT_FIELDS].trigger()
    text = said(hand, "cells.geojson: it holds more than 200 areas")
    assert "without detections and cells" in text
    assert len(hand.fields.annotations) == 1

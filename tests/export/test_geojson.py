import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer import RESEARCH_USE
from her2viewer.cases.annotation import Annotation
from her2viewer.cases.grid import grid_over
from her2viewer.cases.score_map import MapBasis, ScoreMap
from her2viewer.cases.shape import Points, Shape, ShapeKind
from her2viewer.errors import ExportError
from her2viewer.export.geojson import map_annotations, write_geojson
from her2viewer.export.geojson_reading import read_geojson
from her2viewer.export.score_colour import SCORE_COLOURS, score_hex
from her2viewer.scoring.stains import Stain
from tests.cases.shapes import CLASSES, MODEL, SIZE, drawn, score_of

IHC = "c" * 64


def features(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["features"]
    return found


@given(annotations=st.lists(drawn(), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_comes_back_the_same(tmp_path: Path, annotations: list[Annotation]) -> None:
    path = tmp_path / "fields.geojson"
    write_geojson(path, annotations, image_sha256=IHC)
    if not annotations:
        assert features(path) == []
        return
    found = read_geojson(path, SIZE, image_sha256=IHC)
    assert found.annotations == tuple(annotations)
    assert found.notes == ()


def test_a_feature_is_as_qupath_writes_it(tmp_path: Path) -> None:
    """The keys, types and places of QuPath's PathObjectTypeAdapter and ROITypeAdapter."""
    shape = Shape.rectangle(10, 20, 30, 40)
    one = Annotation(shape, "Field 1", "#102030", True, score_of(shape.bounds, no_call="Too faint."))
    write_geojson(tmp_path / "a.geojson", [one], image_sha256=IHC)
    document = json.loads((tmp_path / "a.geojson").read_bytes())
    assert document["type"] == "FeatureCollection" and document["her2viewer"]["notice"].startswith(RESEARCH_USE)
    (feature,) = document["features"]
    assert (feature["type"], feature["id"]) == ("Feature", one.id)
    assert feature["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[10, 20], [40, 20], [40, 60], [10, 60], [10, 20]]],
    }
    properties = feature["properties"]
    assert properties["objectType"] == "annotation" and properties["name"] == "Field 1"
    assert properties["isLocked"] is True and properties["color"] == [0x10, 0x20, 0x30]
    assert properties["classification"] == {"name": "HER2 2+", "color": [0xC9, 0x8A, 0x00]}
    assert properties["measurements"] == {"p_0": 0.1, "p_1+": 0.1, "p_2+": 0.7, "p_3+": 0.1}
    assert properties["metadata"]["HER2 model"] == "fake 1"
    assert properties["metadata"]["HER2 no call"] == "Too faint."
    assert all(isinstance(value, str) for value in properties["metadata"].values())


def test_an_ellipse_is_a_polygon_marked_as_one(tmp_path: Path) -> None:
    ellipse = Shape.ellipse(100, 200, 300, 150)
    write_geojson(tmp_path / "a.geojson", [Annotation(ellipse)])
    geometry = features(tmp_path / "a.geojson")[0]["geometry"]
    ring = np.array(geometry["coordinates"][0])
    assert geometry["isEllipse"] is True and geometry["type"] == "Polygon"
    assert (ring.min(axis=0).tolist(), ring.max(axis=0).tolist()) == ([100, 200], [400, 350])


def turned(degrees: float) -> tuple[Callable[[Points], Points], Callable[[Points], Points]]:
    """A similarity (turned, half the size, moved) and its inverse, as an alignment gives them."""
    angle = np.deg2rad(degrees)
    turn = 0.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([2500.0, 300.0])
    return lambda p: p @ turn.T + shift, lambda p: (p - shift) @ np.linalg.inv(turn).T


def test_through_an_alignment_and_back(tmp_path: Path) -> None:
    there, back = turned(25)
    ellipse, rectangle = Shape.ellipse(1000, 1000, 600, 300), Shape.rectangle(2000, 500, 400, 400)
    write_geojson(tmp_path / "he.geojson", [Annotation(ellipse), Annotation(rectangle)], transform=there)
    first, second = features(tmp_path / "he.geojson")
    assert "isEllipse" not in first["geometry"]
    corners = np.array(second["geometry"]["coordinates"][0])[:4]
    assert np.allclose(corners, there(rectangle.outline()), atol=0.006)
    found = read_geojson(tmp_path / "he.geojson", SIZE, transform=back).annotations
    assert found[0].shape.area == pytest.approx(ellipse.area, rel=1e-3)
    assert np.allclose(found[1].shape.outline(), rectangle.outline(), atol=0.03)
    straight = turned(0)[0]
    write_geojson(tmp_path / "he.geojson", [Annotation(ellipse)], transform=straight)
    assert features(tmp_path / "he.geojson")[0]["geometry"]["isEllipse"] is True


def test_a_score_is_read_back_only_for_its_own_image_and_place(tmp_path: Path) -> None:
    path, shape = tmp_path / "a.geojson", Shape.rectangle(10, 20, 300, 400)
    scored = Annotation(shape, score=score_of(shape.bounds))
    write_geojson(path, [scored], image_sha256=IHC)
    assert read_geojson(path, SIZE, image_sha256=IHC).annotations[0].score == scored.score
    for sha256 in ("d" * 64, None):
        found = read_geojson(path, SIZE, image_sha256=sha256)
        assert found.annotations == (replace(scored, score=None),)
        assert "another image" in found.notes[0]
    document = json.loads(path.read_bytes())
    ring = document["features"][0]["geometry"]["coordinates"][0]
    document["features"][0]["geometry"]["coordinates"][0] = [[x + 5, y] for x, y in ring]
    path.write_text(json.dumps(document))
    found = read_geojson(path, SIZE, image_sha256=IHC)
    assert found.annotations[0].score is None and "moved since" in found.notes[0]


def test_cells_of_a_map_as_tiles(tmp_path: Path) -> None:
    region = Shape.rectangle(0, 0, 300, 100)
    cells = grid_over(region, (300, 100), 100)
    score_map = ScoreMap(region, 100, 100, MapBasis({Stain.IHC: IHC}, MODEL), CLASSES, cells)
    score_map = score_map.with_score(0, score_of(cells[0].field, "3+")).with_score(2, score_of(cells[2].field, "0"))
    write_geojson(tmp_path / "map.geojson", map_annotations(score_map), object_type="tile")
    found = features(tmp_path / "map.geojson")
    assert [one["properties"]["objectType"] for one in found] == ["tile", "tile"]
    assert [one["properties"]["classification"]["name"] for one in found] == ["HER2 3+", "HER2 0"]
    assert found[1]["properties"]["name"] == "Row 1, column 3"
    assert map_annotations(score_map, 0.71) == []


def test_no_place_of_this_machine_is_written(tmp_path: Path) -> None:
    shape = Shape.rectangle(0, 0, 10, 10)
    score = score_of(shape.bounds, no_call="See /home/grace/secret/a.png there.")
    write_geojson(tmp_path / "a.geojson", [Annotation(shape, score=score)], image_sha256=IHC)
    text = (tmp_path / "a.geojson").read_text()
    assert "grace" not in text and str(tmp_path) not in text and "a.png" in text


def test_what_stood_there_is_kept_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").mkdir()
    with pytest.raises(ExportError, match="folder has this name"):
        write_geojson(tmp_path / "a.geojson", [])


def test_colours_of_scores() -> None:
    assert [score_hex(i, 4) for i in range(4)] == list(SCORE_COLOURS)
    assert (score_hex(0, 1), score_hex(1, 2)) == (SCORE_COLOURS[0], SCORE_COLOURS[-1])


def test_a_polygon_that_is_a_rectangle_stays_a_polygon(tmp_path: Path) -> None:
    polygon = Annotation(Shape.polygon([(0, 0), (0, 50), (60, 50), (60, 0)]))
    write_geojson(tmp_path / "a.geojson", [polygon])
    (found,) = read_geojson(tmp_path / "a.geojson", SIZE).annotations
    assert found == polygon and found.shape.kind is ShapeKind.POLYGON

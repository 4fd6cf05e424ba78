"""GeoJSON of others: what QuPath writes, what is broken, and what is meant to break."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer.cases.annotation import COLOUR, Annotation
from her2viewer.cases.shape import Shape, ShapeKind
from her2viewer.errors import AnnotationError
from her2viewer.export import geojson_reading, json_file
from her2viewer.export.geojson import write_geojson
from her2viewer.export.geojson_reading import Imported, read_geojson
from tests.cases.shapes import SIZE, score_of

RING = [[100, 100], [300, 110], [280, 320], [100, 300], [100, 100]]
SECONDS = 5.0

# As QuPath 0.5 writes them: an ellipse by Bezier curves, a class with a derived one, measurements as a map, and as before 0.4.
QUPATH = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "id": "8a2b1c3d-0000-4000-8000-000000000001",
            "geometry": {"type": "Polygon", "coordinates": [RING]},
            "properties": {
                "objectType": "annotation",
                "name": "Invasive front",
                "isLocked": True,
                "classification": {"name": "Tumor", "color": [200, 0, 0]},
                "measurements": {"Area µm^2": 1234.5},
            },
        },
        {
            "type": "Feature",
            "id": "PathAnnotationObject",
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[RING], [[[1000, 1000], [1200, 1000], [1200, 1100], [1000, 1100], [1000, 1000]]]],
            },
            "properties": {
                "classification": {"names": ["Stroma", "Positive"], "colorRGB": -16711936},
                "measurements": [{"name": "Area", "value": 2.0}],
                "isLocked": False,
            },
        },
    ],
}


def read(folder: Path, document: Any, **options: Any) -> Imported:
    path = folder / "file.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return read_geojson(path, SIZE, **options)


def feature(rings: Any, kind: str = "Polygon", **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": rings}, "properties": properties}


def test_what_qupath_writes(tmp_path: Path) -> None:
    found = read(tmp_path, QUPATH)
    first, second, third = found.annotations
    assert first == Annotation(
        Shape.polygon(RING), "Invasive front", "#c80000", True, None, "Tumor", QUPATH["features"][0]["id"]
    )
    assert (second.classification, second.colour, second.locked) == ("Stroma: Positive", "#00ff00", False)
    assert third.shape == Shape.rectangle(1000, 1000, 200, 100) and len({one.id for one in found.annotations}) == 3
    assert found.notes == (
        "One object has several parts; each is an annotation now.",
        "Other programs' values were not taken in: 'measurements'.",
    )


def test_an_ellipse_of_qupath_comes_back_as_one(tmp_path: Path) -> None:
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([500 + 200 * np.cos(t), 400 + 100 * np.sin(t)], axis=1).round(2).tolist()
    ellipse = {"type": "Polygon", "coordinates": [[*ring, ring[0]]], "isEllipse": True}
    (found,) = read(tmp_path, ellipse).annotations
    assert found.shape == Shape.ellipse(300, 300, 400, 200)
    del ellipse["isEllipse"]
    assert read(tmp_path, ellipse).annotations[0].shape.kind is ShapeKind.POLYGON
    # A square that calls itself an ellipse keeps its corners.
    square = {"type": "Polygon", "coordinates": [[[0, 0], [50, 0], [50, 50], [0, 50], [0, 0]]], "isEllipse": True}
    assert read(tmp_path, square).annotations[0].shape == Shape.rectangle(0, 0, 50, 50)


@pytest.mark.parametrize(
    "document",
    [
        feature([RING]),
        [feature([RING])],
        {"type": "Polygon", "coordinates": [RING]},
        {"type": "FeatureCollection", "features": [feature([RING])]},
        {"type": "GeometryCollection", "geometries": [{"type": "Polygon", "coordinates": [RING]}]},
        feature([[[x, y, 7] for x, y in RING]]),
        feature([[[str(x), y] for x, y in RING]]),
        "\ufeff" + json.dumps(feature([RING])),
        {"type": "Feature", "geometry": None, "properties": {"childObjects": [feature([RING])]}},
    ],
)
def test_the_same_area_however_it_is_wrapped(tmp_path: Path, document: Any) -> None:
    assert [one.shape for one in read(tmp_path, document).annotations] == [Shape.polygon(RING)]


def test_holes_are_kept(tmp_path: Path) -> None:
    hole = [[150, 150], [200, 150], [200, 200], [150, 150]]
    (found,) = read(tmp_path, feature([RING, hole])).annotations
    assert found.shape == Shape.polygon(RING, [hole]) and not found.shape.contains(190, 160)


def test_what_crosses_itself_is_mended_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, feature([[[0, 0], [100, 100], [100, 0], [0, 100], [0, 0]]], name="Tie"))
    assert [(one.name, one.shape.area) for one in found.annotations] == [("Tie (1)", 2500), ("Tie (2)", 2500)]
    assert found.notes[0] == "One outline crossed itself and was mended: look at it."


def test_what_leaves_the_image_is_cut_and_said(tmp_path: Path) -> None:
    over = [[-100, -100], [50, -100], [50, 50], [-100, 50], [-100, -100]]
    away = [[9000, 9000], [9100, 9000], [9100, 9100], [9000, 9000]]
    found = read(tmp_path, [feature([over]), feature([away]), feature([[[x * 1e7, y * 1e6] for x, y in RING]])])
    assert [one.shape for one in found.annotations] == [Shape.rectangle(0, 0, 50, 50)]
    assert "One area lies outside the image and was left out." in found.notes
    assert "One area was cut at the edge of the image." in found.notes


def test_what_is_no_area_is_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        [
            feature([1, 2], "Point"),
            feature([[1, 2], [3, 4]], "LineString"),
            {"type": "Feature", "geometry": None},
            feature([[[0, 0], [1, 0], [1, 1], [0, 0]]]),
            feature([[["a", 0], [1, 0], [1, 1]]]),
            feature([RING], objectType="detection", Secret=1, Other={}, Third=[], Fourth=None),
        ],
    )
    assert len(found.annotations) == 1
    assert found.notes == (
        "One object was left out: its coordinates are no numbers.",
        "One area is smaller than 4 pixels and was left out.",
        "2 points and lines were left out: only areas are annotations here.",
        "One object was left out: it has no geometry.",
        "One detection was taken in as an annotation.",
        "Other programs' values were not taken in: 'Secret', 'Other', 'Third' and 1 more.",
    )


@pytest.mark.parametrize(
    "ring",
    [
        "[[NaN, 0], [1e2, 0], [1, 90]]",
        "[[Infinity, 0], [1e2, 0], [1, 90]]",
        "[[1e400, 0], [1e2, 0], [1, 90]]",
        "[[1" + "0" * 400 + ", 0], [1e2, 0], [1, 90]]",
        "[[1e9, 0], [1e2, 0], [1, 90]]",
        "[[0], [1], [2]]",
        "[[0, 1], [1, 2, 3], [2, 2]]",
        "[[null, 1], [1, 2], [2, 9]]",
        "[[{}, 1], [1, 2], [2, 9]]",
        "[[[0, 1]], [[1, 2]], [[2, 2]]]",
        "[1, 2, 3]",
        "[]",
        "{}",
        "7",
    ],
)
def test_coordinates_that_are_none(tmp_path: Path, ring: str) -> None:
    good = json.dumps(feature([RING]))
    bad = '{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [' + ring + "]}}"
    found = read(tmp_path, f"[{bad}, {good}]")
    assert [one.shape for one in found.annotations] == [Shape.polygon(RING)]
    assert found.notes[0] == "One object was left out: its coordinates are no numbers."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("\0\0\0", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"a":' * 100_000, "it is not JSON"),
        ("[" * 100 + "]" * 100, "no GeoJSON feature"),
        ("{}", "no GeoJSON feature"),
        ('[1, null, true, "x"]', "no GeoJSON feature"),
        ('{"type": "FeatureCollection", "features": {"type": "Polygon"}}', "no GeoJSON feature"),
    ],
)
def test_what_is_no_geojson_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(AnnotationError, match=words) as caught:
        read(tmp_path, text)
    assert caught.value.remedy and str(caught.value).startswith("file.geojson: ") and "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.geojson", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(AnnotationError, match="cannot be read"):
            read_geojson(path, SIZE)


def test_a_file_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.geojson"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(AnnotationError, match="larger than 128 MB"):
        read_geojson(path, SIZE)


def test_a_file_that_would_fill_the_memory_is_refused_unparsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "MOST_CONTAINERS", 1000)
    with pytest.raises(AnnotationError, match="too many objects"):
        read(tmp_path, "[" + "[]," * 1000 + "[]]")
    monkeypatch.setattr(json_file, "MOST_VALUES", 1000)
    with pytest.raises(AnnotationError, match="too many objects"):
        read(tmp_path, "[" + "0," * 2000 + "0]")


def test_too_many_of_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson_reading, "MOST_ANNOTATIONS", 3)
    with pytest.raises(AnnotationError, match="more than 3 areas"):
        read(tmp_path, [feature([RING])] * 4)
    with pytest.raises(AnnotationError, match="more than 3 areas"):
        read(tmp_path, feature([[RING]] * 4, "MultiPolygon"))
    assert len(read(tmp_path, [feature([RING])] * 3).annotations) == 3
    monkeypatch.setattr(geojson_reading, "MOST_POINTS", 9)
    with pytest.raises(AnnotationError, match="more than 9 points"):
        read(tmp_path, [feature([RING])] * 2)
    monkeypatch.setattr(geojson_reading, "_MOST_POLYGONS", 1)
    with pytest.raises(AnnotationError, match="more than 1 polygons"):
        read(tmp_path, [feature([[[0, 0], [1, 1], [0, 1]]])] * 2)


def test_a_million_points_and_a_tangle_of_many(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    radius = 1000 + 300 * np.sin(11 * angle)
    ring = np.stack([2000 + radius * np.cos(angle), 1500 + radius * np.sin(angle)], axis=1)
    (found,) = read(tmp_path, feature([ring.round(2).tolist()])).annotations
    assert not found.shape.has_vertices and found.shape.area == pytest.approx(np.pi * 1045_000, rel=1e-3)
    tangle = np.random.default_rng(0).random((5000, 2)) * 2000
    assert "too often to be mended" in read(tmp_path, feature([tangle.tolist()])).notes[0]


def test_colours_names_and_classes_of_any_make(tmp_path: Path) -> None:
    wrong: list[Any] = [None, "red", [1, 2], [300, 0, 0], [1.5, 0, 0], [True, 0, 0], True, {}, [[], [], []]]
    found = read(tmp_path, [feature([RING], color=value, name=value, classification=value) for value in wrong])
    assert {one.colour for one in found.annotations} == {COLOUR}
    assert {one.name for one in found.annotations} == {"", "red"}
    found = read(tmp_path, [feature([RING], color=-1), feature([RING], color=[1, 2, 3, 4])])
    assert [one.colour for one in found.annotations] == ["#ffffff", "#010203"]


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """A real file with a few bytes changed, and now and then cut, grown or spliced."""
    data = bytearray(text)
    for _ in range(draw(st.integers(0, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(
            st.one_of(st.sampled_from(list(b'[]{}",:0-eN')), st.integers(0, 255))
        )
    match draw(st.integers(0, 5)):
        case 0:
            del data[draw(st.integers(0, len(data))) :]
        case 1:
            at, length = draw(st.integers(0, len(data))), draw(st.integers(1, 200))
            del data[at : at + length]
        case 2:
            at = draw(st.integers(0, len(data)))
            data[at:at] = draw(st.binary(max_size=60))
    return bytes(data)


def seed(tmp_path: Path, name: str) -> bytes:
    if name == "qupath":
        return json.dumps(QUPATH).encode()
    shape = Shape.rectangle(0, 0, 100, 100)
    annotations = [Annotation(shape, "A", score=score_of(shape.bounds)), Annotation(Shape.polygon(RING), "B")]
    write_geojson(tmp_path / "seed.geojson", annotations, image_sha256="c" * 64)
    return (tmp_path / "seed.geojson").read_bytes()


def assert_read_or_refused(path: Path) -> None:
    start = time.perf_counter()
    try:
        found = read_geojson(path, SIZE, image_sha256="c" * 64)
    except AnnotationError as error:
        assert error.what and error.remedy and error.path == path
    else:
        for one in found.annotations:
            f = one.shape.bounds
            assert one.shape.geometry.is_valid
            assert f.x >= 0 and f.y >= 0 and f.x + f.width <= SIZE[0] and f.y + f.height <= SIZE[1]
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("name", ["qupath", "own"])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / "file.geojson"
    path.write_bytes(data.draw(damaged(seed(tmp_path, name))))
    assert_read_or_refused(path)


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["Feature", "Polygon", "MultiPolygon", "GeometryCollection", "FeatureCollection"]),
        st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)).map(list), min_size=3, max_size=9),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["type", "geometry", "coordinates", "features", "geometries", "properties", "name", "color",
                 "classification", "metadata", "_her2viewer", "names", "isEllipse", "childObjects", "id", "objectType"]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(geometry=_JSON, properties=_JSON, coordinates=_JSON)
def test_any_json_in_any_place_is_read_or_refused(
    tmp_path: Path, geometry: Any, properties: Any, coordinates: Any
) -> None:
    path = tmp_path / "file.geojson"
    polygon = {"type": "Polygon", "coordinates": coordinates}
    path.write_text(
        json.dumps(
            [
                {"type": "Feature", "geometry": geometry, "properties": properties},
                {"type": "Feature", "geometry": polygon, "properties": properties},
                feature([RING], **(properties if isinstance(properties, dict) else {})),
            ]
        )
    )
    assert_read_or_refused(path)

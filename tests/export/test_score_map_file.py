import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2viewer import RESEARCH_USE
from her2viewer.cases.grid import grid_over
from her2viewer.cases.score_map import NOT_A_CASE_SCORE, CellState, ScoreMap, Unscored
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError, ExportError
from her2viewer.export.score_map_file import SCHEMA, read_score_map, write_score_map
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.stains import Stain
from tests.cases.shapes import CLASSES, SIZE, score_of, shapes
from tests.cases.test_score_map import BASIS, filled_map
from tests.export.test_geojson_reading import damaged


def written(folder: Path, score_map: ScoreMap) -> Path:
    path = folder / "map.json"
    write_score_map(path, score_map, utc=datetime(2026, 1, 2, tzinfo=UTC))
    return path


def test_a_map_comes_back_the_same_and_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, filled_map())
    found = read_score_map(path, BASIS)
    assert found == filled_map() and found.waiting == (6, 7)
    document = json.loads(path.read_bytes())
    assert (document["schema"], document["utc"]) == (SCHEMA, "2026-01-02T00:00:00Z")
    assert document["notice"] == f"{RESEARCH_USE} {NOT_A_CASE_SCORE}"


@given(region=shapes(), side=st.integers(200, 1500))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_map_over_any_region_comes_back_the_same(tmp_path: Path, region: Shape, side: int) -> None:
    cells = grid_over(region, SIZE, side)
    score_map = ScoreMap(region, side, side, BASIS, CLASSES, cells).with_score(0, score_of(cells[0].field))
    assert read_score_map(written(tmp_path, score_map), BASIS) == score_map


def test_a_map_of_something_else_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, filled_map())
    other = ModelIdentity("other", "2", "e" * 64)
    for basis, words in (
        (replace(BASIS, images={**BASIS.images, Stain.IHC: "0" * 64}), "made of another IHC HER2 image"),
        (replace(BASIS, model=other), r"by another model \(fake 1; in use is other 2\)"),
        (replace(BASIS, alignment="new"), "another alignment"),
    ):
        with pytest.raises(AnnotationError, match=words) as caught:
            read_score_map(path, basis)
        assert caught.value.path == path and caught.value.remedy


def test_no_place_of_this_machine_is_written(tmp_path: Path) -> None:
    score_map = filled_map().with_score(6, Unscored(CellState.FAILED, "Cannot read /home/grace/secret/a.png today."))
    text = written(tmp_path, score_map).read_text()
    assert "grace" not in text and str(tmp_path) not in text and "Cannot read a.png today." in text


def test_a_map_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "map.json").mkdir()
    with pytest.raises(ExportError):
        written(tmp_path, filled_map())


def _cell(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["cells"][0]
    return found


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.update(schema="her2viewer.scoremap/2"),
        lambda d: d.update(extra=1),
        lambda d: d.pop("model"),
        lambda d: d["model"].update(sha256="x"),
        lambda d: d.update(images={"mri": "0" * 64}),
        lambda d: d.update(side=0),
        lambda d: d["region"].update(rings=[[[0, 0], [1, 1]]]),
        lambda d: d["region"].update(rings=[[[0, 0], [100, 100], [100, 0], [0, 100]]], kind="polygon"),
        lambda d: d["region"].update(kind="spiral"),
        lambda d: _cell(d).update(share=2),
        lambda d: _cell(d)["field"].update(width=-1),
        lambda d: _cell(d)["field"].update(x="NaN"),
        lambda d: _cell(d)["outcome"].update(score="4+"),
        lambda d: _cell(d)["outcome"].update(kind="guessed"),
        lambda d: _cell(d)["outcome"]["probabilities"].update({"0": 0.9}),
        lambda d: _cell(d)["outcome"].update(probabilities={"2+": 0.5, "3+": 0.5}, prediction_set=[]),
        lambda d: d.update(cells=[_cell(d)] * 20_001),
        lambda d: d.update(cells={}),
    ],
)
def test_what_is_no_score_map_is_refused_in_one_sentence(
    tmp_path: Path, break_it: Callable[[dict[str, Any]], None]
) -> None:
    path = written(tmp_path, filled_map())
    document = json.loads(path.read_bytes())
    break_it(document)
    path.write_text(json.dumps(document))
    with pytest.raises(AnnotationError, match="not a score map of the schema") as caught:
        read_score_map(path, BASIS)
    assert caught.value.path == path


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_maps_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = written(tmp_path, filled_map())
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    try:
        assert len(read_score_map(path, BASIS).cells) == len(filled_map().cells)
    except AnnotationError as error:
        assert error.what and error.remedy and error.path == path

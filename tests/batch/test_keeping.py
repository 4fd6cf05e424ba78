import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from her2viewer.batch.keeping import keep_results
from her2viewer.cases.library.library import Library
from her2viewer.errors import ExportError
from tests.cases.library.conftest import library, pair

__all__ = ["library"]


def result(images: Path, name: str, **changes: Any) -> dict[str, Any]:
    """A row of results.json for a pair whose files stand below `images`."""
    made = pair(images, name)
    assert made.he is not None

    def image(path: Path) -> dict[str, Any]:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"file": path.name, "width": 8, "height": 8, "sha256": sha256, "mpp": None, "mpp_origin": None}

    field = {"x": 0, "y": 0, "width": 8, "height": 8}
    return {
        "schema": "her2viewer.result/1",
        "case_id": name,
        "label": "2+",
        "images": {"he": image(made.he), "ihc": image(made.ihc)},
        "model": {"name": "m", "version": "1", "sha256": "a" * 64},
        "field": {"he": field, "ihc": field},
        "score": "2+",
        "probabilities": {"0": 0.0, "1+": 0.1, "2+": 0.9, "3+": 0.0},
        "prediction_set": ["2+"],
        "no_call": None,
        "checks": [],
        "warnings": [],
        "device": "CPU",
        "precision": "fp32",
        "seconds": 0.1,
        "app_version": "1",
        "utc": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    } | changes


def write(results: Path, rows: list[dict[str, Any]]) -> Path:
    results.mkdir()
    (results / "results.json").write_text(json.dumps(rows), encoding="utf-8")
    return results


def test_scored_pairs_become_cases_and_the_rest_is_said(library: Library, tmp_path: Path) -> None:
    images = tmp_path / "images"
    rows = [result(images, f"S{n}") for n in range(3)]
    rows += [result(images, "gone"), result(images, "other"), result(images, "drawn", field_name="spot")]
    rows.append({"case_id": "bad", "error": "it is no picture"})
    (images / "gone_HE.png").unlink()
    (images / "other_IHC.png").write_text("new bytes")
    found = keep_results(library, write(tmp_path / "results", rows), images)
    assert found.cases == 3
    assert dict(found.left_out) == {
        "gone": "gone_HE.png is not in the folder of the images",
        "other": "other_IHC.png is another picture than the one that was scored",
        "drawn": "the score is of a drawn field",
        "bad": "it was not scored",
    }
    cases = {one.case.title: one for one in library.search()}
    assert sorted(cases) == ["S0", "S1", "S2"]
    one = cases["S1"]
    assert one.case.label == "2+" and one.case.ihc.path == (images / "S1_IHC.png").resolve() and one.prediction is not None
    assert (one.prediction.score, one.prediction.model, one.prediction.model_sha256) == ("2+", "m 1", "a" * 64)
    assert library.recent() == ()
    # To read them blind is still to come.
    assert library.read(one.case.id, "3+").kind == "blind"


def test_the_same_again_changes_nothing(library: Library, tmp_path: Path) -> None:
    results = write(tmp_path / "results", [result(tmp_path / "images", f"S{n}") for n in range(2)])
    for _ in range(2):
        assert keep_results(library, results, tmp_path / "images").cases == 2
    assert [entry.kind for entry in library.log.entries()] == ["score", "score"] and len(library.search()) == 2


def test_who_stops_it_keeps_what_was_done(library: Library, tmp_path: Path) -> None:
    results = write(tmp_path / "results", [result(tmp_path / "images", f"S{n}") for n in range(4)])
    assert keep_results(library, results, tmp_path / "images", goes_on=lambda done: done < 2).cases == 2
    assert len(library.search()) == 2


def test_a_folder_without_results_is_said(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExportError, match=r"^empty: there are no results in it"):
        keep_results(library, tmp_path / "empty", tmp_path)
    with pytest.raises(ExportError, match=r"^results\.json: these are not results of this app"):
        keep_results(library, write(tmp_path / "results", [{"case_id": "x"}]), tmp_path)

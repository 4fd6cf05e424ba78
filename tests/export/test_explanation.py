import json
from pathlib import Path

import numpy as np
import pytest

from her2viewer import RESEARCH_USE
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, score_pair
from her2viewer.export.explanation import ExplanationDocument, write_arrays, write_explanation
from her2viewer.scoring.explanation import Explanation
from her2viewer.scoring.package import write_package
from her2viewer.scoring.scorer import Scorer
from tests.batch.conftest import write_pair
from tests.scoring.conftest import manifest, random_network


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> BatchRow:
    folder = tmp_path_factory.mktemp("pair")
    state = random_network().state_dict().items()
    arrays = {name: tensor.numpy() for name, tensor in state if tensor.is_floating_point()}
    package = write_package(folder / "model", manifest(), arrays, "# Random weights\n")
    options = BatchOptions(folder, overlay=False, explain=True)
    return score_pair(write_pair(folder, 1, (256, 256)), Scorer.open(package, "cpu"), options)


@pytest.fixture(scope="module")
def explanation(row: BatchRow) -> Explanation:
    assert row.explanation is not None, row.error
    return row.explanation


def test_the_file_says_what_the_explanation_says(row: BatchRow, explanation: Explanation, tmp_path: Path) -> None:
    assert row.result is not None
    document = ExplanationDocument.of(explanation, row.result, "a_maps.npz")
    write_explanation(tmp_path / "a.json", document)
    assert ExplanationDocument.model_validate_json((tmp_path / "a.json").read_bytes()) == document
    plain = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert plain["schema"] == "her2viewer.explanation/1" and plain["note"] == RESEARCH_USE
    assert plain["probabilities"] == row.result.probabilities and plain["no_call"] == row.result.no_call
    guard = explanation.evidence.guard
    assert [check["passed"] for check in plain["checks"]] == [one.passed for one in guard.examined]
    assert {check["name"] for check in plain["checks"] if not check["passed"]} == {
        one.name for one in row.result.checks
    }
    assert plain["trust"]["headline"] == explanation.trust.headline
    assert [one["words"] for one in plain["without"]] == [one.words for one in explanation.effects]
    assert explanation.what_if is not None and plain["what_if"]["words"] == explanation.what_if.words
    assert explanation.agreement is not None
    assert plain["membranes"]["agreement"]["sentence"] == explanation.agreement.sentence
    for name, column in plain["what_if"]["probabilities"].items():
        at_one = column[plain["what_if"]["factors"].index(1.0)]
        assert at_one == pytest.approx(row.result.probabilities[name], abs=2e-6)


def test_every_map_lies_in_the_arrays_by_its_name(row: BatchRow, explanation: Explanation, tmp_path: Path) -> None:
    assert row.result is not None
    document = ExplanationDocument.of(explanation, row.result, "a_maps.npz")
    write_arrays(tmp_path / "a_maps.npz", explanation)
    with np.load(tmp_path / "a_maps.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {*(one.array for one in document.maps), "untrained"}
        for record, one in zip(document.maps, explanation.maps, strict=True):
            assert np.array_equal(arrays[record.array], one.values) and record.peak == pytest.approx(one.peak, abs=1e-6)
        assert not np.allclose(arrays["untrained"], explanation.maps[0].values)

from pathlib import Path

import pytest
from typer.testing import CliRunner

from her2viewer.errors import PackageError, UserError
from her2viewer.scoring.package import WEIGHTS, ModelPackage, open_package, write_package
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from tests.scoring.conftest import manifest, random_network
from training.__main__ import app
from training.data.index import index_folder
from training.evaluation.outcome import predict
from training.recalibration import description_of_package, recalibrated


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    state = random_network().state_dict().items()
    arrays = {name: tensor.numpy() for name, tensor in state if tensor.is_floating_point()}
    described = manifest(input=InputLayout(width=64, height=64), limits=("none",), not_tested_on=("cases",))
    return write_package(tmp_path_factory.mktemp("models") / "small", described, arrays, "# Small\n")


def test_only_the_calibration_changes(small: ModelPackage, bci: Path, tmp_path: Path) -> None:
    pairs = index_folder(bci).of("train")
    words = description_of_package(small, "1")
    made = recalibrated(small, tmp_path / "new", "our fields", pairs, words, tmp_path / "cache")
    assert (made.folder / WEIGHTS).read_bytes() == (small.folder / WEIGHTS).read_bytes()
    before, after = small.manifest, made.manifest
    assert after.calibration != before.calibration and after.version == "1" and after.limits == ("none",)
    conformal = after.calibration.conformal
    assert conformal is not None and conformal.fields == len(pairs) and conformal.data == "our fields"
    kept = ("input", "weights", "architecture", "fixed_peaks", "not_tested_on")
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    assert "our fields" in made.card and made.card.startswith("# random-for-tests 1")
    # The quantiles are of the very fields: each label is in the set of its own fields as often as was asked for.
    outcome = predict(Scorer.open(open_package(tmp_path / "new"), "cpu"), pairs, "ours")
    for label in range(4):
        assert outcome.sets[outcome.truth == label, label].mean() >= 0.9


def test_the_command_measures_the_new_package(small: ModelPackage, bci: Path, tmp_path: Path) -> None:
    asked = ["recalibrate", small.folder, "--out", tmp_path / "new", "--calibrate-on", f"ours={bci}:train"]
    asked += ["--on", f"others={bci}", "--cache", tmp_path / "cache"]
    outcome = CliRunner().invoke(app, [str(word) for word in asked])
    assert outcome.exit_code == 0, outcome.output
    made = open_package(tmp_path / "new")
    assert made.manifest.version == "0.c" and {metric.dataset for metric in made.manifest.metrics} == {"others"}


def test_a_score_without_a_field_and_a_folder_that_is_there_are_refused(
    small: ModelPackage, bci: Path, tmp_path: Path
) -> None:
    pairs = [pair for pair in index_folder(bci).of("train") if pair.label != "2+"]
    words = description_of_package(small, "1")
    with pytest.raises(UserError, match=r"no pair is labelled 2\+"):
        recalibrated(small, tmp_path / "new", "ours", pairs, words, tmp_path / "cache")
    assert not (tmp_path / "new").exists()
    with pytest.raises(PackageError, match="already"):
        recalibrated(small, tmp_path, "ours", index_folder(bci).of("train"), words, tmp_path / "cache")

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from her2viewer.scoring.package import open_package
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from tests.training.conftest import write_pair
from training.__main__ import app
from training.data.index import CLASSES, index_folder
from training.evaluation.outcome import confusion, metrics, predict
from training.fit.predict import best_network, load_run
from training.fit.run import fit
from training.package import in_half_precision, package_run, with_metrics
from training.recipes.recipe import NONE, Description, Recipe

SMALL = InputLayout(width=64, height=64)
WORDS = Description(
    name="for-tests",
    version="0",
    summary="A model of the tests.",
    data="squares with brown spots",
    limits=("none",),
    not_tested_on=("cases",),
)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("learnable")
    for number in range(120):
        write_pair(root, "train", number, CLASSES[number % 4], side=32)
    recipe = Recipe(epochs=4, batch=16, start="none", layout=SMALL, augmentation=NONE, label_smoothing=0)
    fit(index_folder(root), recipe, root / "run", say=lambda text: None)
    return root / "run"


def test_what_can_be_learned_is_learned_measured_and_described(learned: Path, bci: Path, tmp_path: Path) -> None:
    package = package_run(learned, tmp_path / "model", WORDS)
    scorer = Scorer.open(open_package(tmp_path / "model"), "cpu")
    outcome = predict(scorer, index_folder(bci).of("test"), "squares")
    found = {metric.name: metric for metric in metrics(outcome)}
    with (learned / "log.csv").open() as file:
        losses = [float(row["training_loss"]) for row in csv.DictReader(file)]
    # So few steps leave batch norm's running statistics behind, so it is the training loss that shows the learning.
    assert losses[-1] < losses[0] / 3
    assert found["accuracy"].low is not None and found["accuracy"].low < found["accuracy"].value
    with_metrics(package, WORDS, [(outcome, metrics(outcome))])
    again = open_package(tmp_path / "model")
    assert again.manifest.metrics == metrics(outcome)
    assert again.manifest.identity == package.manifest.identity
    (bins,) = again.manifest.reliability
    assert bins.dataset == "squares" and sum(one.fields for one in bins.bins) == 8
    assert again.manifest.limits == ("none",) and "## Not tested on\n- cases" in again.card
    assert "squares" in again.card and "For Research Use Only" in again.card
    assert confusion(outcome).sum() == 8


def test_the_package_gives_the_runs_own_probabilities(learned: Path, bci: Path, tmp_path: Path) -> None:
    package = package_run(learned, tmp_path / "model", WORDS)
    network, _ = best_network(learned, load_run(learned))
    stored = package.weights()
    limit = 0 if package.manifest.weights.dtype == "float32" else 2e-3
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            assert np.allclose(stored[name], tensor.numpy(), rtol=limit, atol=limit / 10), name
    assert set(package.manifest.fixed_peaks) == {"layer1", "layer2", "layer3", "layer4"}
    assert min(package.manifest.fixed_peaks.values()) > 0


def test_sets_are_calibrated_on_fields_of_ones_choice(learned: Path, bci: Path, tmp_path: Path) -> None:
    fresh = index_folder(bci).pairs
    package = package_run(learned, tmp_path / "model", WORDS, calibrate_on=("fresh squares", fresh))
    conformal = package.manifest.calibration.conformal
    assert conformal is not None and (conformal.fields, conformal.data) == (len(fresh), "fresh squares")
    outcome = predict(Scorer.open(package, "cpu"), fresh, "fresh squares")
    held = outcome.probabilities[np.arange(len(fresh)), outcome.truth]
    held[outcome.said == outcome.truth] = 1  # the likeliest class is in every set
    for c, name in enumerate(CLASSES):
        miss, quantile = np.sort(1 - held[outcome.truth == c]), conformal.quantiles[c]
        rank = int(np.ceil((len(miss) + 1) * 0.9 - 1e-9))
        # By the viewer's own way from the files, to the rounding of the stored weights.
        assert quantile == pytest.approx(miss[rank - 1] if rank <= len(miss) else 1.0, abs=5e-3), name
    assert "kept to calibrate with and not needed for it" in package.manifest.training.split
    assert "(fresh squares)" in package.card and "each label by itself" in package.card


def test_half_precision_is_taken_as_far_as_it_does_no_harm() -> None:
    state = {
        name: np.ones((2, 2, 1, 1) if "conv" in name else 2, np.float32)
        for name in ("conv1", "layer3.conv", "layer4.bn")
    }

    def dtypes(arrays: dict[str, np.ndarray]) -> list[str]:
        return [array.dtype.name for array in arrays.values()]

    arrays, dtype = in_half_precision(state, lambda arrays: 0.0)
    assert (dtypes(arrays), dtype) == (["float16"] * 3, "float16")
    arrays, dtype = in_half_precision(state, lambda arrays: 0.0 if arrays["conv1"].dtype == np.float32 else 0.01)
    assert (dtypes(arrays), dtype) == (["float32", "float16", "float32"], "mixed")
    arrays, dtype = in_half_precision(state, lambda arrays: 0.01)
    assert (dtypes(arrays), dtype) == (["float32"] * 3, "float32")


def test_nothing_is_pickled_and_no_path_stands_in_the_package(learned: Path, tmp_path: Path) -> None:
    package_run(learned, tmp_path / "model", WORDS)
    files = [file for file in (*learned.rglob("*"), *(tmp_path / "model").iterdir()) if file.is_file()]
    for file in files:
        data = file.read_bytes()
        assert not data.startswith((b"PK", b"\x80\x04", b"\x80\x02")), file
    for name in ("model.json", "MODEL_CARD.md"):
        assert str(learned.parent) not in (tmp_path / "model" / name).read_text()


def test_the_commands_run_one_after_the_other(bci: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "quick.toml"
    fit_section = '[fit]\nepochs = 1\nbatch = 16\nstart = "none"\n[fit.layout]\nwidth = 64\nheight = 64\n'
    recipe.write_text(
        fit_section + '[card]\nname = "quick"\nversion = "1"\nsummary = "s"\ndata = "d"\nlimits = ["l"]\n'
    )
    run, model = tmp_path / "run", tmp_path / "model"
    runner = CliRunner()
    result = runner.invoke(app, ["fit", str(bci), "--out", str(run), "--recipe", str(recipe)])
    assert result.exit_code == 0, result.output
    result = runner.invoke(
        app, ["package", str(run), "--out", str(model), "--recipe", str(recipe), "--on", f"squares={bci}"]
    )
    assert result.exit_code == 0, result.output
    result = runner.invoke(app, ["evaluate", str(model), str(bci), "--json", str(tmp_path / "figures.json")])
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "figures.json").read_text())
    in_card = open_package(model).manifest.metrics
    assert [m["value"] for m in figures["metrics"]] == pytest.approx([m.value for m in in_card])
    assert np.array(figures["confusion"]).shape == (len(CLASSES),) * 2


def test_a_package_without_a_recipe_says_only_what_its_run_knows(learned: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["package", str(learned), "--out", str(tmp_path / "model")])
    assert result.exit_code == 0, result.output
    made = open_package(tmp_path / "model")
    assert made.manifest.name == "her2-resnet18-run"
    assert made.manifest.caution == ""
    assert "120 pairs of a folder named 'learnable" in made.manifest.training.data
    assert "phantom" not in made.card

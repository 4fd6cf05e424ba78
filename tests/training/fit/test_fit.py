import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from her2viewer.errors import UserError
from her2viewer.scoring.network import ResNet18
from her2viewer.scoring.package import open_package
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from tests.training.conftest import write_pair
from training.__main__ import app
from training.data.index import CLASSES, index_folder
from training.evaluation.outcome import confusion, metrics, predict
from training.fit.start import starting_network
from training.fit.trainer import epoch_order, fit
from training.package import conformal_quantile, fitted_temperature, in_half_precision, package_run, with_metrics
from training.recipes.recipe import NONE, Description, Recipe

SMALL = InputLayout(width=64, height=64)
QUICK = Recipe(epochs=2, batch=8, start="none", layout=SMALL)
WORDS = Description(
    name="for-tests", version="0", summary="A model of the tests.", data="squares with brown spots", limits=("none",)
)


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    tensors = load_file(run / f"{name}.safetensors")
    return {key: tensor for key, tensor in tensors.items() if key.startswith("network.")}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


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
    assert "squares" in again.card and "For Research Use Only" in again.card
    assert confusion(outcome).sum() == 8


def test_the_package_gives_the_runs_own_probabilities(learned: Path, bci: Path, tmp_path: Path) -> None:
    package = package_run(learned, tmp_path / "model", WORDS)
    network = ResNet18.from_state({k.removeprefix("network."): t for k, t in weights(learned, "best").items()})
    stored = package.weights()
    limit = 0 if package.manifest.weights.dtype == "float32" else 2e-3
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            assert np.allclose(stored[name], tensor.numpy(), rtol=limit, atol=limit / 10), name
    assert set(package.manifest.fixed_peaks) == {"layer1", "layer2", "layer3", "layer4"}
    assert min(package.manifest.fixed_peaks.values()) > 0


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


def test_one_seed_gives_one_network_and_another_another(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit(
            index,
            Recipe(epochs=1, batch=8, start="none", layout=SMALL, seed=seed),
            tmp_path / name,
            say=lambda text: None,
        )
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


def test_a_killed_fit_resumes_to_the_weights_of_an_unbroken_one(bci: Path, tmp_path: Path) -> None:
    fit(index_folder(bci), QUICK, tmp_path / "unbroken", say=lambda text: None, threads=1)
    code = (
        "from pathlib import Path; import sys; from training.fit.trainer import *\n"
        "from training.data.index import index_folder\n"
        "fit(index_folder(Path(sys.argv[1])), Recipe(epochs=2, batch=8, start='none', layout=InputLayout(width=64, height=64)),"
        " Path(sys.argv[2]), say=lambda text: print(text, flush=True), threads=1)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(bci), str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1/2"):
            break
    time.sleep(0.05)  # a moment into the second epoch
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    fit(index_folder(bci), QUICK, tmp_path / "killed", resume=True, say=lambda text: None, threads=1)
    assert same(weights(tmp_path / "unbroken"), weights(tmp_path / "killed"))
    rows = (tmp_path / "killed" / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2"]


def test_only_the_train_split_is_touched(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    only_train = type(index)(index.root, index.of("train"), ())
    one = Recipe(epochs=1, batch=8, start="none", layout=SMALL)
    fit(index, one, tmp_path / "with", say=lambda text: None)
    fit(only_train, one, tmp_path / "without", say=lambda text: None)
    assert same(weights(tmp_path / "with"), weights(tmp_path / "without"))


def test_nothing_is_pickled_and_no_path_stands_in_the_package(learned: Path, tmp_path: Path) -> None:
    package_run(learned, tmp_path / "model", WORDS)
    for file in (*learned.iterdir(), *(tmp_path / "model").iterdir()):
        data = file.read_bytes()
        assert not data.startswith((b"PK", b"\x80\x04", b"\x80\x02")), file
    for name in ("model.json", "MODEL_CARD.md"):
        assert str(learned.parent) not in (tmp_path / "model" / name).read_text()


def test_each_class_is_drawn_equally_often_and_order_is_of_seed_and_epoch() -> None:
    labels = np.array([0] * 5 + [1] * 50 + [2] * 100 + [3] * 45)
    members = list(range(200))
    order = epoch_order(labels, members, QUICK, 0)
    counts = np.bincount(labels[order])
    assert counts.max() - counts.min() <= 4
    assert not np.array_equal(order, epoch_order(labels, members, QUICK, 1))
    assert np.array_equal(order, epoch_order(labels, members, QUICK, 0))
    plain = epoch_order(labels, members, Recipe(sampling="all"), 0)
    assert sorted(plain) == members


def test_partial_start_passes_the_folded_convolutions_through(tmp_path: Path) -> None:
    """A whole network's folded weights, put in, give that network back on the calibration fields."""
    from her2viewer.scoring.network import fold
    from tests.scoring.conftest import random_network

    folded = fold(random_network(3))
    arrays = {}
    for name, module in folded.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            arrays[f"{name}.weight"], arrays[f"{name}.bias"] = module.weight.numpy(), module.bias.numpy()
    np.savez(tmp_path / "whole.npz", **arrays)
    x = torch.randn(8, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    network, words = starting_network(f"partial:{tmp_path / 'whole.npz'}", 4, 0, x, print)
    assert words.startswith("20 of 20")
    with torch.inference_mode():
        expected, measured = folded.features(x), network.eval().features(x)
        assert (expected - measured).abs().max() / expected.abs().max() < 1e-4
        assert (expected - network.train().features(x)).abs().max() / expected.abs().max() < 1e-3


def test_missing_convolutions_start_as_their_shortcut(tmp_path: Path) -> None:
    np.savez(tmp_path / "none.npz", **{"conv1.bias": np.zeros(64, np.float32)})
    network, words = starting_network(f"partial:{tmp_path / 'none.npz'}", 4, 0, torch.randn(2, 3, 64, 64), print)
    assert words.startswith("0 of 20")
    with torch.inference_mode():
        x = network.layer1(network.stem(torch.randn(1, 3, 64, 64)))
        assert torch.equal(network.layer1(x), x)


def test_a_start_that_is_none_is_refused(tmp_path: Path) -> None:
    x = torch.randn(2, 3, 64, 64)
    with pytest.raises(UserError, match="'magic' is no start; use imagenet"):
        starting_network("magic", 4, 0, x, print)
    (tmp_path / "bad.npz").write_text("no arrays")
    with pytest.raises(UserError, match=r"bad\.npz"):
        starting_network(f"partial:{tmp_path / 'bad.npz'}", 4, 0, x, print)


def test_without_a_network_imagenet_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import ResNet18_Weights

    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", offline)
    said: list[str] = []
    _, words = starting_network("imagenet", 4, 0, torch.randn(2, 3, 64, 64), said.append)
    assert "cannot be downloaded (no route to host)" in said[0]
    assert words.startswith("random weights")


def test_temperature_undoes_a_known_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in p])
    assert fitted_temperature((logits * 3).astype(np.float32), truth) == pytest.approx(3, rel=0.08)


def test_conformal_sets_cover_what_they_promise() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(4), 6000)
    truth = np.array([rng.choice(4, p=row) for row in p])
    q = conformal_quantile(p[:1000], truth[:1000])
    covered = (1 - p[1000:][np.arange(5000), truth[1000:]] <= q).mean()
    assert covered == pytest.approx(0.9, abs=0.025)


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


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[fit]\nepoch = 3", "no setting 'epoch'"),
        ("no toml at all [", "cannot be read"),
        ("[card]\nname = 'x'", "lacks 'version'"),
    ],
)
def test_a_recipe_with_a_mistake_names_it(tmp_path: Path, text: str, word: str) -> None:
    from training.recipes.reading import read_description, read_recipe

    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=word):
        read_recipe(path)
        read_description(path)

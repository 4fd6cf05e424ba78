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

import training.fit.module
import training.fit.run
from her2viewer.errors import UserError
from her2viewer.scoring.preprocess import InputLayout
from tests.training.conftest import write_pair
from training.data.index import CLASSES, index_folder
from training.fit.checkpoint import load_tree, save_tree
from training.fit.predict import best_network, load_run
from training.fit.run import Machine, fit
from training.recipes.recipe import NONE, Recipe

SMALL = InputLayout(width=64, height=64)
QUICK = Recipe(epochs=2, batch=8, start="none", layout=SMALL)
ONE = Machine(threads=1)


def silent(text: str) -> None:
    """Says nothing."""


def weights(run: Path, name: str = "last") -> dict[str, torch.Tensor]:
    return load_file(run / f"{name}.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_one_seed_gives_one_network_and_another_another(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit(index, QUICK.model_copy(update={"epochs": 1, "seed": seed}), tmp_path / name, say=silent)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


KILLED = """
import sys, time
from pathlib import Path
import training.fit.checkpoint
from training.data.index import index_folder
from training.fit.run import Machine, fit
from training.recipes.recipe import Recipe

slow = training.fit.checkpoint.save_file
def save_slowly(tensors, path, metadata):
    if sys.argv[4] == "writing" and str(path).count("last") and "2/" in said[-1:][0] + "2/":
        Path(path).write_bytes(b"half a checkpoint")
        if said:
            print("writing", flush=True)
            time.sleep(60)
    slow(tensors, path, metadata=metadata)
said = []
training.fit.checkpoint.save_file = save_slowly
def say(text):
    said.append(text)
    print(text, flush=True)
recipe = Recipe.model_validate_json(sys.argv[3])
fit(index_folder(Path(sys.argv[1])), recipe, Path(sys.argv[2]), machine=Machine(threads=1), say=say)
"""


@pytest.mark.parametrize("moment", ["learning", "writing"])
def test_a_killed_fit_resumes_to_the_weights_of_an_unbroken_one(bci: Path, tmp_path: Path, moment: str) -> None:
    recipe = QUICK.model_copy(update={"average": 0.9, "patience": 5})
    fit(index_folder(bci), recipe, tmp_path / "unbroken", say=silent, machine=ONE)
    command = [sys.executable, "-c", KILLED, str(bci), str(tmp_path / "killed"), recipe.model_dump_json(), moment]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1/2" if moment == "learning" else "writing"):
            break
    time.sleep(0.05)  # a moment into the second epoch, or in the middle of its checkpoint
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    fit(index_folder(bci), recipe, tmp_path / "killed", resume=True, say=silent, machine=ONE)
    for name in ("last", "best"):
        assert same(weights(tmp_path / "unbroken", name), weights(tmp_path / "killed", name))
    rows = (tmp_path / "killed" / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2"]


def test_only_the_train_split_is_touched(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    only_train = type(index)(index.root, index.of("train"), ())
    one = QUICK.model_copy(update={"epochs": 1})
    fit(index, one, tmp_path / "with", say=silent)
    fit(only_train, one, tmp_path / "without", say=silent)
    assert same(weights(tmp_path / "with"), weights(tmp_path / "without"))


def test_every_setting_trains(bci: Path, tmp_path: Path) -> None:
    """Each of these takes another way through the code; what they learn is not asked here."""
    index = index_folder(bci)
    ways: dict[str, dict[str, object]] = {
        "ordinal": {"loss": "ordinal", "class_weights": True, "sampling": "undersampling"},
        "adam": {"optimizer": "adam", "schedule": "constant", "sampling": "all", "precision": "bf16"},
        "ihc": {"layout": InputLayout(order=("ihc",), width=64, height=64), "average": 0.5},
        "grey": {"layout": InputLayout(width=128, height=64, colour="grayscale", white="background")},
    }
    for name, changes in ways.items():
        recipe = Recipe.model_validate(QUICK.model_dump() | {"epochs": 1} | changes)
        fit(index, recipe, tmp_path / name, say=silent)
        assert load_run(tmp_path / name)["recipe"] == recipe.model_dump(mode="json")
        network, facts = best_network(tmp_path / name, load_run(tmp_path / name))
        assert facts["epoch"] == 1 and all(bool(p.isfinite().all()) for p in network.parameters())


def test_training_stops_early_and_keeps_the_best(bci: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([1.0, 0.5, 0.7, 0.8, 0.1])
    real = training.fit.module.Training.log

    def log(self: training.fit.module.Training, name: str, value: torch.Tensor, **how: object) -> None:
        real(self, name, torch.tensor(next(losses)) if name == "validation_loss" else value, **how)

    monkeypatch.setattr(training.fit.module.Training, "log", log)
    fit(index_folder(bci), QUICK.model_copy(update={"epochs": 9, "patience": 2}), tmp_path / "run", say=silent)
    with (tmp_path / "run" / "log.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    assert best_network(tmp_path / "run", load_run(tmp_path / "run"))[1]["epoch"] == 2
    before, said = weights(tmp_path / "run"), []
    recipe = QUICK.model_copy(update={"epochs": 9, "patience": 2})
    fit(index_folder(bci), recipe, tmp_path / "run", resume=True, say=said.append)
    assert same(before, weights(tmp_path / "run")) and said[-1] == "run is done already."


def test_a_pupil_is_taught_by_several_runs(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    for seed in (0, 1):
        fit(index, QUICK.model_copy(update={"epochs": 1, "seed": seed}), tmp_path / f"teacher-{seed}", say=silent)
    pupil = QUICK.model_copy(update={"epochs": 1, "layout": InputLayout(order=("ihc",), width=64, height=64)})
    fit(index, pupil, tmp_path / "pupil", teachers=[tmp_path / "teacher-0", tmp_path / "teacher-1"], say=silent)
    fit(index, pupil, tmp_path / "alone", say=silent)
    assert load_run(tmp_path / "pupil")["teachers"] == ["teacher-0", "teacher-1"]
    assert not same(weights(tmp_path / "pupil"), weights(tmp_path / "alone"))
    assert not any("teacher" in name for name in weights(tmp_path / "pupil"))


def test_logs_are_written_for_people_and_for_tensorboard(bci: Path, tmp_path: Path) -> None:
    said: list[str] = []
    fit(index_folder(bci), QUICK, tmp_path / "run", say=said.append)
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["training_loss"]) > 0 and 0 <= float(row["validation_exact"]) <= 1 for row in rows)
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
    assert sum(line.startswith("epoch ") for line in said) == 2
    assert load_tree(tmp_path / "run" / "last.safetensors")["epoch"] == 1  # Lightning counts from 0


def test_bad_wishes_are_said_in_one_sentence(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    fit(index, QUICK.model_copy(update={"epochs": 1}), tmp_path / "run", say=silent)
    with pytest.raises(UserError, match="a training stands here already; go on with --resume"):
        fit(index, QUICK, tmp_path / "run", say=silent)
    with pytest.raises(UserError, match="this run began with epochs 1, not 2; resume with the same settings"):
        fit(index, QUICK, tmp_path / "run", resume=True, say=silent)
    with pytest.raises(UserError, match="this run began with no teacher; resume with the same --teacher"):
        one = QUICK.model_copy(update={"epochs": 1})
        fit(index, one, tmp_path / "run", teachers=[tmp_path / "run"], resume=True, say=silent)
    with pytest.raises(UserError, match="the pairs are not those"):
        fewer = type(index)(index.root, index.of("train")[:20], ())
        fit(fewer, QUICK.model_copy(update={"epochs": 1}), tmp_path / "run", resume=True, say=silent)
    with pytest.raises(UserError, match="not the folder of a fit"):
        fit(index, QUICK, tmp_path / "pupil", teachers=[tmp_path / "none"], say=silent)
    with pytest.raises(UserError, match="'two' names no devices"):
        fit(index, QUICK, tmp_path / "devices", machine=Machine(devices="two"), say=silent)
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="precision 16 needs a CUDA device"):
            fit(index, QUICK.model_copy(update={"precision": "16"}), tmp_path / "half", say=silent)


def test_a_class_without_a_pair_is_said(tmp_path: Path) -> None:
    for number in range(12):
        write_pair(tmp_path / "three", "train", number, CLASSES[number % 3], side=32)
    with pytest.raises(UserError, match=r"no pair of 3\+ to learn from"):
        fit(index_folder(tmp_path / "three"), QUICK, tmp_path / "run", say=silent)


def test_a_batch_too_large_for_the_gpu_names_one_that_fits(
    bci: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card of which only batches up to 3 fit."""

    from her2viewer.scoring.network import ResNet18

    forward = ResNet18.forward

    def small_card(self: ResNet18, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x)

    monkeypatch.setattr(ResNet18, "forward", small_card)
    with pytest.raises(UserError, match="a batch of 16 does not fit into the GPU's memory; train with --batch 2, into"):
        fit(index_folder(bci), QUICK.model_copy(update={"batch": 16}), tmp_path / "run", say=silent)


def test_a_checkpoint_of_another_network_and_a_loss_that_ran_away_are_said(bci: Path, tmp_path: Path) -> None:
    index = index_folder(bci)
    for name, network in (("one", "resnet18"), ("six", "resnet18-six-channels")):
        fit(index, Recipe.model_validate(QUICK.model_dump() | {"network": network}), tmp_path / name, say=silent)
    path = tmp_path / "one" / "last.safetensors"
    tree = load_tree(tmp_path / "six" / "last.safetensors")
    save_tree(path, tree | {"epoch": 0})
    with pytest.raises(UserError, match="it is a checkpoint of another training"):
        fit(index, QUICK, tmp_path / "one", resume=True, say=silent)
    wild = QUICK.model_copy(update={"learning_rate": 1e30, "schedule": "constant"})
    with pytest.raises(UserError, match="validation loss of epoch 1 is no number"):
        fit(index, wild, tmp_path / "wild", say=silent)


def test_several_devices_train_with_averaged_weights_and_a_short_last_batch(bci: Path, tmp_path: Path) -> None:
    """Two processes on the CPU: what several GPUs do, but for their memory."""
    code = (
        "import sys; from pathlib import Path\n"
        "from training.data.index import index_folder\n"
        "from training.fit.run import Machine, fit\n"
        "from training.recipes.recipe import Recipe\n"
        "if __name__ == '__main__':\n"
        "    fit(index_folder(Path(sys.argv[1])), Recipe.model_validate_json(sys.argv[3]), Path(sys.argv[2]),\n"
        "        machine=Machine(accelerator='cpu', devices='2', strategy='ddp', threads=1))\n"
    )
    script = tmp_path / "several.py"
    script.write_text(code, encoding="utf-8")
    recipe = QUICK.model_copy(update={"epochs": 1, "average": 0.9, "batch": 10, "sampling": "all"})
    command = [sys.executable, str(script), str(bci), str(tmp_path / "run"), recipe.model_dump_json()]
    root = Path(training.fit.run.__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("epoch 1/1") == 1
    assert best_network(tmp_path / "run", load_run(tmp_path / "run"))[1]["epoch"] == 1


def test_what_can_be_learned_is_learned(tmp_path: Path) -> None:
    for number in range(120):
        write_pair(tmp_path / "data", "train", number, CLASSES[number % 4], side=32)
    recipe = QUICK.model_copy(
        update={"epochs": 6, "batch": 16, "augmentation": NONE, "label_smoothing": 0.0, "learning_rate": 1e-3}
    )
    fit(index_folder(tmp_path / "data"), recipe, tmp_path / "run", say=silent)
    with (tmp_path / "run" / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["training_loss"]) < float(rows[0]["training_loss"]) / 3
    assert np.isfinite(json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["learning_rate"])

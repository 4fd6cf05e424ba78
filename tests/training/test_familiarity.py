from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from her2viewer.scoring.package import open_package
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.training.conftest import write_pair
from training.__main__ import app
from training.data.index import CLASSES, index_folder
from training.evaluation.outcome import read_field
from training.fit.run import fit
from training.package import package_run
from training.recipes.recipe import NONE, Description, Recipe

SMALL = InputLayout(width=64, height=64)
WORDS = Description(name="for-tests", version="0", summary="s", data="squares with brown spots", limits=("none",))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("known")
    for number in range(80):
        write_pair(root, "train", number, CLASSES[number % 4], side=32)
    recipe = Recipe(epochs=1, batch=16, start="none", layout=SMALL, augmentation=NONE, label_smoothing=0)
    fit(index_folder(root), recipe, root / "run", say=lambda text: None)
    return root


def test_a_package_knows_the_fields_that_its_run_learned_from(learned: Path, tmp_path: Path) -> None:
    package = package_run(learned / "run", tmp_path / "model", WORDS)
    section = package.manifest.familiarity
    assert section is not None and section.fields == 64
    assert set(section.limits) == set(Stain) and min(section.limits.values()) > 0.5
    assert "called unfamiliar" in package.card
    scorer = Scorer.open(open_package(package.folder), "cpu")
    for pair in index_folder(learned).of("train")[:4]:
        made = [one for one in scorer.score(read_field(pair)).guard.examined if one.name == "unfamiliar"]
        assert [one.stain for one in made] == list(SMALL.order) and all(one.passed for one in made)


def test_a_package_that_stands_is_given_its_reference_by_a_command(learned: Path, tmp_path: Path) -> None:
    package = package_run(learned / "run", tmp_path / "model", WORDS)
    weights = package.weights()
    bare = package.manifest.model_copy(update={"familiarity": None})
    (package.folder / "model.json").write_text(bare.model_dump_json(by_alias=True), encoding="utf-8")
    (package.folder / "familiarity.safetensors").unlink()
    words = ["familiarity", str(package.folder), str(learned), "--cache", str(learned / "cache")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    again = open_package(package.folder)
    reference = again.familiarity()
    assert reference is not None and reference.clouds[Stain.HE].centre.shape == (512,)
    assert all(np.array_equal(array, again.weights()[name]) for name, array in weights.items())
    assert again.manifest.identity == package.manifest.identity

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from her2viewer.errors import UserError
from tests.training.conftest import write_pair
from training.__main__ import app
from training.compare import Row, markdown, write_comparison
from training.data.index import CLASSES
from training.fit.predict import load_run
from training.recipes.reading import recipe_files

FIT = '[fit]\nstart = "none"\nbatch = 16\n{more}\n[fit.layout]\nwidth = {width}\nheight = 32\n{layout}'


def write_recipe(
    folder: Path, name: str, experiment: str, *, more: str = "", layout: str = "", width: int = 64
) -> None:
    folder.mkdir(exist_ok=True)
    text = f'[experiment]\ntitle = "{name}"\n{experiment}\n' + FIT.format(more=more, layout=layout, width=width)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("compared") / "data"
    for number in range(48):
        write_pair(root, "train", number, CLASSES[number % 4], side=32)
    for number in range(12):
        write_pair(root, "test", 100 + number, CLASSES[number % 4], side=32)
    return root


def test_recipes_are_run_and_written_as_one_table_and_not_run_again(data: Path, tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    write_recipe(recipes, "plain", 'group = "base"')
    write_recipe(recipes, "ihc", 'group = "stains"\nflips = true', layout='order = ["ihc"]', width=32)
    write_recipe(recipes, "ensemble", 'group = "ensemble"\nseeds = 2\ndistil = true', more="average = 0.5")
    command = ["compare", str(recipes), "--data", str(data), "--out", str(tmp_path / "out"), "--epochs", "1"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    with (tmp_path / "out" / "comparison.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["title"] for row in rows] == [
        "plain", "ihc", "ensemble, seed 0", "ensemble, seed 1", "ensemble of 2 seeds", "distilled into one"
    ]  # fmt: skip
    for row in rows:
        assert 0 <= float(row["low"]) <= float(row["exact"]) <= float(row["high"]) <= 1
        assert row["epochs"] == "1" and row["fields"] == "12"
    document = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert document["schema"] == "her2viewer.comparison/1" and len(document["rows"]) == 6
    assert document["test pairs"].startswith("12 (0: 3")
    table = (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8")
    assert table.count("\n| ") == 7 and str(tmp_path) not in table
    assert (tmp_path / "out" / "comparison.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert load_run(tmp_path / "out" / "ensemble-pupil")["teachers"] == ["ensemble-0", "ensemble-1"]

    trained = (tmp_path / "out" / "plain-0" / "best.safetensors").stat().st_mtime_ns
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "out" / "plain-0" / "best.safetensors").stat().st_mtime_ns == trained
    assert (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8") == table


def test_data_without_a_test_split_and_recipes_of_one_name_are_said(data: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_recipe(tmp_path / folder, "same", 'group = "base"')
    with pytest.raises(UserError, match="two recipes are called 'same'"):
        recipe_files([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(UserError, match="holds no recipe"):
        recipe_files([data])
    only_train = tmp_path / "train"
    for number in range(8):
        write_pair(only_train, "train", number, CLASSES[number % 4], side=32)
    result = CliRunner().invoke(
        app, ["compare", str(tmp_path / "a"), "--data", str(only_train), "--out", str(tmp_path / "out")]
    )
    assert isinstance(result.exception, UserError) and "no test pair" in str(result.exception)


def test_a_figure_that_cannot_be_told_is_no_number_in_the_table(tmp_path: Path) -> None:
    recalls: dict[str, float | None] = {"0": None, "1+": 1.0, "2+": 0.5, "3+": 0.0}
    row = Row("a", "A", "own", "64 x 32, IHC", 8, 3, 0.5, 0.2, 0.8, 0.4, None, 0.1, recalls, 0.2, 0.1, 1.0, 10)
    lines = markdown([row], {"test pairs": 10})
    assert lines[-1].startswith("| A | 64 x 32, IHC | 8 | 3 | 50.0% (20.0% to 80.0%) | 0.400 | - |")
    assert "| - | 100% | 50% | 0% |" in lines[-1]
    write_comparison([row], tmp_path, {"test pairs": 10})
    assert json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))["rows"][0]["kappa"] is None

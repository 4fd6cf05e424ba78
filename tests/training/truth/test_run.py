"""A whole run with a small package: rows, a kill, a second package, and the command with its files."""

import json
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from her2viewer.errors import UserError
from her2viewer.scoring.package import ModelPackage, open_package, write_package
from her2viewer.scoring.preprocess import InputLayout
from tests.scoring.conftest import manifest, random_network
from training.__main__ import app
from training.phantom.pair import make_phantom
from training.truth import run
from training.truth.maps import MapName
from training.truth.report import BEGIN, END
from training.truth.rows import PAIRS
from training.truth.run import judge_pairs, refuse_learned, rows_of

FEW = (MapName("DAB density"), MapName("Centre map"), MapName("Grad-CAM", "layer4"), MapName("LayerCAM", "layer4"))
SLOW = MapName("Occlusion", "input")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small phantoms and few maps: what is judged is tested elsewhere."""
    monkeypatch.setattr(run, "make_phantom", partial(make_phantom, side=256))
    monkeypatch.setattr(run, "every_map", lambda slow: (*FEW, SLOW) if slow else FEW)


def judge(package: ModelPackage, out: Path, count: int, slow: int = 0) -> int:
    return len(list(judge_pairs([package.folder], out, count=count, seed=505, slow=slow, workers=1)))


def test_a_broken_run_goes_on_and_ends_the_same(package: ModelPackage, tmp_path: Path) -> None:
    judge(package, tmp_path / "whole", 4)
    pairs = judge_pairs([package.folder], tmp_path / "broken", count=4, seed=505, slow=0, workers=1)
    next(pairs)
    next(pairs)
    pairs.close()
    with (tmp_path / "broken" / PAIRS).open("a") as file:
        file.write('{"model": "half a li')
    assert judge(package, tmp_path / "broken", 4) == 2
    whole, broken = (
        [(row.index, row.label, row.said, row.maps) for row in rows_of(package.manifest, tmp_path / name, 505, 4)]
        for name in ("whole", "broken")
    )
    assert broken == whole
    assert [row[0] for row in whole] == [0, 1, 2, 3]
    assert judge(package, tmp_path / "broken", 4) == 0


def test_more_pairs_and_slow_maps_are_added_to_what_is_there(package: ModelPackage, tmp_path: Path) -> None:
    assert judge(package, tmp_path, 2) == 2
    before = (tmp_path / PAIRS).read_bytes()
    assert judge(package, tmp_path, 3, slow=1) == 2  # the new pair, and the first one's slow map
    assert (tmp_path / PAIRS).read_bytes().startswith(before)
    rows = rows_of(package.manifest, tmp_path, 505, 3)
    assert [SLOW in {one.name for one in row.maps} for row in rows] == [True, False, False]
    assert [len(row.maps) for row in rows] == [5, 4, 4]
    assert len(rows_of(package.manifest, tmp_path, 505, 2)) == 2


def test_a_seed_that_the_package_has_learned_from_is_refused(package: ModelPackage) -> None:
    training = package.manifest.training
    learned = package.manifest.model_copy(
        update={"training": training.model_copy(update={"data": "2,040 phantom pairs (seed 2001, generator 2)."})}
    )
    with pytest.raises(UserError, match="seed 2001"):
        refuse_learned(learned, 2001)
    refuse_learned(learned, 200)
    refuse_learned(learned, 505)


def test_the_command_writes_table_plot_and_guide(package: ModelPackage, tmp_path: Path) -> None:
    arrays = {n: t.numpy() for n, t in random_network(1).state_dict().items() if t.is_floating_point()}
    wide = manifest(name="wide", input=InputLayout(width=128, height=64))
    other = write_package(tmp_path / "wide", wide, arrays, "# Random weights\n")
    guide = tmp_path / "guide" / "explanation.md"
    guide.parent.mkdir()
    guide.write_text(f"# Words before\n\n{BEGIN}\nold\n{END}\n\nWords after.\n")
    out = tmp_path / "out"
    asked = ["truth", str(package.folder), "--model", str(other.folder), "--out", str(out), "--guide", str(guide)]
    asked += ["--count", "8", "--slow", "2", "--workers", "1"]
    result = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert result.exit_code == 0, result.output

    document = json.loads((out / "truth.json").read_text())
    assert [model["name"] for model in document["models"]] == ["random-for-tests", "wide"]
    assert (document["seed"], document["pairs"]) == (505, 8)
    for model, opened in zip(document["models"], (package, open_package(other.folder)), strict=True):
        rows = rows_of(opened.manifest, out, 505, 8)
        assert model["right"] == sum(row.said == row.label for row in rows)
        line = next(
            line for line in model["lines"]
            if (line["name"]["method"], line["pairs"], line["stain"]) == ("LayerCAM", "all pairs", "ihc")
        )  # fmt: skip
        found = [one.marks["ihc"].mass for row in rows for one in row.maps if one.name == FEW[3] and one.marks]
        assert line["figures"]["mass"]["value"] == pytest.approx(sum(found) / len(found))

    head, *lines = (out / "truth.csv").read_text().splitlines()
    assert head.startswith("model,input,method,stage,stain,of,pairs,pointing")
    assert len(lines) == sum(len(model["lines"]) for model in document["models"])
    assert (out / "truth.svg").read_text().count("wide 0, input 128 x 64") == 1

    text = guide.read_text()
    assert text.startswith(f"# Words before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nWords after.\n")
    assert "\nold\n" not in text
    assert "### wide 0, input 128 x 64, IHC and H&E" in text
    assert "](pictures/truth.svg)" in text
    assert (guide.parent / "pictures" / "truth.svg").read_bytes() == (out / "truth.svg").read_bytes()
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert tables
    for line in tables:
        assert line.count("|") in (9, 10)
    again = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert again.exit_code == 0
    assert guide.read_text() == text


def test_a_guide_without_the_marks_is_refused_and_left_alone(package: ModelPackage, tmp_path: Path) -> None:
    guide = tmp_path / "page.md"
    guide.write_text("# A page\n")
    asked = ["truth", str(package.folder), "--out", str(tmp_path / "out"), "--guide", str(guide)]
    asked += ["--count", "4", "--workers", "1", "--slow", "0"]
    with pytest.raises(UserError, match="no part that this command writes"):
        CliRunner().invoke(app, asked, catch_exceptions=False)
    assert guide.read_text() == "# A page\n"
    assert not list(tmp_path.glob("out/truth.*"))

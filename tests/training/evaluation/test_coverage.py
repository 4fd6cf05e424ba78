import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from her2viewer.errors import UserError
from her2viewer.scoring.package import ModelPackage
from tests.scoring.conftest import manifest, package  # noqa: F401
from training.__main__ import app
from training.evaluation.coverage import BEGIN, END, Coverage, document, in_words, table, write_table
from training.evaluation.named_data import NamedData
from training.evaluation.outcome import Outcome
from training.evaluation.reliability import reliability


def outcome(count: int = 400, hit: float = 0.9, name: str = "squares") -> Outcome:
    """Fields of which the first `hit` are covered by a set of two classes and scored exactly; the last ten are not called."""
    truth = np.arange(count) % 4
    good = np.arange(count) < hit * count
    said = np.where(good, truth, (truth + 1) % 4)
    probabilities = np.full((count, 4), 0.1)
    probabilities[np.arange(count), said] = 0.7
    sets = probabilities > 0.5
    sets[np.arange(count), (said + 2) % 4] = True  # {0, 2+}, {1+, 3+}: with a gap
    sets[~good, truth[~good]] = False
    unsaid = np.zeros(count, bool)
    unsaid[-10:] = True
    return Outcome(name, probabilities, truth, sets, unsaid)


def test_the_figures_are_those_of_the_outcome() -> None:
    found = Coverage(outcome(), 0.9)
    figures = {figure.name: figure for figure in found.rows}
    assert figures["label in the prediction set"].value == pytest.approx(0.9)
    assert figures["mean size of the prediction set"].value == pytest.approx(2)
    assert figures["mean size of the prediction set"].low is not None
    assert figures["sets of 2 classes"].value == 1 and figures["sets of one class"].value == 0
    assert figures["sets that leave out a class in between"].value == 1
    assert figures["no call"].value == pytest.approx(10 / 400)
    assert figures["accuracy where a score is called"].value == pytest.approx(360 / 390)
    assert sum(figures[f"prediction sets holding {c}"].fields for c in ("0", "1+", "2+", "3+")) == 400
    assert all("%" in in_words(figures[name]) for name in ("no call", "accuracy"))


@pytest.mark.parametrize(
    ("count", "hit", "verdict"),
    [(8000, 0.9, "yes"), (400, 0.9, "yes by its value"), (400, 0.5, "no"), (400, 0.93, "no by its value")],
)
def test_within_two_points_is_told_with_its_interval(count: int, hit: float, verdict: str) -> None:
    found = Coverage(outcome(count, hit), 0.9).verdict
    assert found == verdict or found.startswith(f"{verdict};")


def test_the_table_takes_the_place_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "confidence.md"
    page.write_text(f"# Confidence\n\n{BEGIN}\nstale\n{END}\n\nAfter.\n", encoding="utf-8")
    measured = [Coverage(outcome(), 0.9), Coverage(outcome(40, name="few"), 0.9)]
    write_table(page, table(manifest(), measured))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Confidence\n") and text.endswith("\n\nAfter.\n") and "stale" not in text
    assert "| | squares | few |" in text and "| fields | 400 | 40 |" in text
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert json.loads(json.dumps(document(manifest(), measured)))["data"][1]["name"] == "few"
    page.write_text("# Nothing\n", encoding="utf-8")
    with pytest.raises(UserError, match="no place for the table"):
        write_table(page, [])


def test_reliability_counts_every_field_once_and_where_it_belongs() -> None:
    found = reliability(outcome())
    (only,) = found.bins
    assert (only.low, only.high) == pytest.approx((0.6, 0.7)) and only.fields == 400
    assert only.confidence == pytest.approx(0.7) and only.exact == pytest.approx(0.9)
    assert only.exact_low < 0.9 < only.exact_high
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), 500)
    truth = np.array([rng.choice(4, p=row) for row in p])
    bins = reliability(Outcome("x", p, truth, p > 2, p[:, 0] > 2)).bins
    assert sum(one.fields for one in bins) == 500
    assert all(one.low - 1e-9 <= one.confidence <= one.high + 1e-9 for one in bins)
    assert all(one.exact_low <= one.confidence <= one.exact_high for one in bins if one.fields > 50)


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("a=b", NamedData("a", Path("b"))),
        ("12 pairs=c:/bci:all", NamedData("12 pairs", Path("c:/bci"), "all")),
        ("x=ihc-only:all:ihc", NamedData("x", Path("ihc-only"), "all", "ihc")),
    ],
)
def test_data_by_name(word: str, named: NamedData) -> None:
    assert NamedData.parsed(word) == named


def test_a_word_that_names_no_data_is_refused() -> None:
    with pytest.raises(UserError, match="names no data"):
        NamedData.parsed("folder")


def test_the_command_measures_and_writes(package: ModelPackage, bci: Path, tmp_path: Path) -> None:  # noqa: F811
    page, figures = tmp_path / "confidence.md", tmp_path / "coverage.json"
    page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    words = [
        "coverage",
        str(package.folder),
        "--on",
        f"squares={bci}:all",
        "--write",
        str(page),
        "--json",
        str(figures),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "label in the prediction set" in page.read_text(encoding="utf-8")
    assert json.loads(figures.read_text())["data"][0]["figures"][0]["fields"] > 0
    assert CliRunner().invoke(app, ["coverage", str(package.folder)]).exception is not None


def test_phantoms_that_the_model_was_made_with_are_refused(tmp_path: Path) -> None:
    from her2viewer.scoring.package import bundled_packages

    words = ["coverage", str(bundled_packages()[0]), "--phantoms", str(tmp_path / "drawn"), "--seed", "2001"]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, UserError) and "seed 2001" in str(result.exception)
    assert not (tmp_path / "drawn").exists()

"""`her2viewer library`, through the command line as it is typed."""

import csv
from pathlib import Path

import pytest

from her2viewer.cases.library.library import Library
from tests.cases.library.conftest import pair, predict
from tests.cli.conftest import MakePairs, Run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Three cases: two readers, one model, one case not read."""
    place = tmp_path / "library.db"
    with Library(place) as library:
        for number, (score, tags) in enumerate([("2+", ["study"]), ("3+", ["study", "teaching"]), ("1+", [])]):
            case = library.open_case(pair(tmp_path / "a", f"S{number}", score)).id
            library.set_tags(case, tags)
            predict(library, case, score)
        for case, score, reader in ((1, "2+", "Ada"), (2, "2+", "Ada"), (1, "1+", "Bo")):
            library.read(case, score, "patchy", reader=reader, seconds=20)
        library.reveal(2, "a" * 64, "Ada")
        library.read(2, "3+", reader="Ada")
    return place


def test_cases_are_listed_and_found(place: Path, her2viewer: Run) -> None:
    outcome = her2viewer("library", "list", "--library", place)
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["case", "title", "label", "model", "reader", "tags"]
    assert [line.split()[1] for line in lines[1:]] == ["S2", "S1", "S0"]
    assert lines[2].split() == ["2", "S1", "3+", "3+", "3+", "study,", "teaching"]
    assert "More than 1" in her2viewer("library", "list", "--most", "1", "--library", place).out
    found = her2viewer("library", "search", "s1", "3+", "--tag", "study", "--library", place)
    assert [line.split()[1] for line in found.out.splitlines()[1:]] == ["S1"]
    assert her2viewer("library", "search", "nothing", "--library", place).out == "No case.\n"


def test_readings_are_said_and_written(place: Path, her2viewer: Run, tmp_path: Path) -> None:
    lines = her2viewer("library", "readings", "--library", place).out.splitlines()
    assert [line.split()[1:6] for line in lines[1:]] == [
        ["S0", "Ada", "2+", "2+", "blind"],
        ["S0", "Bo", "1+", "2+", "blind"],
        ["S1", "Ada", "3+", "3+", "agreed"],
    ]
    out = tmp_path / "readings.csv"
    outcome = her2viewer("library", "readings", "--csv", out, "--library", place)
    assert outcome.status == 0 and outcome.out.startswith("4 readings. Written to ")
    with out.open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert [(row["title"], row["reader"], row["reader_score"], row["last"]) for row in written] == [
        ("S0", "Ada", "2+", "1"),
        ("S1", "Ada", "2+", "0"),
        ("S0", "Bo", "1+", "1"),
        ("S1", "Ada", "3+", "1"),
    ]
    assert str(tmp_path) not in out.read_text(encoding="utf-8-sig")
    assert her2viewer("library", "readings", "--notes", "--library", place).status == 2


def test_agreement_is_told_with_intervals(place: Path, her2viewer: Run) -> None:
    outcome = her2viewer("library", "agreement", "--library", place)
    assert outcome.status == 0
    for words in (
        "3 readings, 3 of them beside a score of the model.",
        "3 cases scored by both: too few",
        "All (3 cases): exact 66.7% (20.8% to 93.9%)",  # Wilson's interval of 2 in 3
        "Blind (3 cases): exact 33.3%",
        "Changed once the score was seen: 1, 1 of them towards the model.",
        "Time to the first reading: median 20 s",
        "Ada: 2 cases, exact 100.0%",
        "Ada beside Bo: 1 case, exact 0.0%",
    ):
        assert words in outcome.out, words
    assert "1 reading, 1 of them" in her2viewer("library", "agreement", "--tag", "teaching", "--library", place).out
    assert "3 of them" in her2viewer("library", "agreement", "--model", "m 1", "--library", place).out
    outcome = her2viewer("library", "agreement", "--model", "x", "--library", place)
    assert outcome.status == 2 and "name one of these: m 1 (aaaaaaaa)" in outcome.err


def test_a_batch_becomes_cases(make_pairs: MakePairs, her2viewer: Run, tmp_path: Path) -> None:
    make_pairs(3)
    out, place = tmp_path / "out", tmp_path / "new" / "library.db"
    (tmp_path / "pairs" / "HE" / "00001_train_1+.png").write_bytes(b"no picture")
    assert her2viewer("score", tmp_path / "pairs", "--out", out, "--device", "cpu").status == 1
    outcome = her2viewer("library", "import", out, tmp_path / "pairs", "--library", place)
    assert outcome.status == 1 and outcome.out == "2 cases in the library, 1 left out.\n"
    assert outcome.err == "00001_train_1+: left out, it was not scored.\n"
    listed = her2viewer("library", "list", "--library", place).out
    assert "00000_train_0" in listed and "00002_train_2+" in listed


def test_a_damaged_library_is_restored(place: Path, her2viewer: Run) -> None:
    outcome = her2viewer("library", "restore", "--library", place)
    assert outcome.status == 2 and "can be read" in outcome.err
    Library(place).close()  # makes the copy
    place.write_bytes(b"x" * 5000)
    outcome = her2viewer("library", "list", "--library", place)
    assert outcome.status == 2 and "her2viewer library restore" in outcome.err
    outcome = her2viewer("library", "restore", "--library", place)
    assert outcome.status == 0 and "took its place" in outcome.out
    assert "S0" in her2viewer("library", "list", "--library", place).out


def test_no_library_yet_is_said(her2viewer: Run, tmp_path: Path) -> None:
    for command in ("list", "search", "readings", "agreement", "restore"):
        outcome = her2viewer("library", command, "--library", tmp_path / "library.db")
        assert outcome.status == 2 and outcome.err.startswith("Error: library.db: there is no case library yet"), command
    assert list(tmp_path.iterdir()) == []

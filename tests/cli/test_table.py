from pathlib import Path

import pytest

from tests.cli.conftest import MakePairs, Run


def test_tables_are_made_anew_from_the_rows(make_pairs: MakePairs, her2viewer: Run, tmp_path: Path) -> None:
    make_pairs(3)
    out = tmp_path / "out"
    assert her2viewer("score", str(tmp_path / "pairs"), "--out", str(out), "--device", "cpu").status == 0
    before = {name: (out / name).read_bytes() for name in ("results.csv", "results.json")}
    for name in before:
        (out / name).unlink()  # as after a kill
    outcome = her2viewer("table", str(out))
    assert outcome.status == 0 and "3 rows" in outcome.out
    assert {name: (out / name).read_bytes() for name in before} == before


def test_a_table_that_cannot_be_written_leaves_the_other(make_pairs: MakePairs, her2viewer: Run, tmp_path: Path) -> None:
    make_pairs(1)
    out = tmp_path / "out"
    assert her2viewer("score", str(tmp_path / "pairs"), "--out", str(out), "--device", "cpu").status == 0
    (out / "results.csv").unlink()
    (out / "results.csv").mkdir()
    (out / "results.json").unlink()
    outcome = her2viewer("table", str(out))
    assert outcome.status == 2 and outcome.err.startswith("Error: results.csv: a folder has this name")
    assert (out / "results.json").is_file()


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_rows_is_said(name: str, her2viewer: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = her2viewer("table", str(tmp_path / name))
    assert outcome.status == 2 and "there are no rows in it" in outcome.err and outcome.err.count("\n") == 1

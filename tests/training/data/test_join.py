from pathlib import Path

from typer.testing import CliRunner

from tests.training.conftest import write_pair
from training.__main__ import app
from training.data.index import index_folder


def test_two_data_sets_become_one_table_that_knows_where_each_pair_came_from(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for number in range(4):
            write_pair(tmp_path / name, "train", number, ("0", "1+", "2+", "3+")[number], side=32)
    table = tmp_path / "all.csv"
    result = CliRunner().invoke(app, ["index", str(tmp_path / "one"), str(tmp_path / "two"), "--table", str(table)])
    assert result.exit_code == 0, result.output
    found = index_folder(table)
    assert len(found.pairs) == 8 and not found.refused
    assert len({pair.case_id for pair in found.pairs}) == len({pair.group for pair in found.pairs}) == 8
    assert {pair.case_id.split("/")[0] for pair in found.pairs} == {"one", "two"}
    assert str(tmp_path) not in table.read_text(encoding="utf-8")


def test_several_data_sets_without_a_table_are_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["index", str(tmp_path), str(tmp_path)])
    assert result.exit_code == 2 and "--table" in result.output

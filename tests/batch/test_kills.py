import sys
from pathlib import Path

import pytest

from her2viewer.batch.store import RowStore
from her2viewer.scoring.package import ModelPackage
from tests.batch.conftest import MakePairs
from tests.batch.kills import finish, killed


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there, and no forkserver")
def test_a_command_that_is_killed_again_and_again_loses_nothing(
    make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path
) -> None:
    """The short form of `python -m tests.batch kills`."""
    pairs, out = make_pairs(60), tmp_path / "out"
    command = ["score", str(tmp_path / "pairs"), "--model", str(random_package.folder), "--device", "cpu"]
    assert killed(command, out, 5) == 5
    store = RowStore(out)
    before = {row.case_id: row for row in store.rows()}
    store.close()
    assert finish(command, out) == {pair.case_id for pair in pairs}
    store = RowStore(out)
    after = {row.case_id: row for row in store.rows()}
    store.close()
    assert len(before) < 60 and {case_id: after[case_id] for case_id in before} == before, "none was scored twice"

import sys
from pathlib import Path

import pytest

from her2viewer.scoring.scorer import Scorer
from tests.batch.bad_files import KINDS, check_run, spoiled
from tests.batch.conftest import MakePairs


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and few links there")
def test_bad_files_of_twenty_kinds_cost_their_rows_alone(
    make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path
) -> None:
    """The short form of `python -m tests.batch`."""
    pairs = make_pairs(2 * len(KINDS))
    bad = spoiled(pairs, 2)
    assert set(bad.values()) == set(KINDS) and len(KINDS) == 20
    summary = check_run(pairs, bad, random_scorer, tmp_path / "out")
    assert (summary.scored, summary.failed) == (20, 20)

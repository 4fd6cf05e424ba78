"""`python -m tests.batch [bad [PAIRS] | kills [KILLS]]`: so many pairs with 5% bad ones, or a run that is killed so often."""

import sys
import tempfile
from pathlib import Path

from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.scorer import Scorer
from tests.batch.bad_files import check_run, spoiled
from tests.batch.conftest import write_pair
from tests.batch.kills import kill_often


def bad_files(count: int) -> str:
    """By the model that ships; what came of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pairs = [write_pair(folder / "pairs", seed, (256, 256)) for seed in range(count)]
        bad = spoiled(pairs, 20)
        summary = check_run(pairs, bad, Scorer.open(bundled_package(), "cpu"), folder / "out")
    kinds = len(set(bad.values()))
    return f"{summary.scored} good rows as their pairs alone to 1e-5; {summary.failed} bad rows of {kinds} kinds say why."


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "bad"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else None
    print(kill_often(count or 100) if what == "kills" else bad_files(count or 1000))

"""`python -m tests.batch [PAIRS]`: so many pairs with 5% bad ones of twenty kinds, by the model that ships."""

import sys
import tempfile
from pathlib import Path

from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.scorer import Scorer
from tests.batch.bad_files import check_run, spoiled
from tests.batch.conftest import write_pair

if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        pairs = [write_pair(folder / "pairs", seed, (256, 256)) for seed in range(count)]
        bad = spoiled(pairs, 20)
        summary = check_run(pairs, bad, Scorer.open(bundled_package(), "cpu"), folder / "out")
    kinds = len(set(bad.values()))
    print(f"{summary.scored} good rows as their pairs alone to 1e-5; {summary.failed} bad rows of {kinds} kinds say why.")

"""A batch by the Dask engine beside the same batch on this machine, in one run: two workers of one thread each."""

import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from her2viewer.batch.engines.address import engine_of
from her2viewer.batch.engines.cluster import Cluster, connected
from her2viewer.batch.engines.cluster_run import run_on_cluster
from her2viewer.batch.engines.order import Order
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.run import run_batch
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.folders import pair_folder
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.scorer import Scorer
from tests.batch.engines.dask_processes import dask_processes
from tests.benchmarks.batch import PAIRS, write_study
from tests.benchmarks.measure import Row, in_turn, within

WORKERS = 2
ROUNDS = 5


def rows() -> list[Row]:
    """Scores alone, and with an overlay a pair, whose pictures come back from the workers."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_study(folder / "study")
        with _workers(folder) as cluster:
            return [_row(folder, cluster, overlay) for overlay in (False, True)]


def _row(folder: Path, cluster: Cluster, overlay: bool) -> Row:
    pairs = pair_folder(folder / "study").pairs
    package = bundled_package()
    scorer, runs = Scorer.open(package, "cpu"), itertools.count()

    def options() -> BatchOptions:
        return BatchOptions(folder / f"out-{next(runs)}", overlay=overlay, model=package.manifest.identity)

    def here() -> None:
        asked = options()
        assert run_batch(pairs, scorer, asked).scored == PAIRS
        shutil.rmtree(asked.out)

    def there() -> None:
        asked = options()
        order = Order.of(package, "cpu", "fp32", asked)
        assert run_on_cluster(cluster, pairs, order, BatchWriter(asked)).scored == PAIRS
        shutil.rmtree(asked.out)

    seconds = in_turn({"Dask": there, "local engine": here}, rounds=ROUNDS, warm_up=1)
    what = "scores and overlays" if overlay else "scores"
    return within(f"{PAIRS} pairs, {what}, {WORKERS} Dask workers of one thread", seconds, "Dask", "local engine", 1.15)


@contextmanager
def _workers(folder: Path) -> Iterator[Cluster]:
    """All of them are there."""
    (folder / "dask").mkdir()
    with dask_processes(folder / "dask") as processes:
        processes.add_workers(WORKERS)
        address = engine_of(processes.address)
        assert address is not None
        with connected(address) as cluster:
            while cluster.count_threads() < WORKERS:
                time.sleep(0.1)
            yield cluster

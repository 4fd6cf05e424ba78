"""A real scheduler with real worker processes, started as the guide says; workers are killed, schedulers too."""

import csv
import functools
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from her2viewer.batch.engines import cluster as cluster_module
from her2viewer.batch.engines import cluster_run, stream
from her2viewer.batch.engines.address import engine_of
from her2viewer.batch.engines.cluster import Cluster, connected
from her2viewer.batch.engines.cluster_run import check_workers, run_on_cluster
from her2viewer.batch.engines.order import Order
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow
from her2viewer.batch.run import run_batch
from her2viewer.batch.writer import BatchWriter
from her2viewer.errors import ClusterError
from her2viewer.scoring.package import MANIFEST, ModelPackage, open_package
from her2viewer.scoring.scorer import Scorer
from tests.batch.conftest import MakePairs
from tests.batch.engines.dask_processes import DEADLY, DaskProcesses, dask_processes, watched_work
from tests.cli.conftest import Run, her2viewer

__all__ = ["her2viewer"]

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kills processes as Unix does"),
    # Dask's own sockets and event loops, closed after the client is.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and three workers of one thread each; a task is given up when two workers died of it."""
    with dask_processes(tmp_path_factory.mktemp("dask")) as processes:
        processes.add_workers(3)
        yield processes


@pytest.fixture
def fresh(dask: DaskProcesses) -> DaskProcesses:
    dask.diary.unlink(missing_ok=True)
    return dask


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command hands out work that is told of, and deadly where it is asked to be."""
    monkeypatch.setattr(cluster_run, "run_on_cluster", functools.partial(run_on_cluster, work=watched_work))


@pytest.fixture
def model(random_package: ModelPackage) -> list[object]:
    return ["--model", random_package.folder, "--device", "cpu"]


def objects(folder: Path) -> list[dict[str, object]]:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def once_written(out: Path, count: int, then: Callable[[], None]) -> threading.Thread:
    """A thread that waits until so many results are there and then does something."""

    def wait() -> None:
        until = time.monotonic() + 60
        while len(list(out.glob("*_train_*.json"))) < count and time.monotonic() < until:
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def assert_as_on_one_machine(out: Path, pairs: Path, scorer: Scorer, tmp_path: Path) -> None:
    """Same files, same tables in the same order, same numbers to 1e-5."""
    from her2viewer.cases.pairing import pair_folder

    alone = tmp_path / "alone"
    run_batch(
        pair_folder(pairs).pairs, scorer, BatchOptions(alone, overlay=False, model=scorer.package.manifest.identity, root=pairs)
    )
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in alone.iterdir())
    found, expected = objects(out), objects(alone)
    for one, other in zip(found, expected, strict=True):
        difference = np.subtract(list(one["probabilities"].values()), list(other["probabilities"].values()))  # type: ignore[attr-defined]
        assert np.abs(difference).max() <= 1e-5
        assert {k: v for k, v in one.items() if k not in ("probabilities", "seconds", "utc")} == {
            k: v for k, v in other.items() if k not in ("probabilities", "seconds", "utc")
        }
    tables = [list(csv.reader((folder / "results.csv").open(encoding="utf-8-sig"))) for folder in (out, alone)]
    assert [row[:1] for row in tables[0]] == [row[:1] for row in tables[1]] and tables[0][0] == tables[1][0]


@pytest.mark.usefixtures("watched")
def test_a_worker_killed_half_way_costs_nothing_and_no_row_stands_twice(
    her2viewer: Run, fresh: DaskProcesses, make_pairs: MakePairs, model: list[object], random_scorer: Scorer, tmp_path: Path
) -> None:
    pairs, out = make_pairs(60), tmp_path / "out"
    written: list[str] = []

    def kill() -> None:
        os.kill(fresh.pids()[0], signal.SIGKILL)
        written.extend(path.stem for path in out.glob("*_train_*.json"))

    killing = once_written(out, 15, kill)
    outcome = her2viewer("score", tmp_path / "pairs", "--out", out, "--engine", fresh.address, *model)
    killing.join()
    assert outcome.status == 0, outcome.err
    assert "Scored 60 of 60 pairs" in outcome.out
    assert 15 <= len(written) < 60
    assert_as_on_one_machine(out, tmp_path / "pairs", random_scorer, tmp_path)
    begun = Counter(fresh.begun())
    assert set(begun) == {pair.case_id for pair in pairs}
    # What was written is never scored again; what the worker had in hand is, and no more than that.
    assert all(begun[case_id] == 1 for case_id in written)
    assert sum(begun.values()) - 60 <= stream.AHEAD * stream.ITEMS_AT_MOST


@pytest.mark.usefixtures("watched")
def test_a_pair_that_ends_its_workers_is_a_row_that_says_so(
    her2viewer: Run, fresh: DaskProcesses, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pairs = make_pairs(30)
    rows = [f"{pair.he},{pair.ihc},{DEADLY if i == 11 else pair.case_id}\n" for i, pair in enumerate(pairs)]
    (tmp_path / "list.csv").write_text("he,ihc,case_id\n" + "".join(rows), encoding="utf-8")
    out = tmp_path / "out"
    outcome = her2viewer("score", tmp_path / "list.csv", "--out", out, "--engine", fresh.address, *model)
    assert outcome.status == 1
    found = objects(out)
    assert [row["case_id"] for row in found] == [DEADLY if i == 11 else pair.case_id for i, pair in enumerate(pairs)]
    assert [row["case_id"] for row in found if "error" in row] == [DEADLY]
    assert "2 workers ended while they scored this pair" in str(found[11]["error"])


def test_pictures_and_what_is_kept_on_going_on(
    her2viewer: Run, fresh: DaskProcesses, make_pairs: MakePairs, model: list[object], tmp_path: Path
) -> None:
    pairs, out = make_pairs(3), tmp_path / "out"
    good = pairs[1].he.read_bytes()
    pairs[1].he.write_bytes(b"")
    command = ["score", tmp_path / "pairs", "--out", out, "--overlay", "--engine", fresh.address, *model]
    first = her2viewer(*command)
    assert first.status == 1 and "Failed: 00001_train_1+" in first.err
    assert {path.name for path in out.glob("*_overlay.png")} == {f"{pairs[i].case_id}_overlay.png" for i in (0, 2)}
    assert her2viewer(*command).status == 2
    pairs[1].he.write_bytes(good)
    shutil.copy(pairs[0].ihc, pairs[2].ihc)  # other bytes: scored again
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.json")}
    second = her2viewer(*command, "--resume")
    assert second.status == 0 and "Scored 3 of 3 pairs (1 of them before)" in second.out
    changed = {name for name, told in before.items() if (out / name).stat().st_mtime_ns != told}
    assert changed == {f"{pairs[2].case_id}.json", "results.json"}
    assert [row["case_id"] for row in objects(out)] == [pair.case_id for pair in pairs]


def test_cancelled_half_way_keeps_its_rows(
    fresh: DaskProcesses, make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path
) -> None:
    pairs, rows = make_pairs(60), list[BatchRow]()
    options = BatchOptions(tmp_path / "out", overlay=False, model=random_package.manifest.identity)
    with reached(fresh) as cluster:
        order = Order.of(random_package, "cpu", "fp32", options)
        summary = run_on_cluster(
            cluster, pairs, order, BatchWriter(options), rows.append, lambda: len(rows) >= 5, work=watched_work
        )
    assert summary.cancelled and 5 <= summary.scored == len(rows) < 60
    assert len(objects(tmp_path / "out")) == len(rows)


def test_pairs_are_taken_only_as_fast_as_they_are_done(
    fresh: DaskProcesses, make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "ITEMS_AT_MOST", 2)
    pairs = make_pairs(4)
    taken, done, most = 0, 0, 0

    def endless() -> Iterator[object]:
        nonlocal taken
        for i in range(100):
            from dataclasses import replace

            taken += 1
            yield replace(pairs[i % 4], case_id=f"c{i}")

    def on_row(row: BatchRow) -> None:
        nonlocal done, most
        done += 1
        most = max(most, taken - done)

    options = BatchOptions(tmp_path / "out", overlay=False, model=random_package.manifest.identity)
    with reached(fresh) as cluster:
        order = Order.of(random_package, "cpu", "fp32", options)
        run_on_cluster(cluster, endless(), order, BatchWriter(options), on_row)  # type: ignore[arg-type]
        threads = cluster.threads
    assert done == 100 and most <= (stream.AHEAD * threads + threads) * stream.ITEMS_AT_MOST < 100


def reached(dask: DaskProcesses) -> AbstractContextManager[Cluster]:
    address = engine_of(dask.address)
    assert address is not None
    return connected(address)


def test_workers_that_cannot_do_the_work_are_told_of_before_it_begins(
    her2viewer: Run,
    fresh: DaskProcesses,
    make_pairs: MakePairs,
    random_package: ModelPackage,
    model: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (pair,) = make_pairs(1)
    command = ["score", tmp_path / "pairs", "--out", tmp_path / "out", "--engine", fresh.address, *model]
    with monkeypatch.context() as patch:
        patch.setattr("her2viewer.batch.engines.order.__version__", "0.0.1")
        outcome = her2viewer(*command)
    assert outcome.status == 2 and "and this machine 0.0.1; install the same version" in outcome.err
    with monkeypatch.context() as patch:
        patch.setattr("her2viewer.batch.engines.order.fingerprint", lambda folder: "0" * 64)
        outcome = her2viewer(*command)
    assert outcome.status == 2 and "the model package there is another one" in outcome.err
    assert list((tmp_path / "out").iterdir()) == []
    with reached(fresh) as cluster, monkeypatch.context() as patch:
        order = Order.of(random_package, "cpu", "fp32", BatchOptions(tmp_path / "out"))
        check_workers(cluster, order, pair)
        # As if it were on a drive of this machine alone.
        patch.setattr(Path, "is_file", lambda path: True)
        unseen = type(pair)("gone", None, tmp_path / "gone.png")
        with pytest.raises(ClusterError, match=r"tcp://127.0.0.1:\d+ does not see gone.png"):
            check_workers(cluster, order, unseen)


def test_another_model_behind_the_same_path_ends_the_run(
    fresh: DaskProcesses, make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path
) -> None:
    """A worker that comes later is not asked beforehand: it refuses the work itself."""
    shutil.copytree(random_package.folder, tmp_path / "model")
    options = BatchOptions(tmp_path / "out", overlay=False, model=random_package.manifest.identity)
    order = Order.of(open_package(tmp_path / "model"), "cpu", "fp32", options)
    with (tmp_path / "model" / MANIFEST).open("a") as file:
        file.write("\n")
    with reached(fresh) as cluster, pytest.raises(ClusterError, match="the model package there is another one"):
        run_on_cluster(cluster, make_pairs(2), order, BatchWriter(options))


def test_a_file_that_only_this_machine_sees_is_that_pairs_error(
    fresh: DaskProcesses, make_pairs: MakePairs, random_package: ModelPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs, rows = make_pairs(2), list[BatchRow]()
    pairs[0].he.unlink()
    options = BatchOptions(tmp_path / "out", overlay=False, model=random_package.manifest.identity)
    with reached(fresh) as cluster:
        order = Order.of(random_package, "cpu", "fp32", options)
        run_on_cluster(cluster, pairs, order, BatchWriter(options), rows.append)
        errors = {row.pair.case_id: row.error for row in rows}
        assert "there is no such file" in str(errors[pairs[0].case_id]) and errors[pairs[1].case_id] is None
        monkeypatch.setattr(Path, "is_file", lambda path: True)
        order, rows = Order.of(random_package, "cpu", "fp32", options), list[BatchRow]()
        options = BatchOptions(tmp_path / "again", overlay=False, model=random_package.manifest.identity)
        run_on_cluster(cluster, pairs, order, BatchWriter(options), rows.append)
    errors = {row.pair.case_id: row.error for row in rows}
    assert "the worker does not see it; put the images where" in str(errors[pairs[0].case_id])
    assert errors[pairs[1].case_id] is None


@pytest.mark.usefixtures("watched")
def test_no_worker_left_and_no_scheduler_left_are_said_and_the_rows_stand(
    her2viewer: Run,
    make_pairs: MakePairs,
    model: list[object],
    random_scorer: Scorer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_pairs(60)
    monkeypatch.setattr(stream, "WATCH_SECONDS", 0.2)
    monkeypatch.setattr(stream, "LONELY_SECONDS", 1.0)
    monkeypatch.setattr(cluster_module, "WORKERS_WITHIN_SECONDS", 0.5)
    (tmp_path / "dask").mkdir()
    out = tmp_path / "out"
    with dask_processes(tmp_path / "dask") as own:
        command = ["score", tmp_path / "pairs", "--out", out, "--engine", own.address, *model]
        outcome = her2viewer(*command)
        assert outcome.status == 2 and "there is no worker at dask://127.0.0.1:" in outcome.err
        monkeypatch.setattr(cluster_module, "WORKERS_WITHIN_SECONDS", 30.0)

        worker = own.add_workers(1, "--no-nanny")
        killing = once_written(out, 5, worker.kill)
        outcome = her2viewer(*command)
        killing.join()
        assert outcome.status == 1 and "no worker of dask://127.0.0.1:" in outcome.err and "--resume goes on" in outcome.err
        first = len(objects(out))
        assert 5 <= first < 60

        own.add_workers(1, "--no-nanny")
        killing = once_written(out, first + 5, own.scheduler.kill)
        outcome = her2viewer(*command, "--resume")
        killing.join()
        assert outcome.status == 1 and "the connection to dask://127.0.0.1:" in outcome.err and "was lost" in outcome.err
        second = len(objects(out))
        assert first + 5 <= second < 60
    begun = Counter(own.begun())
    monkeypatch.undo()
    monkeypatch.setattr("her2viewer.cli.score.open_scorer", lambda *_: random_scorer)
    outcome = her2viewer("score", tmp_path / "pairs", "--out", out, "--resume", *model)
    assert outcome.status == 0 and f"Scored 60 of 60 pairs ({second} of them before)" in outcome.out
    assert all(begun[str(row["case_id"])] >= 1 for row in objects(out)[:5])
    assert_as_on_one_machine(out, tmp_path / "pairs", random_scorer, tmp_path)


def test_nobody_at_the_address_and_no_dask_are_one_sentence(
    her2viewer: Run, make_pairs: MakePairs, model: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pairs(1)
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    command = ["score", tmp_path / "pairs", "--out", tmp_path / "out", *model, "--engine"]
    outcome = her2viewer(*command, "dask://127.0.0.1:9")
    assert outcome.status == 2 and "no Dask scheduler answers at dask://127.0.0.1:9" in outcome.err
    outcome = her2viewer(*command, "dask+tls://127.0.0.1:9")
    assert outcome.status == 2 and "name the certificates in Dask's settings" in outcome.err
    outcome = her2viewer(*command, "ray://127.0.0.1:9")
    assert outcome.status == 2 and "there is no such engine" in outcome.err
    monkeypatch.setitem(sys.modules, "distributed", None)
    outcome = her2viewer(*command, "dask://127.0.0.1:9")
    assert outcome.status == 2 and 'pip install "her2viewer[cluster]"' in outcome.err
    assert outcome.err.count("\n") == 1 and list((tmp_path / "out").iterdir()) == []

"""A scheduler and workers as the guide starts them: processes of their own, and what tests let workers do beside scoring."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from her2viewer.batch.engines.on_worker import Outcome, score_items
from her2viewer.batch.engines.order import Item, Order
from her2viewer.batch.engines.stream import Answer
from tests.conftest import REPOSITORY

DEADLY = "deadly"
"""A case id that ends the process of the worker that takes it."""

_PRELOADED = ["--preload-nanny", "torch"] if sys.platform == "linux" else []
"""Worker processes are forked from one that has torch already: several seconds fewer for each that is started anew."""


class DaskProcesses:
    """What was started, and what it has done. Workers tell each pair that they begin in `diary`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[bytes]] = []
        self.diary = folder / "diary.txt"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--idle-timeout", "300")
        told = folder / "scheduler.json"
        until = time.monotonic() + 60
        while not told.exists() or not told.read_bytes().endswith(b"}"):
            assert time.monotonic() < until, (folder / "scheduler.log").read_text()
            time.sleep(0.05)
        self.address = json.loads(told.read_text())["address"].replace("tcp://", "dask://")

    def add_workers(self, count: int, *more: str) -> subprocess.Popen[bytes]:
        """Processes of one thread each."""
        arguments = ["--nworkers", str(count), "--nthreads", "1", "--no-dashboard", "--death-timeout", "60", *more]
        return self._start("worker", *arguments, *([] if "--no-nanny" in more else _PRELOADED))

    def pids(self) -> list[int]:
        """Of the workers that there are."""
        from distributed import Client

        with Client(self.address.replace("dask://", "tcp://"), set_as_default=False) as client:
            return list(client.run(os.getpid).values())

    def begun(self) -> list[str]:
        """The case ids that workers began, in their order."""
        return self.diary.read_text(encoding="utf-8").split() if self.diary.exists() else []

    def end(self) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in self._started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _start(self, kind: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments]
        command += ["--scheduler-file", str(self._folder / "scheduler.json")]
        environment = os.environ | {
            "PYTHONPATH": str(REPOSITORY),
            "HER2VIEWER_TEST_DIARY": str(self.diary),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_TEMPORARY_DIRECTORY": str(self._folder),
            **({"DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD": "fork"} if _PRELOADED else {}),
        }
        with (self._folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=self._folder, start_new_session=True
            )
        self._started.append(process)
        return process


@contextmanager
def dask_processes(folder: Path) -> Iterator[DaskProcesses]:
    """A scheduler; nothing of it is left behind."""
    processes = DaskProcesses(folder)
    try:
        yield processes
    finally:
        processes.end()


def watched_work(order: Order, items: Sequence[Item]) -> Answer[Outcome]:
    """What `score_items` does, told in the diary, slowly enough to be interrupted; a worker dies of `DEADLY`."""
    outcomes: list[Outcome] = []
    started = time.perf_counter()
    for item in items:
        with Path(os.environ["HER2VIEWER_TEST_DIARY"]).open("a", encoding="utf-8") as diary:
            diary.write(f"{item.pair.case_id}\n")
        if item.pair.case_id == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.03)
        outcomes += score_items(order, [item]).outcomes
    return Answer(tuple(outcomes), time.perf_counter() - started)

"""`her2viewer score`, killed (SIGKILL) again and again while it scores, and what it left looked at each time."""

import multiprocessing
import os
import random
import sys
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import her2viewer.scoring.scorer  # noqa: F401 loaded once, before the processes are forked
from her2viewer.batch.names import LIST
from her2viewer.batch.store import RowStore
from her2viewer.cli.main import main
from tests.batch.conftest import write_pair


def killed(arguments: list[str], out: Path, kills: int, seed: int = 0) -> int:
    """Runs the command, kills it, looks at what it left, and goes on until all is done or it was killed so often.

    Returns how often it was killed. What it had told the disk is there: a row for every file of a result but the last one, each
    the text of its file; and no row that was there is gone.
    """
    chance = random.Random(seed)
    known: set[str] = set()
    for kill in range(kills):
        process = _start([*arguments, "--out", str(out), "--resume"])
        # Some are killed while they start, some while they write.
        wanted = len(_results(out)) + chance.choice((0, 1, 2, 5, 9))
        while process.is_alive() and len(_results(out)) < wanted:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        written = len(_results(out))
        process.kill()
        process.join()
        if process.exitcode == 0:
            return kill
        known = _look(out, known, written)
    return kills


def finish(arguments: list[str], out: Path) -> set[str]:
    """Lets the command come to its end and returns the cases that are there then."""
    process = _start([*arguments, "--out", str(out), "--resume"])
    process.join()
    assert process.exitcode == 0
    return _look(out, set(), 0)


def _look(out: Path, known: set[str], written: int) -> set[str]:
    if not out.exists():  # killed before it made its folder
        assert not known
        return known
    store = RowStore(out)  # opens, whatever moment it was
    try:
        rows = list(store.rows())
    finally:
        store.close()
    cases = {row.case_id for row in rows}
    assert cases >= known, known - cases
    assert len(rows) >= written - 1, (len(rows), written)
    assert 0 <= len(_results(out)) - len(rows) <= 1, "a file before its row, one at a time"
    for row in rows:
        assert row.result is not None and (out / row.files[-1]).read_text(encoding="utf-8") == row.result
    return cases


def _results(out: Path) -> list[Path]:
    return [path for path in out.glob("*.json") if path.name != LIST]


def _start(arguments: list[str]) -> multiprocessing.process.BaseProcess:
    """The command, in a process of its own that starts with everything loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(arguments,), daemon=True)
    process.start()
    return process


def _run(arguments: list[str]) -> None:
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        status = main(arguments)
    sys.exit(status)


def kill_often(asked: int) -> str:
    """So many kills, by the model that ships; what came of it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(200):
            write_pair(folder / "pairs", number, (64, 64))
        command = ["score", str(folder / "pairs"), "--device", "cpu"]
        done = rounds = 0
        while done < asked:
            done += killed(command, folder / f"out{rounds}", asked - done, seed=rounds)
            rounds += 1
        cases = finish(command, folder / f"out{rounds - 1}")
    return f"{done} kills in {rounds} folders: the rows always opened, none was lost; {len(cases)} cases at the end."

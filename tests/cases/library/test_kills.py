"""A process that saves is killed: what it told of is there, and the log is whole."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from her2viewer.cases.library.library import LOG_SUFFIX, Library
from her2viewer.cases.log import verify_log

_SAVES = """
import sys
from pathlib import Path
from her2viewer.cases.library.library import Library
from tests.cases.library.conftest import pair, predict
folder = Path(sys.argv[1])
with Library(folder / "library.db") as library:
    case = library.open_case(pair(folder / "a", "S1")).id
    for number in range(int(sys.argv[2]), 1_000_000):
        library.set_notes(case, f"note {number}")
        library.set_tags(case, [f"tag {number}"])
        predict(library, case, "2+", document=str(number))
        library.read(case, "1+", f"reading {number}")
        library.undo()
        library.redo()
        print(number, flush=True)
"""


def killed_while_saving(folder: Path, first: int, rounds: int) -> int:
    """Kills a process that saves without end after so many rounds; the last round that it told of."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_SAVES), str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(rounds)]
    process.kill()
    told += process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    return int(told[-1])


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
def test_a_killed_process_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    check_kills(tmp_path, 5)


def check_kills(folder: Path, kills: int) -> None:
    """So many kills; after each the library opens, holds what was told, and its log is whole and says the same."""
    first = 0
    for kill in range(kills):
        last = killed_while_saving(folder, first, rounds=1 + kill % 7)
        with Library(folder / "library.db") as library:
            (case,) = library.recent()
            reading, prediction = library.reading(case.id), library.prediction(case.id)
            assert reading is not None and prediction is not None
            # The round that it told of is whole; of the next one anything may be there, in its order.
            kept = [
                int(text.split()[-1]) for text in (case.notes, case.tags[0], prediction.document, reading.reason)
            ]
            assert kept == sorted(kept, reverse=True) and set(kept) <= {last, last + 1}, (last, kept)
            assert [one.case.id for one in library.search(f"{case.notes} {case.tags[0]}")] == [case.id]
            check_log(folder, library)
        first = last + 2


def check_log(folder: Path, library: Library) -> None:
    """The chain is whole, nothing is told twice, and what it says stands is what the library holds."""
    found = verify_log(folder / f"library.db{LOG_SUFFIX}")
    assert found.intact, found.changes
    entries = list(library.log.entries())
    assert len({entry.id for entry in entries}) == len(entries)
    standing: dict[int, str] = {}
    told: dict[int, str] = {}
    for entry in entries:
        key = entry.about.get("reading")
        if entry.kind == "reading":
            assert key not in told
            standing[key] = told[key] = entry.about["reason"]
        elif entry.kind == "reading withdrawn":
            del standing[key]
        elif entry.kind == "reading restored":
            standing[key] = told[key]
    assert standing == {one.id: one.reason for one in library.readings(every=True)}

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from her2viewer.batch.names import STORE
from her2viewer.batch.store import RowStore, StoredRow
from her2viewer.errors import ExportError


def row(case_id: str, **changes: object) -> StoredRow:
    values: dict[str, object] = {
        "case_id": case_id,
        "he_sha256": "a" * 64,
        "ihc_sha256": "b" * 64,
        "model_sha256": "c" * 64,
        "wanted": "{}",
        "result": "{}",
        "error": None,
        "failed": None,
        "files": (f"{case_id}.json",),
        "seconds": 0.5,
    }
    return StoredRow(**(values | changes))  # type: ignore[arg-type]


def test_rows_come_back_in_their_order_and_one_of_a_case(tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    for number in range(2500):
        store.put(row(f"case {number}"))
    store.put(row("case 7", error="no", result=None))
    store.close()
    again = RowStore(tmp_path)
    rows = list(again.rows())
    assert len(again) == len(rows) == 2500
    assert [one.case_id for one in rows] == [f"case {number}" for number in range(2500)]
    assert again.find("case 7") == row("case 7", error="no", result=None) and again.find("case x") is None
    again.close()


@pytest.mark.parametrize("case_id", ["", "é" * 300, "x\ny", "a'; DROP TABLE row; --", "bad\udcff byte", "\0"])
def test_any_case_id_is_kept(case_id: str, tmp_path: Path) -> None:
    store = RowStore(tmp_path)
    store.put(row(case_id))
    store.put(row(case_id + "2"))
    assert store.find(case_id) is not None and len(store) == 2
    store.close()


_HOLDS = """
import sys, time
from pathlib import Path
from her2viewer.batch.store import RowStore
from tests.batch.test_store import row
store = RowStore(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 1_000_000):
    store.put(row(f"case {number}"))
    print(number, flush=True)
"""


def writing(folder: Path, first: int = 0) -> subprocess.Popen[str]:
    """Another process that puts rows without end and says the number of each that is kept."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_HOLDS), str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def killed_after(folder: Path, first: int, rows: int) -> int:
    """Kills such a process after so many rows; the number of the last one that it told of."""
    process = writing(folder, first)
    assert process.stdout is not None
    for _ in range(rows):
        process.stdout.readline()
    process.kill()
    told = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    return int(told[-1]) if told else first + rows - 1


def test_a_second_run_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    process = writing(tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(ExportError, match="another run of HER2 Viewer is writing results there"):
        RowStore(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    store = RowStore(tmp_path)
    assert len(store) >= 1
    store.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_process_loses_no_row_that_it_told_of(tmp_path: Path) -> None:
    first = 0
    for kill in range(4):
        last = killed_after(tmp_path, first, rows=5 + 7 * kill)
        store = RowStore(tmp_path)
        count = len(store)
        # What was told of is there; at most the one in flight is there besides.
        assert last + 1 <= count <= last + 2
        assert [one.case_id for one in store.rows()] == [f"case {number}" for number in range(count)]
        store.close()
        first = count


def test_what_is_damaged_foreign_or_newer_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / STORE
    path.write_text("no database at all, but some text of a user")
    with pytest.raises(ExportError, match=r"^results\.db: the rows in it cannot be read"):
        RowStore(tmp_path)
    assert path.read_text().startswith("no database")

    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE mine (a)")
    other.close()
    with pytest.raises(ExportError, match="no file of HER2 Viewer"):
        RowStore(tmp_path)

    path.unlink()
    RowStore(tmp_path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ExportError, match="newer HER2 Viewer"):
        RowStore(tmp_path)

    path.unlink()
    store = RowStore(tmp_path)
    for number in range(300):
        store.put(row(f"case {number}"))
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    path.write_bytes(data)
    with pytest.raises(ExportError, match="damaged"):
        list(RowStore(tmp_path).rows())

"""The rows of a batch's folder in one SQLite file, written as they come: what a run that is killed, or goes on, is known by.

Write-ahead log, one transaction a row. A row counts from the moment that `put` returns, whatever becomes of the process; a file
that a row names is on the disk before the row is. The store is held by one process at a time: SQLite's own lock, which the system
lifts when the process ends, however it ends.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from her2viewer.batch.names import STORE
from her2viewer.errors import ExportError

VERSION: Final = 1
_APPLICATION: Final = 0x48455232  # "HER2": tells our files from any other SQLite file
_HEAD: Final = b"SQLite format 3\0"

_TABLE: Final = """
CREATE TABLE row (
    place INTEGER PRIMARY KEY,       -- order in the tables
    case_id TEXT NOT NULL UNIQUE,
    he_sha256 TEXT,                  -- of the files' bytes; NULL of a failed row, and of an IHC alone
    ihc_sha256 TEXT,
    model_sha256 TEXT,
    wanted TEXT NOT NULL,            -- what was asked for, as far as it changes the files
    result TEXT,                     -- the result file, JSON
    error TEXT,                      -- or why there is none
    failed TEXT,                     -- what the tables say of a failed row, JSON
    files TEXT NOT NULL,             -- names in this folder, JSON
    seconds REAL NOT NULL,
    utc TEXT NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it is kept. `result`: the result file's text, or None with `error` and `failed`, what the tables tell of the pair.
    """

    case_id: str
    he_sha256: str | None
    ihc_sha256: str | None
    model_sha256: str | None
    wanted: str
    result: str | None
    error: str | None
    failed: str | None
    files: tuple[str, ...]
    seconds: float


class RowStore:
    """The store of one folder. Safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        """Opens or makes it. Raises ExportError: another run holds it, it is damaged, of a newer version or not to be written."""
        self.path: Final = folder / STORE
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._open()

    def __len__(self) -> int:
        """How many rows there are."""
        return int(str(self._ask("SELECT count(*) FROM row")[0][0]))

    def find(self, case_id: str) -> StoredRow | None:
        """The row of a case. Raises ExportError."""
        found = self._ask(f"{_SELECT} WHERE case_id = ?", _key(case_id))
        return _row(found[0]) if found else None

    def rows(self) -> Iterator[StoredRow]:
        """All of them in their order, a thousand at a time. Raises ExportError."""
        last: object = -1
        while block := self._ask(f"{_SELECT} WHERE place > ? ORDER BY place LIMIT 1000", last):
            yield from map(_row, block)
            last = block[-1][-1]

    def put(self, row: StoredRow, place: int | None = None) -> None:
        """Keeps a row, last or in place of one of the same case; it is on the disk when this returns. Raises ExportError.

        place: where it is to stand, from 1, unless another stands there already; one of the same case stays where it stands.
        """
        self.put_all([(row, place)])

    def put_all(self, rows: Iterable[tuple[StoredRow, int | None]]) -> None:
        """As `put` for each, in one transaction: all are kept or none."""
        values = [self._values(row, place) for row, place in rows]
        with self._lock, self._said():
            connection = self._held()
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(_PUT, values)
                connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled it back already.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @staticmethod
    def _values(row: StoredRow, place: int | None) -> tuple[object, ...]:
        return (
            place,
            place,
            _key(row.case_id),
            row.he_sha256,
            row.ihc_sha256,
            row.model_sha256,
            row.wanted,
            row.result,
            row.error,
            row.failed,
            json.dumps(row.files),
            row.seconds,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def close(self) -> None:
        """Harmless where it is closed already."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, question: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, self._said():
            return self._held().execute(question, values).fetchall()

    def _held(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ValueError("the store is closed")
        return self._connection

    def _open(self) -> None:
        fresh = not self.path.exists() or self.path.stat().st_size == 0
        with self._said():
            if not fresh:
                with self.path.open("rb") as file:
                    if file.read(len(_HEAD)) != _HEAD:
                        raise sqlite3.DatabaseError("no SQLite file")
            connection = sqlite3.connect(self.path, timeout=1.0, isolation_level=None, check_same_thread=False)
            try:
                # Exclusive: nobody else writes it meanwhile, and no shared memory is needed, which network drives do not have.
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                connection.execute("PRAGMA journal_mode = WAL")
                # Each row is on the disk when it is told of: the log is synced at each commit.
                connection.execute("PRAGMA synchronous = FULL")
                self._check(connection, fresh)
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.close()
                raise
        self._connection = connection

    def _check(self, connection: sqlite3.Connection, fresh: bool) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if fresh or (empty and application in (0, _APPLICATION)):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(_TABLE)
            connection.execute("COMMIT")
            return
        if application != _APPLICATION:
            raise sqlite3.DatabaseError("another program's database")
        if version > VERSION:
            raise ExportError(
                "it was written by a newer HER2 Viewer",
                path=self.path,
                remedy="use that one, or another folder for the results",
            )
        # Takes the lock, and looks through the file's structure before hours of work are put into it.
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        told = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if told != "ok":
            raise sqlite3.DatabaseError(told)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What SQLite raises, in a sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise self._refusal(error) from error
        except sqlite3.DatabaseError as error:
            raise ExportError(
                "the rows in it cannot be read (it is damaged, or no file of HER2 Viewer)",
                path=self.path,
                remedy="move it out of the folder to begin anew, or choose another folder; the pairs' own files are not touched",
            ) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ExportError(f"it cannot be opened ({reason})", path=self.path, remedy="check its rights") from error

    def _refusal(self, error: sqlite3.OperationalError) -> ExportError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return ExportError(
                "another run of HER2 Viewer is writing results there",
                path=self.path.parent,
                remedy="wait for it, or choose another folder",
            )
        if code == sqlite3.SQLITE_FULL:
            return ExportError("the disk is full", path=self.path, remedy="free some space, then go on with these results")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return ExportError("it cannot be written", path=self.path, remedy="check its rights and those of its folder")
        return ExportError(f"it cannot be written ({error})", path=self.path, remedy="check the drive or network")


_COLUMNS: Final = (
    *("he_sha256", "ihc_sha256", "model_sha256", "wanted", "result"),
    *("error", "failed", "files", "seconds", "utc"),
)
_SELECT: Final = f"SELECT case_id, {', '.join(_COLUMNS[:-1])}, place FROM row"

_PUT: Final = f"""
INSERT INTO row (place, case_id, {", ".join(_COLUMNS)})
VALUES (CASE WHEN EXISTS (SELECT 1 FROM row WHERE place = ?) THEN NULL ELSE ? END, ?{", ?" * len(_COLUMNS)})
ON CONFLICT (case_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
"""


def _key(case_id: str) -> str:
    """A case id as SQLite takes it: a Linux file name may hold bytes that are no UTF-8."""
    return case_id.encode(errors="backslashreplace").decode()


def _row(values: tuple[object, ...]) -> StoredRow:
    told: Any = values
    case_id, he, ihc, model, wanted, result, error, failed, files, seconds, _ = told
    return StoredRow(case_id, he, ihc, model, wanted, result, error, failed, tuple(json.loads(files)), seconds)

"""The library's file: its tables, how it is opened, and every way that fails said in a sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from her2viewer.errors import LibraryError

VERSION: Final = 1
_APPLICATION: Final = 0x48324C42  # "H2LB"
_BUSY_SECONDS: Final = 5.0
BACKUP_SUFFIX: Final = ".backup"

_TABLES: Final = """
CREATE TABLE kept_case (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    label TEXT,
    he_path TEXT, he_identity TEXT NOT NULL DEFAULT '',
    ihc_path TEXT NOT NULL, ihc_identity TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    fields TEXT,
    alignment TEXT,
    created TEXT NOT NULL,
    opened TEXT NOT NULL,
    removed TEXT,
    UNIQUE (he_identity, ihc_identity)
) STRICT;
CREATE INDEX case_opened ON kept_case (opened DESC, id DESC);
CREATE TABLE tag (
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    tag TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (kept_case, tag)
) STRICT, WITHOUT ROWID;
CREATE TABLE prediction (
    id INTEGER PRIMARY KEY,
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    score TEXT NOT NULL, no_call TEXT,
    model TEXT NOT NULL, model_sha256 TEXT NOT NULL,
    document TEXT NOT NULL,
    utc TEXT NOT NULL
) STRICT;
CREATE INDEX prediction_of_case ON prediction (kept_case, id);
CREATE TABLE reading (
    id INTEGER PRIMARY KEY,
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    score TEXT NOT NULL, reason TEXT NOT NULL, reader TEXT NOT NULL,
    seconds REAL, model_score TEXT, revealed INTEGER NOT NULL,
    utc TEXT NOT NULL,
    withdrawn INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX reading_of_case ON reading (kept_case, id);
CREATE TABLE revealed (
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    model_sha256 TEXT NOT NULL,
    utc TEXT NOT NULL,
    PRIMARY KEY (kept_case, model_sha256)
) STRICT, WITHOUT ROWID;
CREATE TABLE step (                  -- what can be undone; `after` and `before` are JSON
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL, kept_case INTEGER NOT NULL, what TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE outbox (                -- entries that are still to be appended to the log
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, utc TEXT NOT NULL
) STRICT;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Opens or makes it, checked. Raises LibraryError; a file that is damaged is left as it is.

    Write-ahead log, each commit on the disk: a process that is killed loses nothing that it was told is kept.
    """
    with said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _check(connection, path)
        except BaseException:
            with suppress(sqlite3.Error):
                connection.close()
            raise
    return connection


def back_up(connection: sqlite3.Connection, path: Path) -> Path:
    """A copy beside the library, by SQLite's own backup: whole at any moment. Raises LibraryError."""
    target = path.with_name(path.name + BACKUP_SUFFIX)
    draft = target.with_name(target.name + ".tmp")
    with said(target):
        draft.unlink(missing_ok=True)
        copy = sqlite3.connect(draft)
        try:
            connection.backup(copy)
        finally:
            copy.close()
        draft.replace(target)
    return target


def now() -> str:
    """UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All of it or nothing. Raises LibraryError."""
    with said(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


@contextmanager
def said(path: Path) -> Iterator[None]:
    """What SQLite and the disk raise, in a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _refusal(path, error) from error
    except sqlite3.DatabaseError as error:
        raise LibraryError(
            "the case library is damaged or no library",
            path=path,
            remedy=f"move it aside to begin a new one; an earlier copy may lie beside it ({path.name}{BACKUP_SUFFIX})",
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LibraryError(f"the case library cannot be opened ({reason})", path=path, remedy="check its folder") from error


def _refusal(path: Path, error: sqlite3.OperationalError) -> LibraryError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        what, remedy = "another program is writing to the case library", "close it there and try again"
    elif code == sqlite3.SQLITE_FULL:
        what, remedy = "the disk is full, so the case library keeps nothing more", "free some space"
    elif code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        what, remedy = "the case library cannot be written", "check its rights and those of its folder"
    else:
        what, remedy = f"the case library cannot be used ({error})", "check the drive or network"
    return LibraryError(what, path=path, remedy=remedy)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0 and application == 0:
        # One transaction: two processes that begin together make it once.
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0:
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        return
    if application != _APPLICATION:
        raise sqlite3.DatabaseError("another program's database")
    if version > VERSION:
        raise LibraryError(
            "the case library was written by a newer HER2 Viewer", path=path, remedy="use that one, or move it aside"
        )
    told = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if told != "ok":
        raise sqlite3.DatabaseError(told)

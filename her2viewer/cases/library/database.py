"""The library's file: its tables, how it is opened, and every way that fails said in a sentence."""

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from her2viewer.cases.library.drive import on_network
from her2viewer.errors import DamagedLibrary, LibraryError

VERSION: Final = 2
_APPLICATION: Final = 0x48324C42  # "H2LB"
_HEAD: Final = b"SQLite format 3\0"
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
    created TEXT NOT NULL,
    opened TEXT NOT NULL,                -- empty where it was never opened
    removed TEXT,
    case_id TEXT NOT NULL DEFAULT '',    -- as its files say it, whatever the title is now
    UNIQUE (he_identity, ihc_identity)
) STRICT;
CREATE INDEX case_opened ON kept_case (opened DESC, id DESC);
CREATE TABLE drawn (                     -- apart: SQLite walks through what is long to reach what stands behind it
    kept_case INTEGER PRIMARY KEY REFERENCES kept_case (id),
    fields TEXT,
    alignment TEXT
) STRICT;
CREATE TABLE found_by (                  -- title, case id, label, notes and tags, as `searched` makes them
    kept_case INTEGER PRIMARY KEY REFERENCES kept_case (id),
    words TEXT NOT NULL
) STRICT;
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
    withdrawn INTEGER NOT NULL DEFAULT 0,
    model TEXT, model_sha256 TEXT, model_no_call TEXT
) STRICT;
CREATE INDEX reading_of_case ON reading (kept_case, id);
CREATE TABLE revealed (                  -- reader: empty where none was named, who may be any of them
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    model_sha256 TEXT NOT NULL,
    reader TEXT NOT NULL,
    utc TEXT NOT NULL,
    PRIMARY KEY (kept_case, model_sha256, reader)
) STRICT, WITHOUT ROWID;
CREATE TABLE step (                      -- what can be undone; `after` and `before` are JSON
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL, kept_case INTEGER NOT NULL, what TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE outbox (                    -- entries that are still to be appended to the log
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, utc TEXT NOT NULL
) STRICT;
"""

_FROM_1: Final = """
ALTER TABLE kept_case ADD COLUMN case_id TEXT NOT NULL DEFAULT '';
UPDATE kept_case SET case_id = title;
CREATE TABLE drawn (
    kept_case INTEGER PRIMARY KEY REFERENCES kept_case (id),
    fields TEXT,
    alignment TEXT
) STRICT;
INSERT INTO drawn SELECT id, fields, alignment FROM kept_case WHERE fields IS NOT NULL OR alignment IS NOT NULL;
ALTER TABLE kept_case DROP COLUMN fields;
ALTER TABLE kept_case DROP COLUMN alignment;
CREATE TABLE found_by (
    kept_case INTEGER PRIMARY KEY REFERENCES kept_case (id),
    words TEXT NOT NULL
) STRICT;
INSERT INTO found_by SELECT id, searched(title, case_id, label, notes, (SELECT group_concat(tag, char(10)) FROM tag
    WHERE tag.kept_case = kept_case.id)) FROM kept_case;
ALTER TABLE reading ADD COLUMN model TEXT;
ALTER TABLE reading ADD COLUMN model_sha256 TEXT;
ALTER TABLE reading ADD COLUMN model_no_call TEXT;
UPDATE reading SET (model, model_sha256, model_no_call) = (SELECT model, model_sha256, no_call FROM prediction
    WHERE prediction.kept_case = reading.kept_case AND prediction.score = reading.model_score
    AND prediction.utc <= reading.utc ORDER BY prediction.id DESC LIMIT 1) WHERE model_score IS NOT NULL;
ALTER TABLE revealed RENAME TO revealed_1;
CREATE TABLE revealed (
    kept_case INTEGER NOT NULL REFERENCES kept_case (id),
    model_sha256 TEXT NOT NULL,
    reader TEXT NOT NULL,
    utc TEXT NOT NULL,
    PRIMARY KEY (kept_case, model_sha256, reader)
) STRICT, WITHOUT ROWID;
INSERT INTO revealed SELECT kept_case, model_sha256, '', utc FROM revealed_1;
DROP TABLE revealed_1;
"""

_STEPS: Final = {1: _FROM_1}
"""What leads from a version to the next one."""


def open_database(path: Path) -> sqlite3.Connection:
    """Opens or makes it, checked and of this version. Raises LibraryError; a damaged one (DamagedLibrary) is left as it is.

    Write-ahead log, each commit on the disk: a process that is killed loses nothing that it was told is kept. On a network drive
    one process at a time has it, since processes on two machines share no memory, which the log needs otherwise.
    """
    with said(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size:
            with path.open("rb") as file:
                if file.read(len(_HEAD)) != _HEAD:
                    raise sqlite3.DatabaseError("no SQLite file")
        alone = on_network(path)
        connection = _connect(path, alone=alone)
        if not alone and connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            # A file system that has no shared memory to give, whatever it is called.
            connection.close()
            connection = _connect(path, alone=True)
    return connection


def _connect(path: Path, *, alone: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Before anything is written: another program's file stays as it is.
        _is_ours(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # KiB: what a search looks through stays in memory.
        connection.execute("PRAGMA cache_size = -32768")
        connection.create_function("searched", -1, searched, deterministic=True)
        _check(connection, path)
    except BaseException:
        with suppress(sqlite3.Error):
            connection.close()
        raise
    return connection


def searched(*parts: str | None) -> str:
    """Text as it is searched: case and width of letters do not count, in any alphabet."""
    return unicodedata.normalize("NFKC", "\n".join(part for part in parts if part)).casefold()


def back_up(connection: sqlite3.Connection, path: Path, suffix: str = BACKUP_SUFFIX) -> Path:
    """A copy beside the library, by SQLite's own backup: whole at any moment. Raises LibraryError."""
    target = path.with_name(path.name + suffix)
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
def transaction(connection: sqlite3.Connection, path: Path, *, nested: bool = False) -> Iterator[None]:
    """All of it or nothing; nested in another one, all of it or nothing of that one's. Raises LibraryError."""
    begin, commit, undo = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
    if nested:
        begin, commit, undo = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part")
    with said(path):
        connection.execute(begin)
        try:
            yield
            connection.execute(commit)
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute(undo)
            if nested:
                with suppress(sqlite3.Error):
                    connection.execute(commit)
            raise


@contextmanager
def said(path: Path) -> Iterator[None]:
    """What SQLite and the disk raise, in a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _refusal(path, error) from error
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # ours to mend
    except sqlite3.DatabaseError as error:
        raise DamagedLibrary(
            "the case library is damaged or no library",
            path=path,
            remedy="have it set aside and its last copy taken in its place (her2viewer library restore)",
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


def _is_ours(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
    if application != _APPLICATION and not (empty and application == 0):
        raise sqlite3.DatabaseError("another program's database")
    if connection.execute("PRAGMA user_version").fetchone()[0] > VERSION:
        raise LibraryError(
            "the case library was written by a newer HER2 Viewer", path=path, remedy="use that one, or move it aside"
        )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if not _version(connection):
        # One transaction: two processes that begin together make it once.
        with transaction(connection, path):
            if not _version(connection):
                _run(connection, _TABLES)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
        return
    told = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if told != "ok":
        raise sqlite3.DatabaseError(told)
    if (version := _version(connection)) < VERSION:
        back_up(connection, path, f".version-{version}")
        with transaction(connection, path):
            for step in range(_version(connection), VERSION):
                _run(connection, _STEPS[step])
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _run(connection: sqlite3.Connection, statements: str) -> None:
    """One after the other; `executescript` would commit before it begins."""
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)

"""An append-only log in which each entry carries the hash of the one before: what was done, and was the log changed since.

JSON lines. The hash of an entry is the SHA-256 of its other fields as canonical JSON (sorted keys, no spaces, UTF-8), among them
the hash before (Haber and Stornetta 1991). A head file beside the log says how many entries there were and the hash of the last,
so that a log cut short is noticed. Whoever rewrites the log and its head together leaves no trace: only a head that was kept
elsewhere tells (`verify` takes one).

An entry is on the disk when `append` returns (one fsync), whoever is killed afterwards; processes take turns by a lock file
that the system lifts when its holder ends.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from filelock import FileLock, Timeout

from her2viewer import __version__
from her2viewer.errors import LibraryError

SCHEMA: Final = "her2viewer.log/1"
HEAD_SUFFIX: Final = ".head"
LOCK_SUFFIX: Final = ".lock"
_BEGINNING: Final = "0" * 64
"""What stands as the hash before the first entry."""
_LONGEST_LINE: Final = 4 * 2**20
_MOST_FINDINGS: Final = 20
_PATIENCE: Final = 30.0
"""Seconds that one process waits for another to have appended; each takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. `number` counts from 1; `about` is plain JSON; `before` and `hash` are the chain."""

    number: int
    id: str
    utc: str
    kind: str
    about: Mapping[str, Any]
    app: str
    before: str
    hash: str

    @staticmethod
    def all_in(lines: Iterable[bytes]) -> Iterator["Entry"]:
        """Those that can be read, in their order; an unfinished line is none."""
        for line in lines:
            entry = _parsed(line)
            if entry is not None and line.endswith(b"\n"):
                yield entry

    @property
    def line(self) -> str:
        """As it stands in the file, without the line's end."""
        return _canonical(self._told() | {"hash": self.hash})

    def _told(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "number": self.number,
            "id": self.id,
            "utc": self.utc,
            "kind": self.kind,
            "about": dict(self.about),
            "app": self.app,
            "before": self.before,
        }

    @property
    def own_hash(self) -> str:
        """What `hash` must be."""
        return hashlib.sha256(_canonical(self._told()).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LogFinding:
    """What became of a log: `entries` that could be read, the hash of the last, and what was changed, a sentence each."""

    entries: int
    head: str
    changes: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        return not self.changes


class ActionLog:
    """Appends to one log; processes and threads take turns."""

    def __init__(self, path: Path, *, alone: bool = False) -> None:
        """Makes the file with its first entry, or goes on with one. A line that a killed process left unfinished is cut off.

        alone: the caller sees to it that nobody else appends meanwhile; there is no lock file then.
        """
        self.path: Final = path
        self.head_path: Final = path.with_name(path.name + HEAD_SUFFIX)
        lock = path.with_name(f".{path.name}{LOCK_SUFFIX}")
        self._turn: AbstractContextManager[object] = (
            nullcontext() if alone else FileLock(lock, timeout=_PATIENCE, thread_local=False)
        )
        # The last entry that this object appended, and how long the file was then: alone, it reads nothing again.
        self._mine: tuple[Entry, int] | None = None

    def append(self, kind: str, about: Mapping[str, Any], *, id: str = "", utc: str = "") -> Entry:
        """Adds an entry; it is on the disk when this returns. `id`: one of its own unless given. Raises LibraryError."""
        return self.append_all([(kind, about)], id=id, utc=utc)[0]

    def append_all(self, told: Sequence[tuple[str, Mapping[str, Any]]], *, id: str = "", utc: str = "") -> tuple[Entry, ...]:
        """Adds several, one after the other, with one wait for the disk; `id` is of the first. Raises LibraryError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._turn:
                return self._append(told, id, utc or datetime.now(UTC).isoformat(timespec="seconds"))
        except Timeout as error:
            raise LibraryError(
                "another program is writing to the log", path=self.path, remedy="close it there and try again"
            ) from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LibraryError(
                f"the log cannot be written ({reason})", path=self.path, remedy="check its rights and the disk"
            ) from error

    def _append(self, told: Sequence[tuple[str, Mapping[str, Any]]], id: str, utc: str) -> tuple[Entry, ...]:
        last, made = self._last(), list[Entry]()
        for kind, about in told:
            last = _entry(last, kind, about, uuid4().hex if made or not id else id, utc)
            made.append(last)
        data = b"".join(entry.line.encode() + b"\n" for entry in made)
        if any(len(line) >= _LONGEST_LINE for line in data.split(b"\n")):
            raise ValueError("an entry of the log is too long")
        if not data or last is None:
            return ()
        self._mine = None
        with self.path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._set_head(last)
        self._mine = last, size
        return tuple(made)

    def entries(self) -> Iterator[Entry]:
        """Those that can be read, in their order. Raises LibraryError where the file cannot be opened."""
        yield from Entry.all_in(_lines(self.path))

    def holds(self, id: str, within: int = 200) -> bool:
        """Whether an entry of this id is among the last ones."""
        if not self.path.exists():
            return False
        return any(entry is not None and entry.id == id for entry in map(_parsed, self._tail(within)))

    def _last(self) -> Entry | None:
        if not self.path.exists():
            return None
        if self._mine is not None and self._mine[1] == self.path.stat().st_size:
            return self._mine[0]
        self._cut_unfinished()
        tail = self._tail(1)
        if not tail:
            return None
        entry = _parsed(tail[-1])
        if entry is None:
            raise LibraryError(
                "the last entry of the log is damaged",
                path=self.path,
                remedy="see what 'her2viewer verify' says of it; move it aside to begin a new one",
            )
        return entry

    def _cut_unfinished(self) -> None:
        """What stands behind the last line's end was never told of."""
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if not size:
                return
            file.seek(size - 1)
            if file.read(1) == b"\n":
                return
            start = max(0, size - _LONGEST_LINE)
            file.seek(start)
            end = start + file.read().rfind(b"\n") + 1
            if end < size and (end > start or start == 0):
                file.truncate(end)
                os.fsync(file.fileno())

    def _tail(self, lines: int) -> list[bytes]:
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            block = 64 * 1024
            while True:
                start = max(0, size - block)
                file.seek(start)
                found = file.read().split(b"\n")[:-1]
                if start == 0 or len(found) > lines or block > 2 * _LONGEST_LINE:
                    return found[-lines:]
                block *= 4

    def _set_head(self, entry: Entry) -> None:
        draft = self.head_path.with_name(self.head_path.name + ".tmp")
        draft.write_text(_canonical({"number": entry.number, "hash": entry.hash}) + "\n", encoding="utf-8")
        draft.replace(self.head_path)


def verify_log(path: Path, head: str | None = None) -> LogFinding:
    """Reads a whole log and says what was changed since it was written. `head`: a hash that was noted elsewhere; it must be the
    log's last, or that of an earlier entry. Raises LibraryError where the file cannot be read or is no log.
    """
    beside = _head_beside(path)
    found = _Chain(head, None if beside is None else beside[0])
    for line in _lines(path):
        found.add(line, path)
    found.finish(path)
    if beside is None and not found.read and not found.changes:
        raise LibraryError("this is no log of HER2 Viewer: it is empty", path=path, remedy="choose a log or a bundle")
    if beside is None:
        found.remarks.append("There is no head file beside the log: whether entries are missing at its end cannot be told.")
    elif beside is not None:
        found.compare(*beside)
    return found.told(head)


def verify_excerpt(lines: Iterable[bytes], path: Path) -> LogFinding:
    """Entries taken out of a log, in its order: each by its own hash, and by the one before it where that is there too.

    What stood between them cannot be told. Raises LibraryError where the first is no entry.
    """
    found = _Chain(None, None, excerpt=True)
    for line in lines:
        found.add(line, path)
    found.finish(path)
    return found.told(None)


class _Chain:
    """What is found in the lines of a log, as they come."""

    def __init__(self, noted: str | None, headed: int | None, *, excerpt: bool = False) -> None:
        """noted: a hash that must be there; headed: the number of the entry that the head file names."""
        self.changes: list[str] = []
        self.remarks: list[str] = []
        self.read = 0
        self.seen = noted is None
        self.hash_at_head: str | None = None
        self._noted, self._headed, self._excerpt = noted, headed, excerpt
        self._before, self._expected = _BEGINNING, 1
        self._place = 0
        self._unfinished = False
        self._long = False

    def add(self, line: bytes, path: Path) -> None:
        """The next piece of the file: a line, or a part of one that is longer than any entry."""
        whole = line.endswith(b"\n")
        if self._long:  # the rest of it
            self._long = not whole
            return
        self._place += 1
        self._long = not whole and len(line) >= _LONGEST_LINE
        entry = None if self._long else _parsed(line)
        if entry is None and self._place == 1 and (whole or self._long):
            raise LibraryError("this is no log of HER2 Viewer", path=path, remedy="choose a log or a bundle")
        if not whole and not self._long:
            self._unfinished = True
        elif entry is None:
            self.changes.append(f"Line {self._place} was altered: it is no entry any more.")
            self._expected += 1
            self._before = ""
        else:
            self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        self.read += 1
        jumps = self._excerpt and (self.read == 1 or entry.number > self._expected)
        if entry.own_hash != entry.hash:
            self.changes.append(f"Entry {entry.number} ({entry.utc}, {entry.kind}) was altered.")
        elif not jumps and ((self._before and entry.before != self._before) or entry.number != self._expected):
            self.changes.append(_break(self._expected, entry))
        self._before, self._expected = entry.hash, entry.number + 1
        self.seen = self.seen or entry.hash == self._noted
        if entry.number == self._headed:
            self.hash_at_head = entry.hash

    def finish(self, path: Path) -> None:
        """After the last line. Raises LibraryError where there was no entry, but something else."""
        if self._unfinished and not self.read and not self.changes:
            raise LibraryError("this is no log of HER2 Viewer", path=path, remedy="choose a log or a bundle")
        if self._unfinished:
            self.remarks.append(
                "The last line is unfinished: the program ended while it wrote it. It was never counted, and the next entry cuts "
                "it off."
            )

    def compare(self, number: int, hash: str) -> None:
        """With what the head file says: how many entries there were, and the hash of the last."""
        if number > self._expected - 1:
            self.changes.append(f"The log was cut off: it held {number} entries, and {self._expected - 1} are left.")
        elif self.hash_at_head != hash:
            self.changes.append(f"Entry {number} is not the one that the head file beside the log names.")

    def told(self, head: str | None) -> LogFinding:
        """All of it; at most some twenty changes are told in words."""
        if not self.seen:
            self.changes.append(
                "The hash that was noted elsewhere is of no entry of this log: it was rewritten, cut off before that entry, "
                "or is another log."
            )
        more = len(self.changes) - _MOST_FINDINGS
        told = (*self.changes[:_MOST_FINDINGS], *([f"And {more} more."] if more > 0 else []))
        return LogFinding(self.read, self._before, told, tuple(self.remarks))


def _break(expected: int, entry: Entry) -> str:
    if entry.number > expected:
        gone = f"Entry {expected} is" if entry.number == expected + 1 else f"Entries {expected} to {entry.number - 1} are"
        return f"{gone} missing before entry {entry.number}."
    if entry.number < expected:
        return f"Entry {entry.number} stands out of its order, or a second time, where entry {expected} should be."
    return f"Entry {entry.number} does not follow on the one before it: one of them was put in or replaced."


def _head_beside(path: Path) -> tuple[int, str] | None:
    """The number and the hash in the head file; None where there is none, or what is there says nothing."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        with path.with_name(path.name + HEAD_SUFFIX).open("rb") as file:
            head = json.loads(file.read(4096))
        if isinstance(head["number"], int) and isinstance(head["hash"], str):
            return head["number"], head["hash"]
    return None


def _entry(last: Entry | None, kind: str, about: Mapping[str, Any], id: str, utc: str) -> Entry:
    number, before = (1, _BEGINNING) if last is None else (last.number + 1, last.hash)
    # As it will be read again: tuples become lists, and what is no JSON is refused here.
    plain = json.loads(_canonical(about))
    made = Entry(number, id, utc, kind, plain, __version__, before, "")
    return Entry(number, id, utc, kind, plain, __version__, before, made.own_hash)


def _parsed(line: bytes) -> Entry | None:
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        told = json.loads(line)
        if told.pop("schema") == SCHEMA and isinstance(told["about"], dict) and isinstance(told["number"], int):
            entry = Entry(**told)
            # Hashed as text: what JSON holds besides what was written (a key twice, other spacing) must not pass for the same.
            return entry if entry.line.encode() == line.rstrip(b"\n") else None
    return None


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LibraryError(f"the log cannot be read ({reason})", path=path, remedy="check its name and rights") from error


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

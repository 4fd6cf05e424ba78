"""An append-only log in which each entry carries the hash of the one before: what was done, and was the log changed since.

JSON lines. The hash of an entry is the SHA-256 of its other fields as canonical JSON (sorted keys, no spaces, UTF-8), among them
the hash before (Haber and Stornetta 1991). A head file beside the log says how many entries there were and the hash of the last,
so that a log cut short is noticed. Whoever rewrites the log and its head together leaves no trace: only a head that was kept
elsewhere tells (`verify` takes one).
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from her2viewer import __version__
from her2viewer.errors import LibraryError

SCHEMA: Final = "her2viewer.log/1"
HEAD_SUFFIX: Final = ".head"
_BEGINNING: Final = "0" * 64
"""What stands as the hash before the first entry."""
_LONGEST_LINE: Final = 4 * 2**20
_MOST_FINDINGS: Final = 20


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
    """Appends to one log. One writer at a time: whoever may have several takes turns (the library's transaction does it)."""

    def __init__(self, path: Path) -> None:
        """Makes the file with its first entry, or goes on with one. A line that a killed process left unfinished is cut off."""
        self.path: Final = path
        self.head_path: Final = path.with_name(path.name + HEAD_SUFFIX)

    def append(self, kind: str, about: Mapping[str, Any], *, id: str = "", utc: str = "") -> Entry:
        """Adds an entry; it is on the disk when this returns. `id`: one of its own unless given. Raises LibraryError."""
        try:
            last = self._last()
            entry = _entry(last, kind, about, id or uuid4().hex, utc or datetime.now(UTC).isoformat(timespec="seconds"))
            with self.path.open("ab") as file:
                file.write(entry.line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._set_head(entry)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LibraryError(
                f"the log cannot be written ({reason})", path=self.path, remedy="check its rights and the disk"
            ) from error
        return entry

    def entries(self) -> Iterator[Entry]:
        """Those that can be read, in their order. Raises LibraryError where the file cannot be opened."""
        for line in _lines(self.path):
            entry = _parsed(line)
            if entry is not None and line.endswith(b"\n"):
                yield entry

    def holds(self, id: str, within: int = 200) -> bool:
        """Whether an entry of this id is among the last ones."""
        if not self.path.exists():
            return False
        return any(entry is not None and entry.id == id for entry in map(_parsed, self._tail(within)))

    def _last(self) -> Entry | None:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return None
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
    changes: list[str] = []
    remarks: list[str] = []
    before, expected, read, seen = _BEGINNING, 1, 0, head is None
    for place, line in enumerate(_lines(path), start=1):
        entry = _parsed(line)
        if entry is None or not line.endswith(b"\n"):
            if line.endswith(b"\n") or place == 1:
                if place == 1:
                    raise LibraryError("this is no log of HER2 Viewer", path=path, remedy="choose a log or a bundle")
                changes.append(f"Line {place} was altered: it is no entry any more.")
                expected += 1
                before = ""
            else:
                remarks.append("The last line is unfinished: the program ended while it wrote it. It was never counted.")
            continue
        read += 1
        if entry.own_hash != entry.hash:
            changes.append(f"Entry {entry.number} ({entry.utc}, {entry.kind}) was altered.")
        elif (before and entry.before != before) or entry.number != expected:
            changes.append(_break(expected, entry))
        before, expected = entry.hash, entry.number + 1
        seen = seen or entry.hash == head
    changes += _beside(path, expected - 1, before)
    if not seen:
        changes.append("The hash that was noted elsewhere is of no entry of this log: it was rewritten, or is another log.")
    more = len(changes) - _MOST_FINDINGS
    told = (*changes[:_MOST_FINDINGS], *([f"And {more} more."] if more > 0 else []))
    return LogFinding(read, before, told, tuple(remarks))


def _break(expected: int, entry: Entry) -> str:
    if entry.number > expected:
        gone = f"Entry {expected} is" if entry.number == expected + 1 else f"Entries {expected} to {entry.number - 1} are"
        return f"{gone} missing before entry {entry.number}."
    if entry.number < expected:
        return f"Entry {entry.number} stands out of its order, or a second time, where entry {expected} should be."
    return f"Entry {entry.number} does not follow on the one before it: one of them was put in or replaced."


def _beside(path: Path, number: int, last: str) -> list[str]:
    """What the head file says that the log does not."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        head = json.loads(path.with_name(path.name + HEAD_SUFFIX).read_text(encoding="utf-8"))
        if head["number"] > number:
            return [f"The log was cut off: it held {head['number']} entries, and {number} are left."]
        if head["number"] == number and head["hash"] != last:
            return ["The last entry is not the one that the head file names."]
    return []


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
            return Entry(**told)
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

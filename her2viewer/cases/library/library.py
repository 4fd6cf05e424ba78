"""The case library: every change is one transaction and on the disk when the method returns; what counts is logged.

The library may be ahead of its log, never behind it: an entry waits in the library (`outbox`), kept in the transaction of what it
tells of, until it stands in the log. A process that dies in between leaves it waiting, and whoever opens the library next
appends it, once, with the time it was made.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from her2viewer.cases.library.alignment_text import alignment_text, read_alignment
from her2viewer.cases.library.database import BACKUP_SUFFIX, back_up, now, open_database, said, searched, transaction
from her2viewer.cases.library.figures import StudyFigures, study_figures
from her2viewer.cases.library.identity import file_identity
from her2viewer.cases.library.records import (
    READER_SCORES,
    FoundCase,
    KeptCase,
    KeptFile,
    KeptPrediction,
    Reading,
)
from her2viewer.cases.log import ActionLog
from her2viewer.cases.pair import Pair
from her2viewer.errors import LibraryError
from her2viewer.imaging.alignment import Alignment

LOG_SUFFIX: Final = ".log.jsonl"
_BACKUP_SECONDS: Final = 24 * 3600
_MOST_STEPS: Final = 500
_MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Undone:
    """What undo or redo changed: its name for the menu, and the case it was done to."""

    label: str
    case: int


class Library:
    """One file of cases, used from one thread at a time (a lane); another process may have it open too.

    Absolute paths stay in it: no method writes them anywhere else, and the log knows cases by number, title and hash.
    """

    def __init__(self, path: Path) -> None:
        """Opens or makes it and its log, and makes a copy beside it once a day. Raises LibraryError."""
        self.path: Final = path
        self.log: Final = ActionLog(path.with_name(path.name + LOG_SUFFIX))
        self.log_trouble: LibraryError | None = None
        """Why the log could not be written last; what was to be logged waits in the library, and is appended once it can be."""
        self._lock = threading.RLock()
        self._depth = 0
        self._fresh: set[str] = set()
        self._connection = open_database(path)
        self._back_up_daily()
        self._flush()

    def close(self) -> None:
        """Harmless where it is closed already."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is called inside becomes one transaction, kept at the end or, where something is raised, not at all."""
        with self._changing():
            yield
        self._flush()

    # Cases

    def open_case(self, pair: Pair) -> KeptCase:
        """The case of a pair's files, made where it is new; it is the one opened last from now on.

        Known by what the files hold: one that was moved or renamed is the same case, and its new place is kept. Raises
        LibraryError where a file cannot be read.
        """
        return self._case_of(pair, now())

    def add_case(self, pair: Pair) -> KeptCase:
        """As `open_case`, for pairs that nobody looks at now: it is not among the recent ones until it is opened."""
        return self._case_of(pair, "")

    def _case_of(self, pair: Pair, opened: str) -> KeptCase:
        he, ihc = None if pair.he is None else self._file(pair.he), self._file(pair.ihc)
        key = ("" if he is None else he.identity, ihc.identity)
        with self._changing():
            found = self._one("SELECT id FROM kept_case WHERE he_identity = ? AND ihc_identity = ?", *key)
            if found is None:
                # The stains swapped in the window are the same case.
                found = self._one("SELECT id FROM kept_case WHERE ihc_identity = ? AND he_identity = ?", *key)
            if found is None:
                name = _plain(pair.case_id)
                self._run(
                    "INSERT INTO kept_case (title, case_id, label, he_path, he_identity, ihc_path, ihc_identity, created, "
                    "opened) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    *(name, name, pair.label, None if he is None else _text_of(he.path), key[0]),
                    *(_text_of(ihc.path), ihc.identity, now(), opened),
                )
                case = self._last_row()
                self._index(case)
            else:
                case = int(found[0])
                for column, file in (("he", he), ("ihc", ihc)):
                    if file is not None:
                        self._run(
                            f"UPDATE kept_case SET {column}_path = ? WHERE id = ? AND {column}_identity = ?",
                            *(_text_of(file.path), case, file.identity),
                        )
                self._run("UPDATE kept_case SET opened = max(opened, ?), removed = NULL WHERE id = ?", opened, case)
        return self.case(case)

    def case(self, case: int) -> KeptCase:
        """Raises LibraryError for one that there is not."""
        row = self._one(f"{_CASES} WHERE id = ?", case)
        if row is None:
            raise LibraryError(f"there is no case {case} in it", path=self.path, remedy="open its pair anew")
        return self._case(row)

    def recent(self, most: int = 20) -> tuple[KeptCase, ...]:
        """Those opened last, the last first."""
        asked = f"{_CASES} WHERE removed IS NULL AND opened > '' ORDER BY opened DESC, id DESC LIMIT ?"
        return tuple(one.case for one in self._found(self._all(asked, most)))

    def search(self, words: str = "", tags: Sequence[str] = (), most: int = 500) -> tuple[FoundCase, ...]:
        """Cases in whose title, case id, label, notes or tags every word stands (as a part of a word, in any case and alphabet),
        and that carry every tag; those opened last first.
        """
        wheres, values = ["removed IS NULL"], list[object]()
        # The longest first: it leaves the fewest texts to look through for the others.
        for word in sorted(set(searched(words).split()), key=len, reverse=True):
            wheres.append("instr(found_by.words, ?)")
            values.append(word)
        for tag in tags:
            # The sign keeps SQLite on its way along the order of opening, where it stops after so many.
            wheres.append("+kept_case.id IN (SELECT kept_case FROM tag WHERE tag = ?)")
            values.append(_plain(tag))
        rows = self._all(
            f"{_CASES} JOIN found_by ON found_by.kept_case = kept_case.id WHERE {' AND '.join(wheres)} "
            "ORDER BY opened DESC, id DESC LIMIT ?",
            *(*values, most),
        )
        return self._found(rows)

    def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag with the number of its cases, the most used first."""
        rows = self._all(
            "SELECT tag, count(*) FROM tag JOIN kept_case ON kept_case.id = tag.kept_case WHERE removed IS NULL "
            "GROUP BY tag ORDER BY count(*) DESC, tag"
        )
        return tuple((str(tag), int(count)) for tag, count in rows)

    def set_title(self, case: int, title: str) -> None:
        """Undoable."""
        self._set(case, "title", _plain(title.strip()), "Rename the case")

    def set_notes(self, case: int, notes: str) -> None:
        """Undoable; changes in a row are one step each, so the caller waits for a pause in the typing."""
        self._set(case, "notes", _plain(notes), "Change the notes")

    def set_tags(self, case: int, tags: Sequence[str]) -> None:
        """Undoable. Empty ones and repeated ones fall away."""
        wanted = list(dict.fromkeys(tag for tag in (_plain(" ".join(tag.split())) for tag in tags) if tag))
        self._set(case, "tags", wanted, "Change the tags")

    def remove(self, case: int) -> None:
        """Takes a case off every list, readings and all; opening its pair, or undo, brings it back. No file is touched."""
        self._set(case, "removed", now(), "Remove the case")

    def relink(self, case: int, he: Path | None, ihc: Path) -> KeptCase:
        """Where the files lie now. Raises LibraryError where they are not the case's: their bytes differ."""
        kept = self.case(case)
        for was, path in ((kept.he, he), (kept.ihc, ihc)):
            if was is not None and path is not None and self._file(path).identity != was.identity:
                raise LibraryError(
                    f"this is not the image of {kept.title}: its bytes are others", path=path, remedy="choose that very file"
                )
        with self._changing():
            self._run("UPDATE kept_case SET ihc_path = ? WHERE id = ?", _text_of(ihc.resolve()), case)
            if he is not None and kept.he is not None:
                self._run("UPDATE kept_case SET he_path = ? WHERE id = ?", _text_of(he.resolve()), case)
        return self.case(case)

    # What was drawn and found on it

    def keep_fields(self, case: int, fields: str) -> None:
        """The drawn fields as GeoJSON; their own undo is the window's."""
        self._keep_drawn(case, "fields", fields)

    def fields(self, case: int) -> str | None:
        """As they were kept."""
        row = self._one("SELECT fields FROM drawn WHERE kept_case = ?", case)
        return None if row is None or row[0] is None else str(row[0])

    def keep_alignment(self, case: int, alignment: Alignment | None) -> None:
        """None: none any more."""
        self._keep_drawn(case, "alignment", None if alignment is None else alignment_text(alignment))

    def alignment(self, case: int) -> Alignment | None:
        """Raises LibraryError where what is kept cannot be read."""
        row = self._one("SELECT alignment FROM drawn WHERE kept_case = ?", case)
        if row is None or row[0] is None:
            return None
        try:
            return read_alignment(str(row[0]))
        except ValueError as error:
            raise LibraryError("its alignment cannot be read", path=self.path, remedy="align the pair anew") from error

    def _keep_drawn(self, case: int, column: str, text: str | None) -> None:
        with self._changing():
            self._value(case, "title")
            self._run(
                f"INSERT INTO drawn (kept_case, {column}) VALUES (?, ?) "
                f"ON CONFLICT (kept_case) DO UPDATE SET {column} = excluded.{column}",
                *(case, text),
            )

    # Predictions and readings

    def keep_prediction(
        self, case: int, *, score: str, no_call: str | None, model: str, model_sha256: str, document: str
    ) -> None:
        """A model's score of the whole case; logged. `document`: its result file. The same again is kept once.

        A reading that was made while there was no score is set beside this one.
        """
        with self._changing():
            self._value(case, "title")
            last = self.prediction(case)
            if last is not None and last.model_sha256 == model_sha256 and _same_result(last.document, document):
                return
            self._run(
                "INSERT INTO prediction (kept_case, score, no_call, model, model_sha256, document, utc) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(case, score, no_call, model, model_sha256, document, now()),
            )
            self._run(
                "UPDATE reading SET model_score = ?, model = ?, model_sha256 = ?, model_no_call = ? "
                "WHERE kept_case = ? AND model_score IS NULL",
                *(score, model, model_sha256, no_call, case),
            )
            about = {"score": score, "no_call": no_call, "model": model, "model_sha256": model_sha256}
            self._tell("score", case, about | {"result_sha256": _sha256(document)})
        self._flush()

    def prediction(self, case: int, model_sha256: str | None = None) -> KeptPrediction | None:
        """The last one; of one model where that is named."""
        where, values = ("", ()) if model_sha256 is None else (" AND model_sha256 = ?", (model_sha256,))
        row = self._one(f"{_PREDICTIONS} WHERE kept_case = ?{where} ORDER BY id DESC LIMIT 1", case, *values)
        return None if row is None else KeptPrediction(*row)

    def reveal(self, case: int, model_sha256: str, reader: str = "") -> None:
        """The reader sees the score of this model from now on: what is read later is not blind. One who is not named may be
        anybody.
        """
        with self._changing():
            self._value(case, "title")
            self._run("INSERT OR IGNORE INTO revealed VALUES (?, ?, ?, ?)", case, model_sha256, _plain(reader.strip()), now())

    def is_revealed(self, case: int, model_sha256: str, reader: str = "") -> bool:
        """Whether its score was ever shown for this case, to this reader or to one who was not named."""
        return model_sha256 in self._seen(case, reader)

    def _seen(self, case: int, reader: str) -> set[str]:
        """The models whose scores of this case the reader has seen, or may have."""
        asked = "SELECT model_sha256 FROM revealed WHERE kept_case = ? AND (reader IN ('', ?) OR ? = '')"
        reader = _plain(reader.strip())
        return {str(model) for (model,) in self._all(asked, case, reader, reader)}

    def read(
        self, case: int, score: str, reason: str = "", *, reader: str = "", seconds: float | None = None
    ) -> Reading:
        """Keeps a reader's own score, undoable and logged. Raises ValueError for a score that a reader cannot give.

        It is set beside the score that the reader saw last, or, blind, beside the one that stands. Who has seen one model's
        score is not blind for another's.
        """
        if score not in READER_SCORES:
            raise ValueError(f"score must be one of {', '.join(READER_SCORES)}, got {score!r}")
        with self._changing():
            self._value(case, "title")
            seen = self._seen(case, reader)
            known = [KeptPrediction(*row) for row in self._all(f"{_PREDICTIONS} WHERE kept_case = ? ORDER BY id", case)]
            beside = [one for one in known if not seen or one.model_sha256 in seen]
            model = beside[-1] if beside else None
            self._run(
                "INSERT INTO reading (kept_case, score, reason, reader, seconds, model_score, model, model_sha256, "
                "model_no_call, revealed, utc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(case, score, _plain(reason.strip()), _plain(reader.strip()), seconds),
                *((model.score, model.model, model.model_sha256, model.no_call) if model is not None else (None,) * 4),
                *(int(bool(seen)), now()),
            )
            key = self._last_row()
            made = self._reading(key)
            self._step(f"Read as {score}", case, "reading", {"id": key, "withdrawn": 1}, {"id": key, "withdrawn": 0})
            about = {"reading": key, "score": score, "reason": made.reason, "reader": made.reader, "seconds": seconds}
            kind = "override" if made.kind == "override" else "reading"
            self._tell(kind, case, about | {"model_score": made.model_score, "blind": made.kind == "blind"})
        self._flush()
        return made

    def set_reason(self, case: int, reason: str, reader: str | None = None) -> Reading:
        """Other words for the reason of the last reading (of one reader where named), undoable and logged: no new reading, which
        would not be blind any more. Raises LibraryError where nothing was read yet.
        """
        with self._changing():
            last = self.reading(case, reader)
            wanted = _plain(reason.strip())
            if last is None:
                raise LibraryError("nothing was read of this case yet", path=self.path, remedy="give a score first")
            if last.reason == wanted:
                return last
            self._run("UPDATE reading SET reason = ? WHERE id = ?", wanted, last.id)
            before, after = ({"id": last.id, "reason": text} for text in (last.reason, wanted))
            self._step("Change the reason", case, "reason", before, after)
            self._tell("reading reason", case, {"reading": last.id, "reason": wanted})
            made = self._reading(last.id)
        self._flush()
        return made

    def reading(self, case: int, reader: str | None = None) -> Reading | None:
        """The last one that was not taken back; of one reader where that is named."""
        where, values = ("", ()) if reader is None else (" AND reader = ?", (reader,))
        row = self._one(
            f"{_READINGS} WHERE kept_case = ? AND withdrawn = 0{where} ORDER BY id DESC LIMIT 1", case, *values
        )
        return None if row is None else _as_reading(row)

    def readings(self, tag: str | None = None, *, every: bool = False) -> tuple[Reading, ...]:
        """The last of each case and reader, or every one, in the order they were made; of the cases of a tag where that is named.
        """
        wheres, values = ["withdrawn = 0", "kept_case IN (SELECT id FROM kept_case WHERE removed IS NULL)"], list[object]()
        if tag is not None:
            wheres.append("EXISTS (SELECT 1 FROM tag WHERE tag.kept_case = reading.kept_case AND tag.tag = ?)")
            values.append(tag)
        if not every:
            wheres.append("id IN (SELECT max(id) FROM reading WHERE withdrawn = 0 GROUP BY kept_case, reader)")
        rows = self._all(f"{_READINGS} WHERE {' AND '.join(wheres)} ORDER BY id", *values)
        return tuple(map(_as_reading, rows))

    def models(self) -> tuple[tuple[str, str], ...]:
        """(name and version, SHA-256) of each model that has scored a case, the last one first."""
        asked = "SELECT model, model_sha256 FROM prediction GROUP BY model_sha256 ORDER BY max(id) DESC"
        return tuple((str(name), str(sha256)) for name, sha256 in self._all(asked))

    def study(self, tag: str | None = None, model_sha256: str | None = None) -> StudyFigures:
        """The figures of all readings, or of the cases of a tag: the same in window, command and report.

        `model_sha256`: sets every reading beside this model's score of the case, whichever stood when it was made.
        """
        readings = self.readings(tag, every=True)
        if model_sha256 is None:
            return study_figures(readings)
        asked = (
            f"{_PREDICTIONS} WHERE id IN (SELECT max(id) FROM prediction WHERE model_sha256 = ? GROUP BY kept_case)"
        )
        found = (KeptPrediction(*row) for row in self._all(asked, model_sha256))
        return study_figures(readings, {one.case: one for one in found})

    def note_export(self, case: int | None, what: str, sha256: str) -> None:
        """Logs that something of a case, or of none alone, was written to a file: what, and its hash; not where.

        Told after the file stands there: an export that the log does not know was made in the moment the app was killed.
        """
        with self._changing():
            self._tell("export", case, {"what": what, "sha256": sha256})
        self._flush()

    # Undo

    @property
    def undo_label(self) -> str | None:
        row = self._one("SELECT label FROM step WHERE undone = 0 ORDER BY id DESC LIMIT 1")
        return None if row is None else str(row[0])

    @property
    def redo_label(self) -> str | None:
        row = self._one("SELECT label FROM step WHERE undone = 1 ORDER BY id LIMIT 1")
        return None if row is None else str(row[0])

    def undo(self) -> Undone | None:
        """Takes the last step back, also one of an earlier day; None where there is none."""
        return self._go("SELECT * FROM step WHERE undone = 0 ORDER BY id DESC LIMIT 1", undone=True)

    def redo(self) -> Undone | None:
        """Does the step again that was taken back last."""
        return self._go("SELECT * FROM step WHERE undone = 1 ORDER BY id LIMIT 1", undone=False)

    def _go(self, question: str, *, undone: bool) -> Undone | None:
        with self._changing():
            row = self._one(question)
            if row is None:
                return None
            key, label, case, what, before, after, _ = row
            self._put(int(case), str(what), json.loads(before if undone else after))
            self._run("UPDATE step SET undone = ? WHERE id = ?", int(undone), key)
            value = json.loads(before if undone else after)
            if what == "reading":
                kind = "reading withdrawn" if undone else "reading restored"
                self._tell(kind, int(case), {"reading": value["id"]})
            elif what == "reason":
                self._tell("reading reason", int(case), {"reading": value["id"], "reason": value["reason"]})
        self._flush()
        return Undone(str(label), int(case))

    def _set(self, case: int, what: str, value: object, label: str) -> None:
        with self._changing():
            before = self._value(case, what)
            if before == value:
                return
            self._put(case, what, value)
            self._step(label, case, what, before, value)

    def _step(self, label: str, case: int, what: str, before: object, after: object) -> None:
        self._run("DELETE FROM step WHERE undone = 1")
        self._run(
            "INSERT INTO step (label, kept_case, what, before, after) VALUES (?, ?, ?, ?, ?)",
            *(label, case, what, json.dumps(before), json.dumps(after)),
        )
        self._run("DELETE FROM step WHERE id <= (SELECT max(id) FROM step) - ?", _MOST_STEPS)

    def _value(self, case: int, what: str) -> object:
        row = self._one(f"SELECT {'title' if what == 'tags' else what} FROM kept_case WHERE id = ?", case)
        if row is None:
            raise LibraryError(f"there is no case {case} in it", path=self.path, remedy="open its pair anew")
        return list(self._tags(case)) if what == "tags" else row[0]

    def _put(self, case: int, what: str, value: Any) -> None:
        if what == "tags":
            self._run("DELETE FROM tag WHERE kept_case = ?", case)
            for tag in value:
                self._run("INSERT OR IGNORE INTO tag VALUES (?, ?)", case, tag)
        elif what in ("reading", "reason"):
            column = "withdrawn" if what == "reading" else "reason"
            self._run(f"UPDATE reading SET {column} = ? WHERE id = ?", value[column], value["id"])
            return
        else:
            self._run(f"UPDATE kept_case SET {what} = ? WHERE id = ?", value, case)
        self._index(case)

    def _index(self, case: int) -> None:
        """What `search` looks through."""
        row = self._one("SELECT title, case_id, label, notes FROM kept_case WHERE id = ?", case)
        assert row is not None
        words = searched(*row, *self._tags(case))
        self._run("INSERT OR REPLACE INTO found_by VALUES (?, ?)", case, words)

    # The log

    def _tell(self, kind: str, case: int | None, about: Mapping[str, object]) -> None:
        """Within the transaction of what is told: both are kept or neither. `_flush` appends it to the log afterwards."""
        of_case: dict[str, object] = {}
        if case is not None:
            row = self._one("SELECT title, he_identity, ihc_identity FROM kept_case WHERE id = ?", case)
            assert row is not None
            of_case = {"case": case, "title": row[0], "he": row[1], "ihc": row[2]}
        key = uuid4().hex
        self._run(
            "INSERT INTO outbox (id, kind, about, utc) VALUES (?, ?, ?, ?)",
            *(key, kind, json.dumps(of_case | dict(about)), now()),
        )
        self._fresh.add(key)

    def _flush(self) -> None:
        """Appends what waits. A process that dies between the log and the commit finds its entry in the log, and not twice.

        Where the log cannot be written, what was kept stays kept and its entry waits; `log_trouble` says why.
        """
        with self._lock:
            if self._depth:
                return
            try:
                while self._append_some():
                    pass
            except LibraryError as error:
                self._fresh.clear()
                self.log_trouble = error
            else:
                self.log_trouble = None

    def _append_some(self) -> bool:
        """Fewer at a time than `ActionLog.holds` looks back; whether there may be more."""
        with self._changing():
            waiting = self._all("SELECT * FROM outbox ORDER BY place LIMIT ?", _MOST_AT_ONCE)
            for place, key, kind, about, utc in waiting:
                # What this object made and has not tried to append yet cannot be there.
                if key in self._fresh or not self.log.holds(str(key)):
                    self._fresh.discard(str(key))
                    self.log.append(str(kind), json.loads(about), id=str(key), utc=str(utc))
                self._run("DELETE FROM outbox WHERE place = ?", place)
        return len(waiting) == _MOST_AT_ONCE

    # SQLite

    def _file(self, path: Path) -> KeptFile:
        try:
            return KeptFile(path.resolve(), file_identity(path))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise LibraryError(f"it cannot be read ({reason})", path=path, remedy="check that its drive is there") from error

    def _found(self, rows: Sequence[Sequence[Any]]) -> tuple[FoundCase, ...]:
        """Many cases with what a list says of them, in four questions in all."""
        ids = [row[0] for row in rows]
        marks = ", ".join("?" * len(ids))
        tags: dict[int, list[str]] = {}
        for key, tag in self._all(f"SELECT kept_case, tag FROM tag WHERE kept_case IN ({marks}) ORDER BY tag", *ids):
            tags.setdefault(key, []).append(tag)
        last = f"SELECT max(id) FROM {{}} WHERE kept_case IN ({marks}){{}} GROUP BY kept_case"
        asked = f"{_READINGS} WHERE id IN ({last.format('reading', ' AND withdrawn = 0')})"
        readings = {one.case: one for one in map(_as_reading, self._all(asked, *ids))}
        asked = f"{_PREDICTIONS} WHERE id IN ({last.format('prediction', '')})"
        predictions = {row[0]: KeptPrediction(*row) for row in self._all(asked, *ids)}
        cases = (self._case(row, tuple(tags.get(row[0], ()))) for row in rows)
        return tuple(FoundCase(case, readings.get(case.id), predictions.get(case.id)) for case in cases)

    def _case(self, row: Sequence[Any], tags: tuple[str, ...] | None = None) -> KeptCase:
        key, title, label, he_path, he_identity, ihc_path, ihc_identity, notes, created, opened, case_id = row
        he = None if he_path is None else KeptFile(_path_of(he_path), he_identity)
        ihc = KeptFile(_path_of(ihc_path), ihc_identity)
        tags = self._tags(key) if tags is None else tags
        return KeptCase(key, title, label, he, ihc, notes, tags, created, opened, case_id)

    def _tags(self, case: int) -> tuple[str, ...]:
        return tuple(str(tag) for (tag,) in self._all("SELECT tag FROM tag WHERE kept_case = ? ORDER BY tag", case))

    def _reading(self, key: int) -> Reading:
        row = self._one(f"{_READINGS} WHERE id = ?", key)
        assert row is not None
        return _as_reading(row)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock, transaction(self._connection, self.path, nested=self._depth > 0):
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def _last_row(self) -> int:
        return int(self._connection.execute("SELECT last_insert_rowid()").fetchone()[0])

    def _run(self, statement: str, *values: object) -> None:
        self._connection.execute(statement, values)

    def _all(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, said(self.path):
            return self._connection.execute(question, values).fetchall()

    def _one(self, question: str, *values: object) -> tuple[Any, ...] | None:
        found = self._all(question, *values)
        return found[0] if found else None

    def _back_up_daily(self) -> None:
        """Not for an empty one, which would take the place of a copy that is worth more."""
        copy = self.path.with_name(self.path.name + BACKUP_SUFFIX)
        with said(self.path):
            old = not copy.exists() or time.time() - copy.stat().st_mtime > _BACKUP_SECONDS
        if old and self._one("SELECT 1 FROM kept_case LIMIT 1") is not None:
            back_up(self._connection, self.path)


_CASES: Final = (
    "SELECT id, title, label, he_path, he_identity, ihc_path, ihc_identity, notes, created, opened, case_id FROM kept_case"
)
_PREDICTIONS: Final = "SELECT kept_case, score, no_call, model, model_sha256, document, utc FROM prediction"
_READINGS: Final = (
    "SELECT id, kept_case, score, reason, reader, seconds, model_score, revealed, utc, model, model_sha256, model_no_call "
    "FROM reading"
)


def _as_reading(row: Sequence[Any]) -> Reading:
    key, case, score, reason, reader, seconds, model_score, revealed, *more = row
    return Reading(key, case, score, reason, reader, seconds, model_score, bool(revealed), *more)


def _text_of(path: Path) -> str:
    """A path as SQLite takes it, and back the very same: a Linux file name may hold bytes that are no UTF-8."""
    return json.dumps(str(path)) if str(path) != _plain(str(path)) else str(path)


def _path_of(text: str) -> Path:
    return Path(json.loads(text) if text.startswith('"') else text)


def _plain(text: str) -> str:
    """As SQLite and JSON take it: a Linux file name may hold bytes that are no UTF-8."""
    return text.encode(errors="replace").decode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _same_result(a: str, b: str) -> bool:
    """But for when and how fast."""
    try:
        first, second = json.loads(a), json.loads(b)
    except ValueError:
        return a == b
    for told in (first, second):
        if isinstance(told, dict):
            told.pop("utc", None)
            told.pop("seconds", None)
    return bool(first == second)

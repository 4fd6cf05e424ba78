"""The log of a folder of results: what was written for each case, by its hash, and whether it is still what was written."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from her2viewer.batch.names import ARRAYS, EXPLANATION, LIST, LOG, PICTURE, RESULT, STORE, TABLE
from her2viewer.cases.log import HEAD_SUFFIX, ActionLog, Entry, verify_log
from her2viewer.errors import ExportError, LibraryError
from her2viewer.export.finding import Finding, head_words
from her2viewer.export.results import ResultDocument

_NAMED_AT_MOST: Final = 20
_OURS: Final = (PICTURE, ARRAYS, EXPLANATION, RESULT)


class ResultsLog:
    """Appends to the log of one folder, for whoever holds its store: that keeps everybody else out."""

    def __init__(self, folder: Path) -> None:
        self.log: Final = ActionLog(folder / LOG, alone=True)

    def scored(self, result: ResultDocument, files: Mapping[str, bytes]) -> None:
        """A case was scored, and these files were written, by their names. Raises ExportError."""
        self._append("score", _about(result) | {"files": {name: _sha256(data) for name, data in files.items()}})

    def relabelled(self, result: ResultDocument, files: Mapping[str, bytes]) -> None:
        """A case's label was corrected. Raises ExportError."""
        hashes = {name: _sha256(data) for name, data in files.items()}
        self._append("label", {"case_id": result.case_id, "label": result.label, "files": hashes})

    def failed(self, case_id: str, error: str) -> None:
        """A case could not be scored. Raises ExportError."""
        self._append("failed", {"case_id": case_id, "error": error})

    def tables(self, *paths: Path) -> None:
        """These were written anew. Raises ExportError."""
        self._append("tables", {"files": {path.name: file_sha256(path) for path in paths}})

    def exported(self, case_ids: tuple[str, ...], count: int, what: str, sha256: str) -> None:
        """Something was made of so many cases and left the folder; not where to. `case_ids`: none where it was all of them.

        Raises ExportError.
        """
        about: dict[str, Any] = {"case_id": case_ids[0]} if len(case_ids) == 1 else {"cases": count}
        self._append("export", about | {"what": what, "sha256": sha256})

    def about(self, case_id: str) -> Iterator[Entry]:
        """The entries of one case. Raises ExportError."""
        if not self.log.path.exists():
            return
        try:
            yield from (entry for entry in self.log.entries() if entry.about.get("case_id") == case_id)
        except LibraryError as error:
            raise ExportError(error.what, path=error.path, remedy=error.remedy) from error

    def _append(self, kind: str, about: Mapping[str, Any]) -> None:
        try:
            self.log.append(kind, _plain(about))
        except LibraryError as error:
            raise ExportError(error.what, path=error.path, remedy=error.remedy) from error


def verify_results(folder: Path, head: str | None = None) -> Finding:
    """Says of a folder of results which files are not what its log says, and whether the log was changed.

    Not looked at: the rows in the database, of which the tables are made. Raises LibraryError where there is no log in it.
    """
    path = folder / LOG
    if not path.is_file():
        raise LibraryError(
            f"there is no log in this folder ({LOG} is missing)", path=folder, remedy="name a folder that 'score --out' was given"
        )
    chain = verify_log(path, head)
    changes, remarks = list(chain.changes), list(chain.remarks)
    written = _written(path)
    lost = []
    for name, sha256 in sorted(written.items()):
        try:
            if file_sha256(folder / name) != sha256:
                changes.append(f"{name} was altered.")
        except FileNotFoundError:
            lost.append(name)
        except OSError as error:
            changes.append(f"{name} cannot be read ({error.strerror or type(error).__name__}).")
    others = _others(folder, written)
    changes += _gone(folder, lost, written, others)
    if others:
        remarks.append(f"The log does not tell of {_listed(others)}.")
    changes = _cut(changes)
    title = f"a folder of results, {chain.entries:,} entries in its log, {len(written):,} files"
    remarks += head_words(chain.head, head, "the last entry of the log")
    return Finding(title, chain.head, tuple(changes), tuple(remarks))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(path: Path) -> dict[str, str]:
    """The files that the log tells of, with the hash that each had last. Names with a folder in them are nobody's of ours."""
    found: dict[str, str] = {}
    for entry in ActionLog(path).entries():
        files = entry.about.get("files")
        if isinstance(files, dict):
            found |= {str(name): str(sha256) for name, sha256 in files.items() if name == Path(str(name)).name}
    return found


def _others(folder: Path, written: Mapping[str, str]) -> list[str]:
    """Files of the folder that look like ours and of which the log does not tell."""
    known = {LOG, LOG + HEAD_SUFFIX, *(STORE + end for end in ("", "-wal", "-shm", "-journal"))}
    found = (path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    ours = (name for name in found if name.endswith(_OURS) or name in (TABLE, LIST))
    return sorted(name for name in ours if name not in known and name not in written)


def _gone(folder: Path, lost: list[str], written: Mapping[str, str], others: list[str]) -> list[str]:
    """What became of files that are not there: renamed, where another has their bytes."""
    if not lost:
        return []
    by_hash = {file_sha256(folder / name): name for name in others}
    said = []
    for name in lost:
        now = by_hash.get(written[name])
        if now is None:
            said.append(f"{name} is missing.")
        else:
            said.append(f"{name} was renamed to {now}.")
            if now in others:
                others.remove(now)
    return said


def _about(result: ResultDocument) -> dict[str, Any]:
    he = result.images.he
    return {
        "case_id": result.case_id,
        "score": result.score,
        "no_call": result.no_call,
        "he_sha256": None if he is None else he.sha256,
        "ihc_sha256": result.images.ihc.sha256,
        "model": f"{result.model.name} {result.model.version}",
        "model_sha256": result.model.sha256,
    }


def _plain(about: Mapping[str, Any]) -> dict[str, Any]:
    """Text that JSON and UTF-8 take: a Linux file name may hold bytes that are no UTF-8."""
    return {
        key: value.encode(errors="replace").decode() if isinstance(value, str) else value for key, value in about.items()
    }


def _listed(names: list[str]) -> str:
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more files" if more > 0 else "")


def _cut(changes: list[str]) -> list[str]:
    more = len(changes) - _NAMED_AT_MOST
    return changes if more <= 0 else [*changes[:_NAMED_AT_MOST], f"And {more:,} more."]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""`her2viewer export`: results of a folder as FHIR Observations and as evidence bundles."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from her2viewer.batch.bundles import bundle_of, scored
from her2viewer.batch.names import STORE, file_stem
from her2viewer.batch.results_log import ResultsLog
from her2viewer.batch.store import RowStore
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ExportError
from her2viewer.export.bundle import write_bundle
from her2viewer.export.fhir import observation_line, observation_text
from her2viewer.export.files import write_atomic

LINES: Final = ".ndjson"


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """What stood on the command line."""

    results: Path
    cases: tuple[str, ...]
    fhir: Path | None
    bundle: Path | None
    subject: str | None
    model: Path | None
    replace: bool


def write_exports(asked: ExportAsked) -> None:
    """Writes what was asked for, and says what. Raises ExportError, PackageError."""
    if not (asked.results / STORE).is_file():
        raise ExportError(
            f"there are no results in this folder ({STORE} is missing)",
            path=asked.results.resolve(),
            remedy="name a folder that 'her2viewer score' or the batch dialog wrote",
        )
    store = RowStore(asked.results)
    try:
        _write_all(asked, store, Terminal())
    finally:
        store.close()


def _write_all(asked: ExportAsked, store: RowStore, terminal: Terminal) -> None:
    if asked.fhir is not None:
        write = _lines if asked.fhir.suffix.lower() == LINES else _observations
        count = write(asked, store, asked.fhir)
        terminal.say(f"{count:,} FHIR Observations, status preliminary, written to {asked.fhir}.")
    if asked.bundle is not None:
        for name, head in _bundles(asked, store, asked.bundle):
            terminal.say(f"{name}: head {head}")
        terminal.say(f"Written to {asked.bundle}. Note the heads elsewhere; 'her2viewer verify FILE --head HASH' compares.")


def _observations(asked: ExportAsked, store: RowStore, folder: Path) -> int:
    log, count = ResultsLog(asked.results), 0
    _make(folder)
    for result in scored(store, asked.cases):
        data = observation_text(result, subject=asked.subject).encode()
        _write(folder / f"{file_stem(result.case_id)}.fhir.json", data, asked.replace)
        log.exported((result.case_id,), 1, "FHIR Observation", hashlib.sha256(data).hexdigest())
        count += 1
    return count


def _lines(asked: ExportAsked, store: RowStore, path: Path) -> int:
    _free(path, asked.replace)
    count, digest = 0, hashlib.sha256()
    with write_atomic(path) as file:
        for result in scored(store, asked.cases):
            line = observation_line(result, subject=asked.subject).encode()
            file.write(line)
            digest.update(line)
            count += 1
    ResultsLog(asked.results).exported(asked.cases, count, "FHIR Observations", digest.hexdigest())
    return count


def _bundles(asked: ExportAsked, store: RowStore, folder: Path) -> Iterator[tuple[str, str]]:
    """Name and head of each, as it is written."""
    log = ResultsLog(asked.results)
    _make(folder)
    for result in scored(store, asked.cases):
        bundle = bundle_of(asked.results, result.case_id, asked.model)
        _free(folder / bundle.name, asked.replace)
        log.exported((result.case_id,), 1, "evidence bundle", write_bundle(folder / bundle.name, bundle))
        yield bundle.name, bundle.head


def _write(path: Path, data: bytes, replace: bool) -> None:
    _free(path, replace)
    with write_atomic(path) as file:
        file.write(data)


def _free(path: Path, replace: bool) -> None:
    """Raises ExportError where something would be lost."""
    if path.exists() and not replace:
        raise ExportError("a file of this name is there already", path=path, remedy="choose another place, or add --replace")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(f"the folder cannot be made ({reason})", path=folder, remedy="choose another folder") from error

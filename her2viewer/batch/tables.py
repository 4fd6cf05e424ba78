"""The tables of a folder, made from its rows: at the end of a run, or whenever they are asked for."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from her2viewer.batch.names import LIST, TABLE
from her2viewer.batch.results_log import ResultsLog
from her2viewer.batch.store import RowStore, StoredRow
from her2viewer.errors import ExportError
from her2viewer.export.files import write_atomic
from her2viewer.export.results import ResultDocument
from her2viewer.export.table import CSVRow, csv_row, write_csv


class StoredRows:
    """The rows of a store, each made into something else as it is read; can be gone through again and again."""

    def __init__(self, store: RowStore, make: Callable[[StoredRow], CSVRow]) -> None:
        self._store = store
        self._make = make

    def __iter__(self) -> Iterator[CSVRow]:
        return map(self._make, self._store.rows())


def cells(row: StoredRow) -> CSVRow:
    """A row of the CSV."""
    if row.result is not None:
        return csv_row(ResultDocument.model_validate_json(row.result))
    told: CSVRow = json.loads(row.failed or "{}")["cells"]
    return told


def plain(row: StoredRow) -> Mapping[str, object]:
    """A row of the JSON list: the result file, or what is known of a failed pair with `error`."""
    found: Mapping[str, object] = json.loads(row.result or row.failed or "{}")
    return found if row.result is not None else found["object"]  # type: ignore[return-value]


def write_tables(store: RowStore) -> tuple[Path, ...]:
    """Writes both tables anew, each whole or not at all, and returns their paths; none where there are no rows.

    Raises ExportError where one cannot be written (it is open in another program, say); the other is written first.
    """
    if not len(store):
        return ()
    folder, error = store.path.parent, None
    for write, path in ((_write_list, folder / LIST), (_write_table, folder / TABLE)):
        try:
            write(store, path)
        except ExportError as failed:
            error = error or failed
    if error is not None:
        raise ExportError(
            error.what,
            path=error.path,
            remedy="all rows are kept; mend that, then go on with these results, or 'her2viewer table FOLDER' writes it",
        ) from error
    ResultsLog(folder).tables(folder / TABLE, folder / LIST)
    return folder / TABLE, folder / LIST


def _write_table(store: RowStore, path: Path) -> None:
    write_csv(path, StoredRows(store, cells))


def _write_list(store: RowStore, path: Path) -> None:
    with write_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="\n")
        for number, row in enumerate(store.rows()):
            lines = json.dumps(plain(row), indent=2, ensure_ascii=False).replace("\n", "\n  ")
            text.write(f"{',' if number else '['}\n  {lines}")
        text.write("\n]\n")
        text.flush()
        text.detach()

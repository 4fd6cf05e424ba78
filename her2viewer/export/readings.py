"""The table of readings: what readers said of the library's cases, beside the model. No path, and notes only where asked for."""

import csv
import hashlib
import io
from pathlib import Path
from typing import Final

from her2viewer.cases.library.library import Library
from her2viewer.cases.library.records import KeptCase, Reading
from her2viewer.export.files import write_atomic
from her2viewer.export.places import without_places
from her2viewer.export.table import neutralised

COLUMNS: Final = (
    "case", "case_id", "title", "label", "tags", "reader", "reader_score", "reason", "kind", "seconds", "model_score",
    "model_no_call", "model", "model_sha256", "utc", "last",
)  # fmt: skip
NOTES: Final = "notes"


def readings_csv(library: Library, tag: str | None = None, *, notes: bool = False) -> tuple[str, int]:
    """The table as text, and how many readings it holds: every one that was not taken back, in the order they were made.

    `kind`: blind, agreed or override; `last`: 1 where no later reading of the same case and reader followed, else 0. Words that
    a spreadsheet would run are neutralised, absolute paths in reasons and notes are cut to their last name.
    """
    readings = library.readings(tag, every=True)
    last = {one.id for one in library.readings(tag)}
    cases = {key: library.case(key) for key in {one.case for one in readings}}
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *([NOTES] if notes else [])])
    for one in readings:
        row = [*_cells(one, cases[one.case]), int(one.id in last)]
        row += [without_places(cases[one.case].notes)] if notes else []
        writer.writerow([neutralised(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue(), len(readings)


def write_readings(path: Path, library: Library, tag: str | None = None, *, notes: bool = False) -> int:
    """Writes the table, whole or not at all, and has it logged; how many readings. Raises ExportError, LibraryError."""
    text, count = readings_csv(library, tag, notes=notes)
    data = text.encode("utf-8-sig")
    with write_atomic(path) as file:
        file.write(data)
    library.note_export(None, "table of readings", hashlib.sha256(data).hexdigest())
    return count


def _cells(one: Reading, case: KeptCase) -> list[str | int | float | None]:
    return [
        case.id,
        case.case_id,
        case.title,
        case.label,
        " | ".join(case.tags),
        one.reader,
        one.score,
        without_places(one.reason),
        one.kind.value,
        one.seconds,
        one.model_score,
        one.model_no_call,
        one.model,
        one.model_sha256,
        one.utc,
    ]

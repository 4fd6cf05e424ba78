"""Readings as a table: a row for each, with what the model said; no path and nobody's name."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from her2viewer import __version__
from her2viewer.cases.library.records import KeptCase, Reading
from her2viewer.export.files import write_atomic
from her2viewer.export.places import valid_unicode
from her2viewer.export.table import neutralised

COLUMNS: Final = ("case", "tags", "reader_score", "model_score", "kind", "reason", "seconds", "utc", "app_version")


def write_readings(path: Path | str, readings: Iterable[Reading], cases: Mapping[int, KeptCase]) -> int:
    """Writes the table, whole or not at all, and returns its rows. `kind`: blind, agreed or override. Raises ExportError."""
    rows = [_row(one, cases.get(one.case)) for one in readings]
    with write_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([neutralised(cell) if isinstance(cell, str) else cell for cell in row])
        text.flush()
        text.detach()
    return len(rows)


def _row(reading: Reading, case: KeptCase | None) -> tuple[str | float | None, ...]:
    return (
        valid_unicode(case.title) if case is not None else "",
        "; ".join(case.tags) if case is not None else "",
        reading.score,
        reading.model_score,
        str(reading.kind),
        reading.reason,
        None if reading.seconds is None else round(reading.seconds, 1),
        reading.utc,
        __version__,
    )

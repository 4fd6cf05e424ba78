"""The CSV: a row for every pair, failed ones with `error`; columns named as in the result file.

UTF-8 with a byte order mark: without it Excel reads UTF-8 as the system's old code page and spoils umlauts in case ids.
pandas and R drop the mark by themselves; in Python open the file with encoding "utf-8-sig".
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from her2viewer import __version__
from her2viewer.export.files import write_atomic
from her2viewer.export.places import file_within, valid_unicode, without_places
from her2viewer.export.results import ImageRecord, ResultDocument
from her2viewer.scoring.stains import Stain

Cell = str | int | float | None
CSVRow = dict[str, Cell]
"""By column name. A column that is not there is an empty cell."""

CSV_COLUMNS: Final = (
    "case_id",
    "label",
    "score",
    "p_0",
    "p_1+",
    "p_2+",
    "p_3+",
    "prediction_set",
    "no_call",
    "checks",
    "warnings",
    "error",
    "device",
    "precision",
    "seconds",
    "model_name",
    "model_version",
    "model_sha256",
    *(f"{stain}_{name}" for stain in Stain for name in ImageRecord.model_fields),
    *(f"{stain}_field_{name}" for stain in Stain for name in ("x", "y", "width", "height")),
    "app_version",
    "utc",
)
"""The columns of every table. A model of other classes adds its own `p_` columns after these four."""

# What a spreadsheet takes for the start of a formula (OWASP, "CSV injection"), in its full-width forms too. Not only at the
# start of a cell: where a comma is the decimal mark, Excel splits our rows at semicolons.
_FORMULA: Final = re.compile(r"\A(?=[\t\r\n])|(\A|[;\t\r\n])((?:[^\S\t\r\n]|[\"'])*)(?=[=+\-@＝＋－＠])")


def neutralised(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would run as a formula."""
    return _FORMULA.sub(lambda match: f"{match[1] or ''}'{match[2] or ''}", text)


def csv_row(document: ResultDocument) -> CSVRow:
    """A scored pair as a row."""
    row: CSVRow = {
        "case_id": document.case_id,
        "label": document.label,
        "score": document.score,
        **{f"p_{name}": value for name, value in document.probabilities.items()},
        "prediction_set": " ".join(document.prediction_set),
        "no_call": document.no_call,
        "checks": " | ".join(f"{check.name}: {check.message}" for check in document.checks),
        "warnings": " | ".join(document.warnings),
        "device": document.device,
        "precision": document.precision,
        "seconds": document.seconds,
        "model_name": document.model.name,
        "model_version": document.model.version,
        "model_sha256": document.model.sha256,
        "app_version": document.app_version,
        "utc": document.utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if document.alignment is not None:
        row |= {"alignment": document.alignment.words, "alignment_error_um": document.alignment.error_um}
    for stain in Stain:
        image: ImageRecord | None = getattr(document.images, stain)
        row |= {f"{stain}_{name}": value for name, value in image or ()}
        if stain in document.field:
            told = document.field[stain].model_dump()  # without the frame where there is none
            frame = told.pop("frame", None)
            row |= {f"{stain}_field_{name}": value for name, value in told.items()}
            if frame is not None:
                row[f"{stain}_field_frame"] = " ".join(f"{figure:.10g}" for figure in frame)
    return row


def failed_row(
    case_id: str,
    he: Path | str | None,
    ihc: Path | str | None,
    error: Exception | str,
    *,
    label: str | None = None,
    root: Path | None = None,
) -> CSVRow:
    """A pair that could not be scored, and why. `root` as in `result_document`."""
    return {
        "case_id": valid_unicode(case_id),
        "label": label,
        "error": without_places(str(error)) or type(error).__name__,
        "he_file": None if he is None else file_within(he, root),
        "ihc_file": None if ihc is None else file_within(ihc, root),
        "app_version": __version__,
    }


def csv_text(rows: Iterable[Mapping[str, Cell]]) -> str:
    """The table with its header; text cells neutralised, numbers in full, line ends as RFC 4180 wants them."""
    out = io.StringIO(newline="")
    _write(out, rows)
    return out.getvalue()


def write_csv(path: Path | str, rows: Iterable[Mapping[str, Cell]]) -> None:
    """Writes the table, whole or not at all. Raises ExportError.

    Rows that can be gone through twice (a list, or what reads them from a file) are never all in memory.
    """
    with write_atomic(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        _write(text, rows)
        text.flush()
        text.detach()


def _write(out: io.TextIOBase, rows: Iterable[Mapping[str, Cell]]) -> None:
    if isinstance(rows, Iterator):
        rows = list(rows)
    columns = columns_of(rows)
    # Text is quoted and numbers are not, so that a comma, quote or line break in a case id stays inside its cell.
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        cells = (row.get(column) for column in columns)
        writer.writerow([neutralised(cell) if isinstance(cell, str) else cell for cell in cells])


def columns_of(rows: Iterable[Mapping[str, Cell]]) -> list[str]:
    """The columns of a table of these rows: the usual ones, and what single rows have besides. Raises ValueError for others."""
    known = set(CSV_COLUMNS)
    others = dict.fromkeys(column for row in rows for column in row if column not in known)
    stray = [
        column
        for column in others
        if not column.startswith(("p_", "alignment")) and not column.endswith("_field_frame")
    ]
    if stray:
        raise ValueError(f"no such column: {', '.join(stray)}")
    place = CSV_COLUMNS.index("prediction_set")
    return [*CSV_COLUMNS[:place], *others, *CSV_COLUMNS[place:]]

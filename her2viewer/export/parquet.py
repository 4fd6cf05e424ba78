"""Rows of results as Parquet: the columns of the CSV, with types, for R, Python and databases. Needs the extra `parquet`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from her2viewer import RESEARCH_USE, __version__
from her2viewer.errors import ExportError
from her2viewer.export.files import write_atomic
from her2viewer.export.table import CSV_COLUMNS, Cell

if TYPE_CHECKING:
    import pyarrow

_GROUP: Final = 10_000
"""Rows in memory at a time, and of a row group."""
_WHOLE: Final = frozenset({"he_width", "he_height", "ihc_width", "ihc_height"})
_REAL: Final = ("p_", "seconds", "alignment_error", "he_mpp", "ihc_mpp", "he_field_", "ihc_field_")
_TEXT: Final = frozenset({"he_mpp_origin", "ihc_mpp_origin", "he_field_frame", "ihc_field_frame"})
_TIME: Final = "utc"


def write_parquet(path: Path | str, rows: Iterable[Mapping[str, Cell]], columns: Sequence[str] = CSV_COLUMNS) -> int:
    """Writes rows as `csv_row` and `failed_row` give them, whole or not at all; returns how many. Raises ExportError.

    rows: taken a group at a time, so that there may be any number. columns: of the file, in their order; `columns_of` finds those
    of rows with more than the usual ones. A cell that a row does not have is null. Text stands as it is: nothing here runs it.
    Raises ValueError for a row with a column that is not named.
    """
    arrow, parquet = _pyarrow()
    schema = arrow.schema(
        [(name, _type(arrow, name)) for name in columns],
        metadata={"her2viewer": __version__, "note": RESEARCH_USE},
    )
    known, source, written = set(columns), iter(rows), 0
    with write_atomic(path) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while True:
            group = list(islice(source, _GROUP))
            if not group and written:
                break
            if stray := {name for row in group for name in row} - known:
                raise ValueError(f"no such column: {', '.join(sorted(stray))}")
            taken = {name: [_value(name, row.get(name)) for row in group] for name in columns}
            writer.write_table(arrow.table(taken, schema=schema))
            written += len(group)
            if len(group) < _GROUP:
                break
    return written


def _type(arrow: Any, name: str) -> "pyarrow.DataType":
    if name == _TIME:
        return arrow.timestamp("s", tz="UTC")
    if name in _WHOLE:
        return arrow.int64()
    if name.startswith(_REAL) and name not in _TEXT:
        return arrow.float64()
    return arrow.string()


def _value(name: str, cell: Cell) -> object:
    if cell is None:
        return None
    if name == _TIME:
        return datetime.fromisoformat(str(cell)).astimezone(UTC)
    return (
        cell if isinstance(cell, int | float) or not isinstance(cell, str) else cell.encode(errors="replace").decode()
    )


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ExportError(
            "Parquet is written by pyarrow, which is not installed",
            remedy="install it with: pip install 'her2viewer[parquet]', or use results.csv",
        ) from error
    return pyarrow, pyarrow.parquet

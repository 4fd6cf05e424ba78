"""Pairs listed in a table: a CSV with the columns he and ihc, as Excel, LibreOffice or a script writes it."""

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Final

from her2viewer.cases.names import same
from her2viewer.cases.pair import Pair, Pairing, Refused, pair_files, with_unique_ids
from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain

TABLE_SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt"})

_MANY_BYTES: Final = 64 * 2**20
_REMEDY: Final = "write one row per pair under the headings he and ihc (and case_id, label, if you like)"


def read_manifest(table: Path | str, *, needed: Collection[Stain] = tuple(Stain)) -> Pairing:
    """The pairs of a CSV: columns he, ihc, and optionally case_id, label, split, and group (or patient, or slide).

    Other columns are passed over. `needed` are the stains that a row must name; with one alone, the other half of each pair
    is that same file, for the caller to take away.

    Paths are relative to the table. Comma, semicolon or tab; UTF-8 with or without a mark, UTF-16, or Windows' own
    encoding. Whether the files exist is seen when they are opened. Raises PairError where it cannot be read, a column is
    missing or no row names two files.
    """
    table = Path(table)
    text = _text(table)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        headings = [same(cell.strip()) for cell in next(rows, [])]
        for column in needed:
            if column not in headings:
                raise PairError(f"has no column '{column}'", path=table, remedy=_REMEDY)
        pairs: list[Pair] = []
        refused: list[Refused] = []
        seen: set[tuple[Path | None, Path]] = set()
        for row in rows:
            cells = dict(zip(headings, (cell.strip() for cell in row), strict=False))
            if not any(cells.values()):
                continue
            pair = _pair(table, cells, needed)
            if pair is None:
                what = "both files" if len(needed) > 1 else "its file"
                refused.append((table, f"line {rows.line_num} does not name {what}"))
            elif (pair.he, pair.ihc) in seen:
                refused.append((table, f"line {rows.line_num} names a pair that stands in it already"))
            else:
                seen.add((pair.he, pair.ihc))
                pairs.append(pair)
    except csv.Error as error:
        raise PairError(f"is not a table ({error})", path=table, remedy=_REMEDY) from error
    if not pairs:
        raise PairError("no row names two files", path=table, remedy=_REMEDY)
    return Pairing(f"the table {table.name}", with_unique_ids(pairs), refused=tuple(refused))


def manifest_text(pairs: Iterable[Pair], folder: Path) -> str:
    """A table that `read_manifest` reads, for a file in `folder`: files relative to it where they lie in it or below.

    What a spreadsheet would run as a formula is not neutralised: the table is read again, and a path must stay what it is.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["case_id", "he", "ihc", "label"])
    for pair in pairs:
        files = [_told(path, folder) for path in (pair.he, pair.ihc) if path is not None]
        writer.writerow([pair.case_id, *files, pair.label or ""])
    return out.getvalue()


def _told(path: Path, folder: Path) -> str:
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())


def _pair(table: Path, cells: dict[str, str], needed: Collection[Stain]) -> Pair | None:
    named = [cells.get(stain, "") for stain in Stain if stain in needed]
    if not all(named):
        return None
    pair = pair_files(_file(table, named[0]), _file(table, named[-1]))
    return replace(
        pair,
        case_id=cells.get("case_id") or pair.case_id,
        label=cells.get("label") or pair.label,
        split=cells.get("split") or pair.split,
        group=next((cells[name] for name in ("group", "patient", "slide") if cells.get(name)), None),
    )


def _file(table: Path, cell: str) -> Path:
    path = table.parent / cell
    if "\\" in cell and not path.exists():  # written on Windows, read elsewhere
        return table.parent / PureWindowsPath(cell).as_posix()
    return path


def _text(table: Path) -> str:
    try:
        if table.stat().st_size > _MANY_BYTES:
            raise PairError("is too large for a list of pairs", path=table, remedy=_REMEDY)
        data = table.read_bytes()
    except FileNotFoundError as error:
        raise PairError(
            "there is no such file", path=table, remedy="check the name, and that the drive is connected"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PairError(
            f"the table cannot be read ({reason})", path=table, remedy="check its rights and the drive"
        ) from error
    if not data.strip():
        raise PairError("the table is empty", path=table, remedy=_REMEDY)
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise PairError("holds no text", path=table, remedy="save the table as CSV in UTF-8")

"""The contact sheet: the cases of a study in small, each with its score, as many as can be looked at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from reportlab.platypus import Flowable, Table

from her2viewer.export.report.fonts import shortened
from her2viewer.export.report.page import LINE_, QUIET_, WARNING_, Paper, Subject, write_report
from her2viewer.export.report.parts import (
    BODY_QUIET,
    GAP,
    PLAIN_TABLE,
    SMALL_QUIET,
    SMALL_STRONG,
    cell,
    fitted,
    jpeg,
    jpeg_picture,
    say,
    space,
    title,
)

MOST: Final = 240
"""Cases on a sheet: twelve pages, and some 15 MB."""
_ACROSS: Final = 4
_LONGEST: Final = 420
"""Pixels of a small picture's longer side: 250 dots per inch."""
_TALL: Final = 84.0
_SIGNS: Final = 64

Look = Callable[[str], NDArray[np.uint8] | None]
"""The picture of a case by its id, (h, w, 3) uint8 RGB, or None where there is none."""


@dataclass(frozen=True, slots=True)
class SheetCase:
    """One case of a sheet. name: what it is called there; words: below its score; doubt: whether it is no call or disagrees."""

    case_id: str
    name: str
    score: str
    words: str
    doubt: bool


def sheet_tables(cases: Sequence[SheetCase], look: Look, width: float) -> Iterator[Flowable]:
    """The rows of the sheet. Pictures are asked for one at a time, and only small ones are kept."""
    each = (width - (_ACROSS - 1) * GAP) / _ACROSS
    for start in range(0, len(cases), _ACROSS):
        row = [_cell(case, look(case.case_id), each) for case in cases[start : start + _ACROSS]]
        row += [[space(0)]] * (_ACROSS - len(row))
        spread = [one for part in row for one in (part, "")][:-1]
        table = Table([spread], colWidths=[each, GAP] * (_ACROSS - 1) + [each], hAlign="LEFT", spaceAfter=GAP)
        lines = [
            ("LINEABOVE", (2 * at, 0), (2 * at, 0), 2.0 if case.doubt else 0.6, WARNING_ if case.doubt else QUIET_)
            for at, case in enumerate(cases[start : start + _ACROSS])
        ]
        table.setStyle([*PLAIN_TABLE, *lines, ("TOPPADDING", (0, 0), (-1, -1), 4)])
        yield table


def write_contact_sheet(
    path: Path | str,
    cases: Sequence[SheetCase],
    look: Look,
    *,
    of: int,
    model: str,
    paper: Paper = Paper.A4,
    made: datetime | None = None,
) -> None:
    """A contact sheet as a PDF of its own. of: how many cases the study has. Raises ExportError."""
    made = (made or datetime.now(UTC)).astimezone(UTC)
    story: list[Flowable] = [
        Subject(f"Contact sheet · {model}"),
        title("Contact sheet"),
        say(f"Made {made:%Y-%m-%d %H:%M} UTC. {shown_in_words(len(cases), of)}", BODY_QUIET),
        space(1.5),
        *sheet_tables(cases, look, paper.width),
    ]
    write_report(path, story, title="HER2 contact sheet", paper=paper, made=made)


def shown_in_words(shown: int, of: int) -> str:
    """How many of the cases are on the sheet, and which."""
    key = "A thick line marks no call, or a score that is not the label."
    if shown >= of:
        return f"All {of:,} scored cases, the IHC right of the H&E where both were scored. {key}"
    which = "those that most need a look first (no call, far from their label, low probability)"
    return f"{shown:,} of {of:,} scored cases: {which}. {key}"


def _cell(case: SheetCase, picture: NDArray[np.uint8] | None, each: float) -> list[Flowable]:
    parts: list[Flowable] = []
    if picture is None:
        frame = Table([[cell("no picture", SMALL_QUIET)]], colWidths=[each], rowHeights=[_TALL], hAlign="LEFT")
        frame.setStyle([("BOX", (0, 0), (-1, -1), 0.4, LINE_), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")])
        parts.append(frame)
    else:
        width, height = fitted((picture.shape[1], picture.shape[0]), each, _TALL)
        parts.append(jpeg_picture(jpeg(picture, _LONGEST, 82), width, height))
    parts += [
        cell(f"{case.score}   {case.words}", SMALL_STRONG),
        cell(shortened(case.name, _SIGNS), SMALL_QUIET),
    ]
    return parts

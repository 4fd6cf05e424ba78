"""The paper of a report: its size, what stands on each page, and a file that names no machine and no user."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from her2viewer import RESEARCH_USE, __version__
from her2viewer.export.files import write_atomic
from her2viewer.export.report.fonts import REGULAR, STRONG, load_fonts, plain, shortened, text_width
from her2viewer.export.sheet import ACCENT, INK, LINE, QUIET, WARNING, WARNING_GROUND
from her2viewer.export.text import Colour

MARGIN: Final = 42.5
"""Points: 15 mm."""
_FOOT: Final = 34.0
_SMALL: Final = 7.5

NOT_A_CASE: Final = "A field is not a case: ASCO/CAP scores the whole invasive component."


class Paper(StrEnum):
    """What a report is laid out for."""

    A4 = "a4"
    LETTER = "letter"

    @property
    def size(self) -> tuple[float, float]:
        """(width, height) in points."""
        return A4 if self is Paper.A4 else LETTER

    @property
    def width(self) -> float:
        """Points between the margins."""
        return self.size[0] - 2 * MARGIN

    @property
    def height(self) -> float:
        """Points between the margins and above the foot."""
        return self.size[1] - 2 * MARGIN - _FOOT


def colour(rgb: Colour) -> Color:
    """A colour of the pictures as reportlab takes it."""
    return Color(rgb[0] / 255, rgb[1] / 255, rgb[2] / 255)


INK_, QUIET_, LINE_, ACCENT_ = colour(INK), colour(QUIET), colour(LINE), colour(ACCENT)
WARNING_, WARNING_GROUND_ = colour(WARNING), colour(WARNING_GROUND)


class Subject(Flowable):  # type: ignore[misc]
    """Takes no room; from here on the foot of each page says that it is about this."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.width = self.height = 0
        self._words = words

    def wrap(self, *_: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        self.canv.subject = self._words


class _Numbered(Canvas):  # type: ignore[misc]
    """A canvas that knows how many pages there are before it writes them."""

    def __init__(self, *arguments: Any, made: datetime, **options: Any) -> None:
        super().__init__(*arguments, **(options | {"initialFontName": REGULAR}))
        self.subject = ""
        self._made = made
        self._kept: list[dict[str, Any]] = []
        self.setDateFormatter(lambda *_: f"D:{self._made:%Y%m%d%H%M%S}+00'00'")  # else it is local time

    def showPage(self) -> None:
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._kept, 1):
            self.__dict__.update(page)
            self._foot(number, len(self._kept))
            super().showPage()
        super().save()

    def _foot(self, number: int, of: int) -> None:
        left, right = MARGIN, self._pagesize[0] - MARGIN
        y = MARGIN + 16
        self.setStrokeColor(LINE_)
        self.setLineWidth(0.6)
        self.line(left, y + 12, right, y + 12)
        self.setFillColor(INK_)
        self.setFont(STRONG, _SMALL)
        self.drawString(left, y, RESEARCH_USE)
        self.setFillColor(QUIET_)
        self.setFont(REGULAR, _SMALL)
        self.drawRightString(right, y, f"Page {number} of {of}")
        self.drawString(left, y - 11, NOT_A_CASE)
        room = right - left - text_width(NOT_A_CASE, _SMALL) - 18
        words = plain(shortened(self.subject, 60))
        while words and text_width(words, _SMALL) > room:
            words = f"{words[:-2]}…"
        self.drawRightString(right, y - 11, words)


def write_report(
    path: Path | str, story: Sequence[Flowable], *, title: str, paper: Paper, made: datetime | None = None
) -> None:
    """Lays the story out and writes the file, whole or not at all. Raises ExportError.

    title: in the file's own record, beside the app's name and the time; there is no author. made: now unless given.
    """
    load_fonts()
    made = (made or datetime.now(UTC)).astimezone(UTC)
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=paper.size,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        title=title,
        author="",
        creator="HER2 Viewer",
        producer=f"HER2 Viewer {__version__}",
        subject=RESEARCH_USE,
        invariant=1,
        lang="en",
    )
    frame = Frame(
        MARGIN, MARGIN + _FOOT, paper.width, paper.height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0
    )
    document.addPageTemplates(PageTemplate("page", [frame]))
    document.build(list(story), canvasmaker=partial(_Numbered, made=made))
    with write_atomic(path) as file:
        file.write(out.getvalue())

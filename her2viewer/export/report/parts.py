"""What reports are put together from: type, tables of facts, notes, pictures in columns."""

import io
from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from reportlab.lib.colors import Color
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, HRFlowable, Image, Paragraph, Spacer, Table

from her2viewer.export.report.fonts import REGULAR, STRONG, markup, shortened
from her2viewer.export.report.page import INK_, LINE_, QUIET_, WARNING_, WARNING_GROUND_

GAP: Final = 8.0
"""Points; all distances are this or a multiple."""
_MOST_SIGNS: Final = 700
"""Of one cell or sentence: a table's row cannot be broken over pages."""
_MOST_PIXELS: Final = 1100
"""Of a picture's longer side: 300 dots per inch at half the page's width."""
_QUALITY: Final = 88

RGB = NDArray[np.uint8]


def _style(
    name: str, size: float, colour: Color = INK_, font: str = REGULAR, leading: float = 1.38, **more: float | int
) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=leading * size, textColor=colour, splitLongWords=1, **more
    )


TITLE: Final = _style("title", 17, font=STRONG)
LONG_TITLE: Final = _style("long title", 12, font=STRONG)
HEADING: Final = _style("heading", 10.5, font=STRONG, spaceBefore=2 * GAP, spaceAfter=0.5 * GAP)
BODY: Final = _style("body", 8.8)
BODY_QUIET: Final = _style("quiet", 8.8, QUIET_)
SMALL: Final = _style("small", 7.6)
SMALL_QUIET: Final = _style("small quiet", 7.6, QUIET_)
SMALL_STRONG: Final = _style("small strong", 7.6, font=STRONG)
SMALL_RIGHT: Final = _style("small right", 7.6, alignment=TA_RIGHT)
LABEL: Final = _style("label", 7.6, QUIET_)
LARGE: Final = _style("large", 36, font=STRONG, leading=1.12)
LARGE_QUIET: Final = _style("large quiet", 36, QUIET_, STRONG, leading=1.12)
MIDDLE: Final = _style("middle", 17, font=STRONG, leading=1.15)
MIDDLE_QUIET: Final = _style("middle quiet", 17, QUIET_, STRONG, leading=1.15)
NOTE: Final = _style("note", 8.8, WARNING_)

PLAIN_TABLE: Final = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]


def say(text: str, style: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph of any text, whatever it holds; broken over pages where it must."""
    return Paragraph(markup(text), style)


def cell(text: str, style: ParagraphStyle = SMALL) -> Paragraph:
    """As `say` for a table, shortened to what a row can hold."""
    return Paragraph(markup(shortened(text, _MOST_SIGNS), breaks=False), style)


def heading(text: str) -> Paragraph:
    """The name of a section; it stays with what follows."""
    paragraph = Paragraph(markup(text), HEADING)
    paragraph.keepWithNext = 1
    return paragraph


def title(text: str) -> Paragraph:
    """The name of the report; smaller where it is long."""
    return say(text, TITLE if len(text) <= 44 else LONG_TITLE)


def rule() -> Flowable:
    """A line across the page."""
    return HRFlowable(width="100%", thickness=0.6, color=LINE_, spaceBefore=GAP, spaceAfter=GAP)


def space(gaps: float = 1) -> Spacer:
    """Some gaps of nothing."""
    return Spacer(1, gaps * GAP)


def facts(rows: Iterable[tuple[str, str]], width: float, key_width: float = 92) -> Table:
    """Names and what they are, in two columns; rows whose words are empty are left out."""
    body = [[cell(key, SMALL_QUIET), cell(words)] for key, words in rows if words]
    table = Table(body or [["", ""]], colWidths=[key_width, width - key_width], hAlign="LEFT")
    table.setStyle([*PLAIN_TABLE, ("BOTTOMPADDING", (0, 0), (-1, -1), 2)])
    return table


def listed(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[float],
    *,
    right: Sequence[int] = (),
) -> Table:
    """A table with a header that comes again on each page. right: the columns that stand at their right edge."""
    styles = [SMALL_RIGHT if column in right else SMALL for column in range(len(header))]
    heads = [_style(f"head {place}", 7.6, QUIET_, alignment=style.alignment) for place, style in enumerate(styles)]
    body = [[cell(words, style) for words, style in zip(header, heads, strict=True)]]
    body += [[cell(words, style) for words, style in zip(row, styles, strict=True)] for row in rows]
    table = Table(body, colWidths=list(widths), hAlign="LEFT", repeatRows=1)
    table.setStyle(
        [
            *PLAIN_TABLE,
            ("LEFTPADDING", (1, 0), (-1, -1), GAP),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, QUIET_),
            ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE_),
        ]
    )
    return table


def columns(cells: Sequence[object], widths: Sequence[float], gap: float = 2 * GAP) -> Table:
    """Parts side by side, their tops on one line. widths: without the gaps."""
    spread: list[object] = []
    across: list[float] = []
    for one, width in zip(cells, widths, strict=True):
        spread += [one, ""]
        across += [width, gap]
    table = Table([spread[:-1]], colWidths=across[:-1], hAlign="LEFT")
    table.setStyle(PLAIN_TABLE)
    return table


def note(sentences: Sequence[str], width: float) -> Table:
    """What speaks against the score: on a ground of its own with a bar beside it, which print in grey shows as well."""
    body = [[cell(sentence, NOTE)] for sentence in sentences]
    table = Table(body, colWidths=[width], hAlign="LEFT")
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), WARNING_GROUND_),
            ("LINEBEFORE", (0, 0), (0, -1), 2.5, WARNING_),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("RIGHTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, 0), 4),
            ("BOTTOMPADDING", (0, -1), (-1, -1), 5),
        ]
    )
    return table


def fitted(size: tuple[int, int], width: float, height: float) -> tuple[float, float]:
    """The largest (width, height) in points that a picture of `size` pixels takes within a frame."""
    factor = min(width / size[0], height / size[1])
    return size[0] * factor, size[1] * factor


def picture(rgb: RGB, width: float, height: float) -> Image:
    """A picture, (h, w, 3) uint8 RGB, as large as the frame allows; in the file at no more than print can show."""
    across, down = fitted((rgb.shape[1], rgb.shape[0]), width, height)
    return jpeg_picture(jpeg(rgb, _MOST_PIXELS), across, down)


def jpeg_picture(data: bytes, width: float, height: float) -> Image:
    """A JPEG of this size in points; its bytes go into the file as they are."""
    return Image(io.BytesIO(data), width, height, hAlign="LEFT", lazy=0)


def jpeg(rgb: RGB, longest: int, quality: int = _QUALITY) -> bytes:
    """A picture as JPEG, its longer side at most so many pixels."""
    height, width = rgb.shape[:2]
    factor = longest / max(width, height)
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    out = io.BytesIO()
    Pictures.fromarray(np.ascontiguousarray(rgb)).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()

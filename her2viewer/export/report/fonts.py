"""The typefaces of a report, and any text made fit for them: what none of them has is shown by its code point.

Noto Sans for Latin, Greek and Cyrillic, WenQuanYi Micro Hei for Chinese, Japanese and Korean; both are embedded, and ship with
the app. So a report shows the signs that the pictures show (`export.text`), and no reader needs fonts of its own.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from threading import Lock
from typing import Final
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from her2viewer.resources import resource

REGULAR: Final = "her2viewer-regular"
STRONG: Final = "her2viewer-strong"
_WIDE: Final = "her2viewer-wide"
_FILES: Final = {
    REGULAR: "NotoSans-Regular.ttf",
    STRONG: "NotoSans-SemiBold.ttf",
    _WIDE: "WenQuanYiMicroHei.ttf",
}
_lock = Lock()


def load_fonts() -> None:
    """Makes the typefaces known to reportlab; done once, in any thread."""
    with _lock:
        _loaded()


@cache
def _loaded() -> dict[str, frozenset[int]]:
    """The signs of each typeface. Micro Hei may be left out of a small installation; its signs are then unknown."""
    known = {}
    for name, file in _FILES.items():
        try:
            font = TTFont(name, str(resource("fonts", file)))
        except TTFError:
            if name != _WIDE:
                raise
            continue
        pdfmetrics.registerFont(font)
        known[name] = frozenset(font.face.charToGlyph)
    return known


def markup(text: str, *, breaks: bool = True) -> str:
    """Any text as reportlab's paragraph markup, nothing in it taken for markup. breaks: whether line ends are kept."""
    parts = []
    for wide, run in _runs(text.replace("\r\n", "\n")):
        run = escape(run).replace("\n", "<br/>" if breaks else " ")
        parts.append(f'<font name="{_WIDE}">{run}</font>' if wide else run)
    return "".join(parts)


def plain(text: str) -> str:
    """Any text in the first typeface alone, on one line, for labels of plots."""
    return "".join(run if not wide else "".join(map(_by_number, run)) for wide, run in _runs(text)).replace("\n", " ")


def text_width(text: str, size: float, font: str = REGULAR) -> float:
    """Points of a line of `plain` text."""
    load_fonts()
    return float(pdfmetrics.stringWidth(text, font, size))


def shortened(text: str, longest: int) -> str:
    """At most so many signs, with an ellipsis where some are left out in the middle: ids differ at both ends."""
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Runs of one typeface each: whether it is the wide one, and the signs."""
    load_fonts()
    signs = (_fit(sign) for sign in unicodedata.normalize("NFC", text))
    for wide, run in groupby(signs, key=lambda one: one[0]):
        yield wide, "".join(sign for _, sign in run)


@cache
def _fit(sign: str) -> tuple[bool, str]:
    known = _loaded()
    if sign == "\n":
        return False, sign
    if sign.isspace():
        return False, " "
    if sign.isprintable():
        if ord(sign) in known[REGULAR]:
            return False, sign
        if ord(sign) in known.get(_WIDE, ()):
            return True, sign
    return False, _by_number(sign)


def _by_number(sign: str) -> str:
    return f"[U+{ord(sign):04X}]"

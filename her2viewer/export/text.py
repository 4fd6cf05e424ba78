"""Words in a picture: measured, broken into lines and drawn the same on every system.

OpenCV's built-in typeface "uni" (Droid Sans with WenQuanYi Micro Hei, inside its library) covers Latin, Greek, Cyrillic, Chinese,
Japanese and Korean. Pillow's own covers ASCII alone: no umlaut, no micro sign.
"""

from functools import cache
from threading import local
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""RGB, 0..255."""

CAP_HEIGHT: Final = 0.72
"""Height of a capital letter or digit as a share of the type size."""

_UNKNOWN: Final = "?"
_thread = local()


def printable(text: str) -> str:
    """The text with `[U+XXXX]` for each sign that the typeface lacks, so that no two case ids come to look the same."""
    return "".join(sign if _known(sign) else f"[U+{ord(sign):04X}]" for sign in text)


def text_width(text: str, size: int) -> int:
    """Pixels from the pen's start to its end. size: the type size in pixels, from one baseline to the next when set tight."""
    left, _, width, _ = cv2.getTextSize((1, 1), printable(text), (0, 0), _typeface(), size)
    return left + width


def wrapped(text: str, size: int, width: int) -> list[str]:
    """The text in lines of at most `width` pixels, broken at spaces, and inside a word only where it is too long for a line."""
    lines: list[str] = []
    line = ""
    for word in printable(text).split():
        longer = f"{line} {word}" if line else word
        if text_width(longer, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while text_width(word, size) > width and len(word) > 1:
            fits = max((n for n in range(1, len(word)) if text_width(word[:n], size) <= width), default=1)
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line] if line else lines


def draw_text(image: NDArray[np.uint8], text: str, x: int, baseline: int, size: int, colour: Colour) -> None:
    """Draws one line into `image`, (h, w, 3) uint8 RGB, contiguous: the pen starts at (x, baseline)."""
    cv2.putText(image, printable(text), (x, baseline), colour, _typeface(), size)


def _typeface() -> cv2.FontFace:
    # One a thread: nothing says that a FontFace may be shared.
    face: cv2.FontFace | None = getattr(_thread, "face", None)
    if face is None:
        face = _thread.face = cv2.FontFace("uni")
    return face


@cache
def _known(sign: str) -> bool:
    return sign == _UNKNOWN or (sign.isprintable() and _drawn(sign) != _drawn(_UNKNOWN))


def _drawn(sign: str) -> bytes:
    image = np.zeros((48, 64), np.uint8)
    cv2.putText(image, sign, (8, 36), (255,), _typeface(), 32)
    return image.tobytes()

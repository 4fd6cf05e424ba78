"""A scale bar of a round length."""

import math

from her2viewer.export.sheet import INK, Sheet, ascent, cap, leading
from her2viewer.export.text import text_width


def scale_bar(um_per_pixel: float, width: int, size: int) -> Sheet:
    """A bar of 1, 2 or 5 times a power of ten micrometres, at most a quarter of `width` pixels, with its length beside it."""
    um = round_length(um_per_pixel * width / 4)
    length = max(1, round(um / um_per_pixel))
    words = f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"
    gap, thick = size // 2, max(2, size // 4)
    sheet = Sheet(length + gap + text_width(words, size), leading(size))
    sheet.box(0, ascent(size) - (cap(size) + thick) // 2, length, thick, INK)
    sheet.text(words, length + gap, ascent(size), size)
    return sheet


def round_length(most: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten that is not above `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step == 1 or step * power <= most)

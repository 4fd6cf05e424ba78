"""The paper that pictures are laid out on: a light neutral ground, two inks and one accent."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.export.text import CAP_HEIGHT, Colour, draw_text, text_width, wrapped

GROUND: Final[Colour] = (247, 247, 247)
INK: Final[Colour] = (28, 28, 28)
QUIET: Final[Colour] = (92, 92, 92)
LINE: Final[Colour] = (200, 200, 200)
ACCENT: Final[Colour] = (31, 95, 139)
WARNING: Final[Colour] = (107, 74, 0)
WARNING_GROUND: Final[Colour] = (251, 240, 210)

LEADING: Final = 1.4
"""From one baseline to the next, as a share of the type size."""


class Sheet:
    """A rectangle of ground to draw on, `image` (h, w, 3) uint8 RGB. Coordinates are whole pixels, x right, y down."""

    def __init__(self, width: int, height: int, ground: Colour = GROUND) -> None:
        # A grey ground as one number: ten times the speed of three.
        self.image: NDArray[np.uint8] = np.full(
            (height, width, 3), ground[0] if len(set(ground)) == 1 else ground, np.uint8
        )

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """A filled rectangle."""
        self.image[max(y, 0) : y + height, max(x, 0) : x + width] = colour

    def outline(self, x: int, y: int, width: int, height: int, colour: Colour, line: int = 1) -> None:
        """A frame around a rectangle, all of it outside."""
        self.box(x - line, y - line, width + 2 * line, line, colour)
        self.box(x - line, y + height, width + 2 * line, line, colour)
        self.box(x - line, y, line, height, colour)
        self.box(x + width, y, line, height, colour)

    def paste(self, image: NDArray[np.uint8], x: int, y: int) -> None:
        """Another picture, (h, w, 3) uint8, with its top left corner at (x, y); it must fit."""
        self.image[y : y + image.shape[0], x : x + image.shape[1]] = image

    def text(self, text: str, x: int, baseline: int, size: int, colour: Colour = INK) -> None:
        """A line of text that starts at x."""
        draw_text(self.image, text, x, baseline, size, colour)

    def text_right(self, text: str, x: int, baseline: int, size: int, colour: Colour = INK) -> None:
        """A line of text that ends at x."""
        self.text(text, x - text_width(text, size), baseline, size, colour)

    def lines(self, lines: Sequence[str], x: int, y: int, size: int, colour: Colour = INK) -> int:
        """Lines of text below y. Returns the y below them."""
        for line in lines:
            self.text(line, x, y + ascent(size), size, colour)
            y += leading(size)
        return y


def cap(size: int) -> int:
    """Pixels from the baseline up to the top of a capital."""
    return round(size * CAP_HEIGHT)


def ascent(size: int) -> int:
    """Pixels from the top of a line to its baseline: room for an umlaut on a capital."""
    return round(size * 1.05)


def leading(size: int) -> int:
    """Pixels from one baseline to the next."""
    return round(size * LEADING)


def paragraph(text: str, size: int, width: int, colour: Colour = INK, ground: Colour = GROUND) -> Sheet:
    """A sheet of `width` that holds the text, as high as it needs."""
    lines = wrapped(text, size, width)
    sheet = Sheet(width, len(lines) * leading(size), ground)
    sheet.lines(lines, 0, 0, size, colour)
    return sheet

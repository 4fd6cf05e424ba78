"""The colour of a score, the same on screen and in files."""

from typing import Final

SCORE_COLOURS: Final = ("#8a8a8a", "#2b8ac6", "#c98a00", "#c44100")
"""0, 1+, 2+, 3+: grey and the blue, orange and vermilion of Okabe and Ito 2008, each shifted until it stands out from both
themes' panels; they grow warmer in order and differ in lightness, and never stand without the score's text."""


def score_hex(index: int, classes: int) -> str:
    """'#rrggbb' of a class by its place among `classes`; models with other classes share the four out."""
    return SCORE_COLOURS[round(index * (len(SCORE_COLOURS) - 1) / max(classes - 1, 1))]

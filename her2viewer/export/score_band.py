"""The score in large type, the probabilities as bars, the prediction set and what speaks against the score."""

from typing import Final

from her2viewer.export.sheet import (
    ACCENT,
    INK,
    QUIET,
    WARNING,
    WARNING_GROUND,
    Sheet,
    ascent,
    cap,
    leading,
)
from her2viewer.export.text import Colour, text_width, wrapped
from her2viewer.scoring.confidence import set_in_words
from her2viewer.scoring.prediction import Prediction

TRACK: Final[Colour] = (228, 228, 228)
BAR: Final[Colour] = (140, 140, 140)


def score_block(prediction: Prediction, coverage: float | None, size: int, width: int) -> Sheet:
    """The score and its prediction set. The score is quiet where there is a reason not to call it."""
    words = wrapped(set_words(prediction.prediction_set, coverage), size, width)
    large = 4 * size
    gap = size // 2
    sheet = Sheet(width, 2 * leading(size) + 4 * gap + cap(large) + len(words) * leading(size))
    y = sheet.lines(["HER2 score"], 0, 0, size, QUIET) + 2 * gap
    sheet.text(prediction.score, 0, y + cap(large), large, QUIET if prediction.no_call else INK)
    y = sheet.lines(["Field-level prediction"], 0, y + cap(large) + 2 * gap, size)
    sheet.lines(words, 0, y, size, QUIET)
    return sheet


def set_words(members: tuple[str, ...], coverage: float | None) -> str:
    """The prediction set in words. `coverage`: the level it was made for, where known."""
    at = "" if coverage is None else f" at {coverage:.0%} coverage"
    if not members:
        return f"No prediction set{at}"
    return f"Prediction set{at}: {set_in_words(members)}"


def probability_block(prediction: Prediction, size: int, width: int) -> Sheet:
    """A bar from 0 to 1 for each class, the score's in the accent colour, and the numbers."""
    row = round(1.75 * size)
    names = max(text_width(name, size) for name in prediction.classes) + size // 2
    figures = text_width("<0.001", size) + size // 2
    track, thick = width - names - figures, max(3, round(0.55 * size))
    sheet = Sheet(width, leading(size) + size // 2 + row * len(prediction.classes))
    y = sheet.lines(["Probability"], 0, 0, size, QUIET) + size // 2
    for name, value in zip(prediction.classes, prediction.probabilities, strict=True):
        chosen = name == prediction.score
        middle = y + ascent(size) - cap(size) // 2
        sheet.text(name, 0, y + ascent(size), size)
        sheet.box(names, middle - thick // 2, track, thick, TRACK)
        sheet.box(names, middle - thick // 2, round(track * value), thick, ACCENT if chosen else BAR)
        sheet.text_right(probability_words(value), width, y + ascent(size), size, INK if chosen else QUIET)
        y += row
    return sheet


def probability_words(value: float) -> str:
    """Three decimals; never 0.000 or 1.000 for what is neither."""
    if 0 < value < 0.0005:
        return "<0.001"
    if 0.9995 <= value < 1:
        return ">0.999"
    return f"{value:.3f}"


def warning_block(prediction: Prediction, size: int, width: int) -> Sheet | None:
    """Why the score should not be used, and what the checks found; None where nothing speaks against it."""
    no_call = prediction.no_call
    texts = [f"No call: {no_call}"] if no_call else []
    texts += [f"Check: {check.message}" for check in prediction.checks if check.message not in (no_call or "")]
    if not texts:
        return None
    pad = round(0.7 * size)
    lines = [line for text in texts for line in wrapped(text, size, width - 3 * pad)]
    sheet = Sheet(width, pad + len(lines) * leading(size), WARNING_GROUND)
    sheet.box(0, 0, max(2, pad // 3), sheet.height, WARNING)
    sheet.lines(lines, 2 * pad, pad // 2, size, WARNING)
    return sheet

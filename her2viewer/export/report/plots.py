"""Plots of a report, as vectors: each reads in grey print, and its figures stand in it as text."""

from collections.abc import Mapping, Sequence
from typing import Final

from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, Rect, String
from reportlab.lib.colors import Color

from her2viewer.export.legend import figure
from her2viewer.export.legend_record import LegendRecord
from her2viewer.export.overlay import colour_table
from her2viewer.export.report.fonts import REGULAR, STRONG, plain, text_width
from her2viewer.export.report.page import ACCENT_, INK_, LINE_, QUIET_, colour
from her2viewer.export.scale_bar import round_length
from her2viewer.export.score_band import BAR, TRACK, probability_words
from her2viewer.scoring.membrane.rule import wilson

_TYPE: Final = 7.6
_CAP: Final = 0.36
"""Half a digit's height as a share of the type size."""
_TRACK, _BAR = colour(TRACK), colour(BAR)
_STEPS: Final = 128


def probability_bars(probabilities: Mapping[str, float], score: str, width: float) -> Drawing:
    """A bar from 0 to 1 for each class, the score's in the accent colour and strong type, with the numbers."""
    row = 15.0
    names = max(text_width(plain(name), _TYPE + 1) for name in probabilities) + 8
    figures = text_width("<0.001", _TYPE + 1) + 8
    track = width - names - figures
    drawing = Drawing(width, row * len(probabilities))
    for place, (name, value) in enumerate(probabilities.items()):
        chosen = name == score
        middle = drawing.height - row * (place + 0.5)
        font = STRONG if chosen else REGULAR
        _text(drawing, 0, middle, plain(name), font=font, size=_TYPE + 1)
        _box(drawing, names, middle - 3.5, track, 7, _TRACK)
        _box(drawing, names, middle - 3.5, track * value, 7, ACCENT_ if chosen else _BAR)
        ink = INK_ if chosen else QUIET_
        _text(drawing, width, middle, probability_words(value), anchor="end", font=font, size=_TYPE + 1, ink=ink)
    return drawing


def scale_bar(um_per_point: float, width: float) -> Drawing:
    """A bar of a round length, at most a quarter of `width` points."""
    um = round_length(um_per_point * width / 4)
    length = um / um_per_point
    words = f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"
    drawing = Drawing(width, 10)
    _box(drawing, 0, 4, length, 2, INK_)
    _text(drawing, length + 5, 5, words)
    return drawing


def legend_ramp(record: LegendRecord, width: float) -> Drawing:
    """The colours from nothing to full colour, with the raw peak of each stain above them."""
    drawing = Drawing(width, 36)
    bottom, thick = 12.0, 9.0
    table, full = colour_table(record.colour_map), record.full
    step = width / _STEPS
    for place in range(_STEPS):
        value = (place + 0.5) / _STEPS
        if value >= record.threshold:
            red, green, blue = (int(part) for part in table[round(value * 255)])
            # A little wider than a step, or white hairs stand between the boxes on screen.
            _box(
                drawing, place * step, bottom, min(step + 0.3, width - place * step), thick, colour((red, green, blue))
            )
    drawing.add(Rect(0, bottom, width, thick, strokeColor=QUIET_, strokeWidth=0.5, fillColor=None))
    _text(drawing, 0, 4, "0")
    _text(drawing, width, 4, figure(full), anchor="end")
    _text(drawing, width / 2, 4, plain(record.unit), anchor="middle", ink=QUIET_)
    edge = width
    for stain, peak in sorted(record.peaks.items(), key=lambda one: -one[1]):
        if peak <= 0:
            continue
        at = min(peak / full, 1.0) * width
        drawing.add(Line(at, bottom + thick, at, bottom + thick + 4, strokeColor=INK_, strokeWidth=0.8))
        beyond = " (beyond the scale)" if peak > full * (1 + 1e-6) else ""
        words = f"{stain.caption} peak {figure(peak)}{beyond}"
        length = text_width(words, _TYPE)
        start = max(0.0, min(at - length / 2, edge - length))
        _text(drawing, start, bottom + thick + 9, words)
        edge = start - 8
    return drawing


def share_bars(rows: Sequence[tuple[str, int, float]], width: float, names: float) -> Drawing:
    """Counts as bars by their share of all. rows: name, count and share, 0..1; names: points for the names."""
    row, figures = 13.0, 58.0
    drawing = Drawing(width, row * len(rows))
    track = width - names - figures
    for place, (name, count, share) in enumerate(rows):
        middle = drawing.height - row * (place + 0.5)
        _text(drawing, 0, middle, plain(name))
        _box(drawing, names, middle - 3, track, 6, _TRACK)
        _box(drawing, names, middle - 3, track * share, 6, _BAR)
        _text(drawing, width, middle, f"{count:,} ({share:.0%})", anchor="end")
    return drawing


def score_columns(
    classes: Sequence[str], scored: Sequence[int], labelled: Sequence[int] | None, width: float, height: float
) -> Drawing:
    """How many fields were given each score, and how many bear each label where labels are known: filled and outlined."""
    drawing = Drawing(width, height)
    most = max([1, *scored, *(labelled or ())])
    foot, head = 14.0, 24.0 if labelled else 12.0
    each = width / len(classes)
    bar = each * (0.3 if labelled else 0.46)
    room = height - foot - head
    for place, name in enumerate(classes):
        middle = each * (place + 0.5)
        both = [(scored[place], True)] + ([(labelled[place], False)] if labelled else [])
        for at, (count, filled) in enumerate(both):
            x = middle + (at - len(both) / 2) * (bar + 2) + 1
            tall = room * count / most
            fill = ACCENT_ if filled else None
            drawing.add(Rect(x, foot, bar, tall, fillColor=fill, strokeColor=ACCENT_, strokeWidth=0.8))
            _text(drawing, x + bar / 2, foot + tall + 5, f"{count:,}", anchor="middle", ink=INK_ if filled else QUIET_)
        _text(drawing, middle, 5, plain(name), anchor="middle", font=STRONG)
    drawing.add(Line(0, foot, width, foot, strokeColor=QUIET_, strokeWidth=0.6))
    if labelled:
        _key(drawing, 0, height - 6, [("scored", ACCENT_), ("labelled", None)])
    return drawing


def confusion_matrix(classes: Sequence[str], counts: Sequence[Sequence[int]], width: float) -> Drawing:
    """Labels down, scores across, the count in each cell; darker is a larger share of its row."""
    side, names, head = 0.0, 40.0, 26.0
    side = min((width - names) / len(classes), 46.0)
    drawing = Drawing(names + side * len(classes), head + side * len(classes))
    top = drawing.height - head
    _text(drawing, names + side * len(classes) / 2, drawing.height - 5, "Score", anchor="middle", ink=QUIET_)
    _text(drawing, 0, top + 8, "Label", ink=QUIET_)
    for across, name in enumerate(classes):
        _text(drawing, names + side * (across + 0.5), top + 8, plain(name), anchor="middle", font=STRONG)
    for down, row in enumerate(counts):
        middle = top - side * (down + 0.5)
        _text(drawing, names - 8, middle, plain(classes[down]), anchor="end", font=STRONG)
        for across, count in enumerate(row):
            share = count / max(sum(row), 1)
            fill = _between(share)
            x, y = names + side * across, top - side * (down + 1)
            drawing.add(Rect(x, y, side, side, fillColor=fill, strokeColor=colour((255, 255, 255)), strokeWidth=1.2))
            if across == down:
                drawing.add(
                    Rect(x + 1.2, y + 1.2, side - 2.4, side - 2.4, fillColor=None, strokeColor=INK_, strokeWidth=0.8)
                )
            ink = colour((255, 255, 255)) if share > 0.78 else INK_ if count else QUIET_
            _text(drawing, x + side / 2, middle, f"{count:,}", anchor="middle", ink=ink, size=8.8)
    return drawing


def histogram(counts: Sequence[int], low: float, high: float, words: str, width: float, height: float) -> Drawing:
    """Counts in bins of one width from `low` to `high`, with the count above each. words: what the axis is."""
    drawing = Drawing(width, height)
    foot, head, most = 26.0, 12.0, max([1, *counts])
    each = width / len(counts)
    for place, count in enumerate(counts):
        tall = (height - foot - head) * count / most
        _box(drawing, each * place + 0.8, foot, each - 1.6, tall, _BAR)
        if count:
            _text(drawing, each * (place + 0.5), foot + tall + 5, f"{count:,}", anchor="middle", size=6.6)
    drawing.add(Line(0, foot, width, foot, strokeColor=QUIET_, strokeWidth=0.6))
    for at in (0.0, 0.5, 1.0):
        anchor = {0.0: "start", 0.5: "middle", 1.0: "end"}[at]
        _text(drawing, width * at, foot - 8, f"{low + (high - low) * at:.2g}", anchor=anchor)
    _text(drawing, width / 2, 5, words, anchor="middle", ink=QUIET_)
    return drawing


def reliability_plot(bins: Sequence[tuple[float, int, int]], width: float, height: float) -> Drawing:
    """Share of exact agreement over the score's probability, with 95% intervals. bins: mean probability, exact, of how many."""
    drawing = Drawing(width, height)
    left, foot, head = 26.0, 26.0, 6.0
    across, up = width - left - 4, height - foot - head
    for at in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = foot + up * at
        drawing.add(Line(left, y, left + across, y, strokeColor=LINE_, strokeWidth=0.4))
        _text(drawing, left - 5, y, f"{at:g}", anchor="end", size=6.6)
        anchor = "start" if at == 0 else "end" if at == 1 else "middle"
        if at in (0.0, 0.5, 1.0):
            _text(drawing, left + across * at, foot - 8, f"{at:g}", anchor=anchor, size=6.6)
    drawing.add(Line(left, foot, left + across, foot + up, strokeColor=QUIET_, strokeWidth=0.7, strokeDashArray=[3, 3]))
    points: list[float] = []
    for confidence, exact, of in bins:
        x, y = left + across * confidence, foot + up * exact / of
        low, high = wilson(exact, of)
        drawing.add(Line(x, foot + up * low, x, foot + up * high, strokeColor=ACCENT_, strokeWidth=1))
        points += [x, y]
    if len(points) > 2:
        drawing.add(PolyLine(points, strokeColor=ACCENT_, strokeWidth=0.8))
    for confidence, exact, of in bins:
        x, y = left + across * confidence, foot + up * exact / of
        drawing.add(Circle(x, y, 2.4, fillColor=ACCENT_, strokeColor=colour((255, 255, 255)), strokeWidth=0.6))
    _text(drawing, left + across / 2, 5, "probability of the score", anchor="middle", ink=QUIET_)
    return drawing


def _between(share: float) -> Color:
    """From nearly white to the accent colour."""
    white = 0.965
    return Color(
        *(white + (part - white) * share for part in (ACCENT_.red, ACCENT_.green, ACCENT_.blue)),
    )


def _key(drawing: Drawing, x: float, y: float, rows: Sequence[tuple[str, Color | None]]) -> None:
    for words, fill in rows:
        drawing.add(Rect(x, y - 3, 7, 6, fillColor=fill, strokeColor=ACCENT_, strokeWidth=0.8))
        _text(drawing, x + 11, y, words, ink=QUIET_)
        x += 11 + text_width(words, _TYPE) + 12


def _box(drawing: Drawing, x: float, y: float, width: float, height: float, fill: Color) -> None:
    if width > 0 and height > 0:
        drawing.add(Rect(x, y, width, height, fillColor=fill, strokeColor=None, strokeWidth=0))


def _text(
    drawing: Drawing,
    x: float,
    middle: float,
    words: str,
    *,
    anchor: str = "start",
    font: str = REGULAR,
    size: float = _TYPE,
    ink: Color = INK_,
) -> None:
    drawing.add(String(x, middle - _CAP * size, words, fontName=font, fontSize=size, fillColor=ink, textAnchor=anchor))

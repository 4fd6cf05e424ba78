"""What the colours over the tissue mean: the ramp with the raw peaks marked, and in words how it was drawn."""

from collections.abc import Sequence

import numpy as np

from her2viewer.export.overlay import OverlayStyle, ScaleMode, colour_table
from her2viewer.export.sheet import INK, LINE, QUIET, Sheet, ascent, leading
from her2viewer.export.text import text_width, wrapped
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.stains import Stain

NOTHING = "No positive evidence for this class"


def full_colour(attribution: Attribution, style: OverlayStyle, fixed_peak: float | None) -> float:
    """The value of full colour, in the map's unit: the model's fixed figure where asked for and known, or the pair's peak."""
    fixed = style.scale is ScaleMode.FIXED and fixed_peak is not None
    return float(fixed_peak or 0.0) if fixed else attribution.peak


def legend(
    attribution: Attribution,
    style: OverlayStyle,
    fixed_peak: float | None,
    stains: Sequence[Stain],
    size: int,
    width: int,
) -> Sheet:
    """The legend as a sheet of `width` pixels in type of `size`. `stains`: those in the picture."""
    shown = [stain for stain in stains if stain in attribution.layout.order]
    drawn = attribution.peak > 0
    told = facts(attribution, style, fixed_peak, drawn)
    key_width = max(text_width(f"{key}  ", size) for key, _ in told) + size // 2
    values = [wrapped(value, size, width - key_width) for _, value in told]
    notes = wrapped(remark(attribution, stains), size, width)
    ramp = round(1.1 * size)
    scale = 2 * leading(size) + ramp + 3 * (size // 2) if drawn else 0
    height = leading(size) + size // 2 + scale + leading(size) * (len(notes) + sum(len(value) for value in values))
    sheet = Sheet(width, height)
    y = sheet.lines([f"Evidence for class {attribution.question}"], 0, 0, size, QUIET) + size // 2
    if drawn:
        y = _scale(sheet, y, ramp, size, attribution, style, full_colour(attribution, style, fixed_peak), shown)
    y = sheet.lines(notes, 0, y, size)
    for (key, _), lines in zip(told, values, strict=True):
        sheet.text(key, 0, y + ascent(size), size, QUIET)
        y = sheet.lines(lines, key_width, y, size)
    return sheet


def _scale(
    sheet: Sheet,
    y: int,
    ramp: int,
    size: int,
    attribution: Attribution,
    style: OverlayStyle,
    full: float,
    shown: Sequence[Stain],
) -> int:
    """The raw peaks, the ramp below them, and its ends. Returns the y below."""
    line = max(1, size // 13)
    width = sheet.width - 2 * line
    _peaks(sheet, y, line, width, size, {stain: attribution.peak_of(stain) for stain in shown}, full)
    y += leading(size) + size // 2
    steps = np.minimum((np.arange(width) + 0.5) / width * 256, 255).astype(np.intp)
    colours = colour_table(style.colour_map)[steps]
    hidden = steps / 255 < style.threshold
    sheet.image[y : y + ramp, line : line + width][:, ~hidden] = colours[~hidden]
    sheet.outline(line, y, width, ramp, LINE, line)
    y += ramp + size // 2
    sheet.text("0", 0, y + ascent(size), size)
    sheet.text_right(figure(full), sheet.width, y + ascent(size), size)
    unit = attribution.unit
    sheet.text(unit, (sheet.width - text_width(unit, size)) // 2, y + ascent(size), size, QUIET)
    return y + leading(size) + size // 2


def _peaks(sheet: Sheet, y: int, x: int, width: int, size: int, peaks: dict[Stain, float], full: float) -> None:
    """A tick above the ramp for each stain's raw peak, named; names are moved apart where they would touch."""
    right = sheet.width
    tick = size // 2
    foot = y + leading(size) + tick
    for stain, peak in sorted(peaks.items(), key=lambda item: -item[1]):
        if peak <= 0:
            continue
        place = x + round(min(peak / full, 1.0) * (width - x))
        sheet.box(place, foot - tick, x, tick, INK)
        beyond = " (beyond the scale)" if peak > full * (1 + 1e-6) else ""
        name = f"{stain.caption} peak {figure(peak)}{beyond}"
        length = text_width(name, size)
        start = max(0, min(place - length // 2, right - length))
        sheet.text(name, start, y + ascent(size), size)
        right = start - size


def figure(value: float) -> str:
    """Three significant digits, for example '1.10'."""
    return f"{value:#.3g}".rstrip(".")


def facts(
    attribution: Attribution, style: OverlayStyle, fixed_peak: float | None, drawn: bool
) -> list[tuple[str, str]]:
    """How the map was made and is drawn: names and words. drawn: whether there is positive evidence to draw."""
    rows, columns = attribution.values.shape
    cells = f"{columns} × {rows} cells over {'both stains' if len(attribution.layout.order) > 1 else 'the image'}"
    method = ("Method", f"{attribution.title}, {cells}")
    if not drawn:
        return [method]
    fixed = style.scale is ScaleMode.FIXED and fixed_peak is not None
    whose = "the model's fixed scale" if fixed else "the strongest evidence in this pair"
    fading = "fading with the evidence" if style.fade else "the same everywhere"
    hidden = f"hidden below {style.threshold:.0%} of full colour"
    return [
        ("Full colour", f"{figure(full_colour(attribution, style, fixed_peak))}, {whose}"),
        method,
        ("Overlay", f"{style.colour_map}, opacity {style.opacity:.0%}, {fading}; {hidden}"),
    ]


def remark(attribution: Attribution, stains: Sequence[Stain]) -> str:
    """What is missing from the picture, and why; empty where nothing is."""
    if attribution.peak <= 0:
        return f"{NOTHING} anywhere in this field: nothing is drawn."
    taken = attribution.layout.order
    notes = [f"{NOTHING} in the {s.caption} image." for s in stains if s in taken and attribution.peak_of(s) <= 0]
    notes += [f"The model does not look at the {s.caption} image." for s in stains if s not in taken]
    return " ".join(notes)

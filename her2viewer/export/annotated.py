"""The annotated picture: tissue at source resolution with its overlay, and below it all that is needed to read it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from her2viewer import RESEARCH_USE, __version__
from her2viewer.export.legend import full_colour, legend
from her2viewer.export.legend_record import LegendRecord, PictureRecord, TissueRecord
from her2viewer.export.overlay import OverlayStyle, painted
from her2viewer.export.picture_file import save_picture
from her2viewer.export.scale_bar import scale_bar
from her2viewer.export.score_band import probability_block, score_block, warning_block
from her2viewer.export.sheet import LINE, QUIET, Sheet, cap, paragraph
from her2viewer.export.text import text_width
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.prediction import FieldOfView, Prediction
from her2viewer.scoring.stains import Stain

__all__ = ["Page", "annotated_page", "annotated_picture", "overlaid", "save_picture"]

RGB = NDArray[np.uint8]
"""(h, w, 3) uint8 RGB."""

_SMALLEST_TYPE, _LARGEST_TYPE = 13, 96
_COLUMNS = {1: 52, 2: 80}
"""The tissue's width in type sizes by the number of stains: type of 6.4 points on a page 180 mm wide, 4.6 on a column of 85."""
_SCORE_WIDTH, _PROBABILITY_WIDTH, _LEGEND_WIDTH, _WIDEST_LEGEND = 15, 16, 28, 46
_LEAST_BAND = 34
"""Widths in type sizes: of the blocks, and of the narrowest band, two blocks with the gap between them."""
_PIXELS = 1 << 17
"""Blended at a time: what is made on the way stays in the cache and is no fresh memory, which takes twice as long."""


@dataclass(frozen=True, eq=False, slots=True)
class Page:
    """A picture, (h, w, 3) uint8 RGB, where in it the top left corner of each stain's tissue lies, (x, y), and what it says of
    itself.
    """

    picture: RGB
    tissue: Mapping[Stain, tuple[int, int]]
    record: PictureRecord


def annotated_picture(
    pixels: Mapping[Stain, RGB],
    attribution: Attribution | None,
    prediction: Prediction,
    *,
    stains: Sequence[Stain],
    style: OverlayStyle,
    full_scale: float | None,
    case_id: str,
    mpp: Mapping[Stain, float | None],
    regions: Mapping[Stain, FieldOfView] | None = None,
    coverage: float | None = None,
) -> RGB:
    """The annotated picture of one stain or of both side by side, (h, w, 3) uint8 RGB.

    pixels: per stain (h, w, 3) uint8 RGB, shown pixel for pixel; regions: the level-0 pixels that each spans, the scored
    field unless given. attribution: None leaves overlay and legend out. full_scale: the model's fixed peak for the stage,
    in logits per cell (`FieldScorer.fixed_peak`), used where `style` asks for the fixed scale; None where it has none, and
    the pair's own peak is used. mpp: micrometres per level-0 pixel. coverage: the prediction set's level, where known.
    Raises ValueError for no stain or pixels of another shape or dtype, KeyError where a stain's pixels are missing.
    """
    return annotated_page(
        pixels,
        attribution,
        prediction,
        stains=stains,
        style=style,
        full_scale=full_scale,
        case_id=case_id,
        mpp=mpp,
        regions=regions,
        coverage=coverage,
    ).picture


def scales(sources: Mapping[Stain, ImageSource]) -> dict[Stain, float | None]:
    """Micrometres per level-0 pixel of each stain's image, None where it is not known."""
    return {stain: None if source.mpp is None else source.mpp.um for stain, source in sources.items()}


def shared_scale(mpp: Mapping[Stain, float | None], stains: Sequence[Stain]) -> float | None:
    """The one resolution that a picture of these stains can be given, None where they differ or one is not known."""
    found = {mpp.get(stain) for stain in stains}
    return found.pop() if len(found) == 1 else None


def overlaid(
    tissue: RGB, attribution: Attribution, stain: Stain, region: FieldOfView, style: OverlayStyle, full: float
) -> RGB:
    """A stain's tissue with its map blended over it, same shape; untouched where the overlay is transparent.

    region: the level-0 pixels that `tissue` spans, or as much of the plane of the field's frame; full: the value of full colour,
    in the map's unit.
    """
    tissue = np.ascontiguousarray(tissue, np.uint8)
    if full <= 0 or stain not in attribution.layout.order:
        return tissue.copy()
    out = np.empty_like(tissue)
    values = attribution.render(stain, region, (tissue.shape[1], tissue.shape[0]))
    step = max(_PIXELS // out.shape[1], 1)
    for top in range(0, len(out), step):
        rows = slice(top, top + step)
        out[rows] = painted(tissue[rows], values[rows], full, style)
    return out


def annotated_page(
    pixels: Mapping[Stain, RGB],
    attribution: Attribution | None,
    prediction: Prediction,
    *,
    stains: Sequence[Stain],
    style: OverlayStyle,
    full_scale: float | None,
    case_id: str,
    mpp: Mapping[Stain, float | None],
    regions: Mapping[Stain, FieldOfView] | None = None,
    coverage: float | None = None,
) -> Page:
    """As `annotated_picture`, with the places of the tissue."""
    if not stains or len(set(stains)) != len(stains):
        raise ValueError("name one stain, or both once")
    for stain in stains:
        shape, dtype = pixels[stain].shape, pixels[stain].dtype
        if len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
            raise ValueError(f"{stain}: expected (h, w, 3) uint8, got {shape} {dtype}")
    across = sum(pixels[stain].shape[1] for stain in stains)
    size = int(np.clip(across // _COLUMNS[len(stains)], _SMALLEST_TYPE, _LARGEST_TYPE))
    panels = []
    for stain in stains:
        tissue = pixels[stain]
        region = (regions or {}).get(stain) or prediction.fields.get(stain)
        region = region or FieldOfView.whole((tissue.shape[1], tissue.shape[0]))
        if attribution is not None:
            tissue = overlaid(tissue, attribution, stain, region, style, full_colour(attribution, style, full_scale))
        um, width = mpp.get(stain), tissue.shape[1]
        um = None if um is None else um / region.frame.scale
        bar = None if um is None else scale_bar(um * region.width / width, width, size)
        panels.append(_Panel(tissue, stain, region, um, bar, size))
    top = _tissue_row(panels, size)
    band_width = max(top.width, _LEAST_BAND * size)
    map_legend = map_record = None
    if attribution is not None:
        map_record = LegendRecord.of(attribution, style, full_scale, stains)
        map_legend = partial(legend, attribution, style, full_scale, stains, size)
    below = [
        _band(prediction, coverage, map_legend, size, band_width),
        warning_block(prediction, size, band_width),
        _footer(prediction, case_id, size, band_width),
    ]
    return _stacked(top, [sheet for sheet in below if sheet is not None], size, map_record)


@dataclass(frozen=True, eq=False, slots=True)
class _Panel:
    """One stain's tissue with its caption above and its scale bar below. mpp: micrometres per px of the region's plane."""

    tissue: RGB
    stain: Stain
    region: FieldOfView
    mpp: float | None
    bar: Sheet | None
    size: int

    @property
    def caption_size(self) -> int:
        return round(1.25 * self.size)

    @property
    def facts(self) -> str:
        """What the panel shows, in pixels of the image's level 0, or of the one that it is registered to."""
        region = self.region
        x, y, width, height = (round(value) for value in (region.x, region.y, region.width, region.height))
        place = f" at ({x}, {y})" if (x, y) != (0, 0) else ""
        scale = f", {self.mpp:.3g} µm/px" if self.mpp is not None else ""
        of = "" if region.frame.is_identity else f" of the {self.stain.other.caption}"
        return f"{width} × {height} px{of}{place}{scale}"

    @property
    def facts_x(self) -> int:
        return text_width(self.stain.caption, self.caption_size) + self.size

    @property
    def width(self) -> int:
        """As wide as the tissue, or as its caption where that is wider."""
        return max(int(self.tissue.shape[1]), self.facts_x + text_width(self.facts, self.size))

    @property
    def height(self) -> int:
        """Of the tissue and the scale bar."""
        return int(self.tissue.shape[0]) + (0 if self.bar is None else self.bar.height + self.size // 2)


@dataclass(frozen=True, eq=False, slots=True)
class _TissueRow:
    """The panels side by side: their row's size, and where each panel starts in it."""

    panels: Sequence[_Panel]
    starts: Sequence[int]
    width: int
    caption: int
    height: int


def _tissue_row(panels: Sequence[_Panel], size: int) -> _TissueRow:
    starts, x = [], 0
    for panel in panels:
        starts.append(x)
        x += panel.width + size
    caption = cap(panels[0].caption_size) + round(0.8 * size)
    height = caption + max(panel.height for panel in panels)
    return _TissueRow(panels, starts, x - size, caption, height)


def _stacked(top: _TissueRow, below: Sequence[Sheet], size: int, map_record: LegendRecord | None) -> Page:
    """Everything on one sheet, with a margin around."""
    margin, gap = round(1.5 * size), round(1.5 * size)
    width = max(top.width, *(sheet.width for sheet in below)) + 2 * margin
    page = Sheet(width, 2 * margin + top.height + sum(sheet.height + gap for sheet in below))
    places: dict[Stain, tuple[int, int]] = {}
    records: dict[Stain, TissueRecord] = {}
    for panel, start in zip(top.panels, top.starts, strict=True):
        x, y = margin + start, margin + top.caption
        baseline = margin + cap(panel.caption_size)
        page.text(panel.stain.caption, x, baseline, panel.caption_size)
        page.text(panel.facts, x + panel.facts_x, baseline, size, QUIET)
        page.outline(x, y, panel.tissue.shape[1], panel.tissue.shape[0], LINE)
        page.paste(panel.tissue, x, y)
        if panel.bar is not None:
            page.paste(panel.bar.image, x, y + panel.height - panel.bar.height)
        places[panel.stain] = (x, y)
        height, wide = panel.tissue.shape[:2]
        records[panel.stain] = TissueRecord(x=x, y=y, width=wide, height=height)
    y = margin + top.height
    for sheet in below:
        y += gap
        page.paste(sheet.image, margin, y)
        y += sheet.height
    return Page(page.image, places, PictureRecord(tissue=records, legend=map_record))


def _band(
    prediction: Prediction, coverage: float | None, map_legend: Callable[[int], Sheet] | None, size: int, width: int
) -> Sheet:
    """Score, probabilities and legend in a row, or the legend below where they do not fit."""
    gap = 3 * size
    score = score_block(prediction, coverage, size, _SCORE_WIDTH * size)
    beside = width - score.width - _PROBABILITY_WIDTH * size - 2 * gap >= _LEGEND_WIDTH * size
    rest = width - score.width - gap
    probabilities = probability_block(prediction, size, _PROBABILITY_WIDTH * size if beside else rest)
    height = max(score.height, probabilities.height)
    x, y, right = score.width + gap, 0, None
    if map_legend is not None:
        right = map_legend(min(rest - probabilities.width - gap, _WIDEST_LEGEND * size) if beside else width)
        y = 0 if beside else height + size
        height = max(height, y + right.height)
    sheet = Sheet(width, height)
    sheet.paste(score.image, 0, 0)
    sheet.paste(probabilities.image, x, 0)
    if right is not None:
        sheet.paste(right.image, x + probabilities.width + gap if beside else 0, y)
    return sheet


def _footer(prediction: Prediction, case_id: str, size: int, width: int) -> Sheet:
    """Which case, which model, and what the picture must not be used for, below a rule."""
    model = prediction.model
    origin = f"Model {model}, SHA-256 {model.sha256[:12]}. HER2 Viewer {__version__}."
    parts = [
        paragraph(f"Case {case_id}", size, width),
        paragraph(origin, size, width, QUIET),
        paragraph(" ".join(filter(None, (RESEARCH_USE, prediction.caution))), size, width),
    ]
    rule = max(1, size // 13)
    sheet = Sheet(width, rule + size + sum(part.height for part in parts))
    sheet.box(0, 0, width, rule, LINE)
    y = rule + size
    for part in parts:
        sheet.paste(part.image, 0, y)
        y += part.height
    return sheet

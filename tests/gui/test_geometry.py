"""Viewpoints, regions and scale bars: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.gui.pane.regions import WHOLE_LEVEL_PIXELS, level_for, overview_region, suffices, wanted_region
from her2viewer.gui.pane.scale_bar import length_words, round_length
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted, kept_in_reach
from her2viewer.imaging.source import Level
from her2viewer.scoring.prediction import FieldOfView

numbers = st.floats(-1e5, 1e5)
pixel_sizes = st.floats(1e-2, 1e2)


@given(numbers, numbers, pixel_sizes, st.floats(0.1, 10), numbers, numbers)
def test_zooming_keeps_the_anchor_where_it_is(
    x: float, y: float, px: float, factor: float, ax: float, ay: float
) -> None:
    before = Viewpoint(x, y, px)
    after = before.zoomed(factor, (ax, ay))
    assert (ax - after.x) / after.px == pytest.approx((ax - before.x) / before.px, abs=1e-3, rel=1e-6)
    assert (ay - after.y) / after.px == pytest.approx((ay - before.y) / before.px, abs=1e-3, rel=1e-6)


@given(numbers, numbers, pixel_sizes, st.floats(1, 1e5), st.floats(1, 1e5))
def test_relative_and_absolute_are_inverse(x: float, y: float, px: float, width: float, height: float) -> None:
    field = FieldOfView(3.0, 4.0, width, height)
    there = Viewpoint(x, y, px).relative(field).absolute(field)
    assert (there.x, there.y, there.px) == pytest.approx((x, y, px), rel=1e-6, abs=1e-3)


def test_fitted_shows_all_of_it() -> None:
    seen = fitted((1000, 500), (400, 400)).visible((400, 400))
    assert (seen.x, seen.width) == (0, 1000)
    assert seen.y < 0 and seen.y + seen.height > 500


def test_the_tissue_cannot_be_lost() -> None:
    kept = kept_in_reach(Viewpoint(-1e9, 1e9, 1e9), (1000, 500), (400, 400))
    assert (kept.x, kept.y) == (0, 500)
    assert kept.px == 40


def pyramid(width: int, height: int) -> tuple[Level, ...]:
    levels = []
    down = 1.0
    while True:
        levels.append(Level(max(int(width / down), 1), max(int(height / down), 1), down))
        if max(width, height) / down <= 512:
            return tuple(levels)
        down *= 2


@given(st.integers(300, 40_000), st.integers(300, 40_000), st.floats(0.05, 60), st.floats(0, 1), st.floats(0, 1))
def test_a_region_covers_what_is_seen_and_stays_bounded(
    width: int, height: int, px: float, across: float, down: float
) -> None:
    levels, viewport = pyramid(width, height), (900.0, 700.0)
    viewpoint = Viewpoint(across * width, down * height, px)
    region = wanted_region(levels, (width, height), viewpoint, viewport)
    assert region is not None
    level = levels[region.level]
    assert region.x >= 0 and region.y >= 0
    assert region.x + region.width <= level.width and region.y + region.height <= level.height
    field, seen = region.field(levels, (width, height)), viewpoint.visible(viewport)
    slack = 1e-6 * max(width, height)
    assert field.x <= max(seen.x, 0) + slack
    assert field.y <= max(seen.y, 0) + slack
    assert field.x + field.width >= min(seen.x + seen.width, width) - slack
    assert field.y + field.height >= min(seen.y + seen.height, height) - slack
    slightly = Viewpoint(viewpoint.x, viewpoint.y, px * (1 + 1e-9))
    assert suffices(region, levels, (width, height), slightly, (899.0, 699.0))
    whole_of_it = level.width * level.height <= WHOLE_LEVEL_PIXELS
    assert whole_of_it or region.width * region.height < 12_000_000


def test_the_level_is_never_coarser_than_the_screen() -> None:
    levels = pyramid(20_000, 10_000)
    assert level_for(levels, 0.3) == 0
    assert level_for(levels, 1.9) == 0
    assert level_for(levels, 4.0) == 2
    assert levels[overview_region(levels).level].width >= 1024


@given(st.floats(1e-3, 1e3))
def test_scale_bars_are_round_and_fit(um_per_px: float) -> None:
    um, length = round_length(um_per_px, 140)
    assert 140 / 2.6 <= length <= 140 * (1 + 1e-6)
    assert f"{um:.0e}"[0] in "125"


def test_lengths_in_words() -> None:
    assert [length_words(um) for um in (0.5, 100, 2000)] == ["500 nm", "100 µm", "2 mm"]

"""Viewpoints and scale bars: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.gui.pane.scale_bar import length_words, round_length
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted, kept_in_reach, magnification
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
    assert kept.px == 10


@pytest.mark.parametrize(("px", "words"), [(1.0, "1:1"), (0.5, "2x"), (0.4, "2.5x"), (2.5, "40%")])
def test_magnification_in_words(px: float, words: str) -> None:
    assert magnification(px) == words


@given(st.floats(1e-3, 1e3))
def test_scale_bars_are_round_and_fit(um_per_px: float) -> None:
    um, length = round_length(um_per_px, 140)
    assert 140 / 2.6 <= length <= 140 * (1 + 1e-6)
    assert f"{um:.0e}"[0] in "125"


def test_lengths_in_words() -> None:
    assert [length_words(um) for um in (0.5, 100, 2000)] == ["500 nm", "100 µm", "2 mm"]

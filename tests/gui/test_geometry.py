"""Viewpoints and scale bars: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTransform

from her2viewer.gui.pane.scale_bar import length_words, round_length
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted, kept_in_reach
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


angles = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 270.0]), st.floats(0, 359.99))


@given(numbers, numbers, pixel_sizes, angles, st.booleans(), st.floats(-500, 500), st.floats(-500, 500))
def test_moving_takes_the_tissue_along_by_as_many_screen_pixels(
    x: float, y: float, px: float, rotation: float, mirrored: bool, dx: float, dy: float
) -> None:
    before = Viewpoint(x, y, px, rotation, mirrored)
    after = before.moved(dx, dy)
    was, now = (at.transform((300, 200)).map(QPointF(x, y)) for at in (before, after))
    assert (now.x() - was.x(), now.y() - was.y()) == pytest.approx((dx, dy), abs=1e-4)


@given(numbers, numbers, pixel_sizes, angles, st.booleans(), st.floats(0.1, 10), numbers, numbers)
def test_zooming_keeps_the_anchor_on_screen_however_it_is_turned(
    x: float, y: float, px: float, rotation: float, mirrored: bool, factor: float, ax: float, ay: float
) -> None:
    before = Viewpoint(x, y, px, rotation, mirrored)
    after = before.zoomed(factor, (ax, ay))
    was, now = (at.transform((300, 200)).map(QPointF(ax, ay)) for at in (before, after))
    far = max(abs(was.x()), abs(was.y()), 1)
    assert (now.x(), now.y()) == pytest.approx((was.x(), was.y()), abs=1e-6 * far + 1e-3)


@given(angles, st.floats(-720, 720), st.booleans())
def test_turning_and_flipping_act_on_the_screen(rotation: float, by: float, mirrored: bool) -> None:
    at = Viewpoint(40, 30, 0.7, rotation, mirrored)
    middle = QTransform.fromTranslate(-150, -100)
    here, place = at.transform((300, 200)) * middle, QPointF(55, 12)
    turned = (at.turned(by).transform((300, 200)) * middle).map(place)
    expected = QTransform().rotate(by).map(here.map(place))
    assert (turned.x(), turned.y()) == pytest.approx((expected.x(), expected.y()), abs=1e-6)
    flipped = (at.flipped().transform((300, 200)) * middle).map(place)
    assert (flipped.x(), flipped.y()) == pytest.approx((-here.map(place).x(), here.map(place).y()), abs=1e-6)
    assert 0 <= at.turned(by).rotation < 360
    again = at.flipped().flipped()
    assert (again.rotation, again.mirrored) == (pytest.approx(at.rotation), at.mirrored)
    assert at.turned(by).upright() == Viewpoint(40, 30, 0.7)


@given(numbers, numbers, pixel_sizes, angles, st.booleans(), st.floats(1, 3000), st.floats(1, 3000))
def test_visible_is_the_rectangle_around_what_the_viewport_shows(
    x: float, y: float, px: float, rotation: float, mirrored: bool, width: float, height: float
) -> None:
    at = Viewpoint(x, y, px, rotation, mirrored)
    seen = at.visible((width, height))
    box = at.transform((width, height)).inverted()[0].mapRect(QRectF(0, 0, width, height))
    slack = 1e-6 * (abs(x) + abs(y) + (width + height) * px)
    assert (seen.x, seen.y) == pytest.approx((box.left(), box.top()), abs=slack)
    assert (seen.width, seen.height) == pytest.approx((box.width(), box.height()), abs=slack)


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, 213.0])
def test_fitted_shows_all_of_a_turned_image(rotation: float) -> None:
    at = fitted((1000, 500), (400, 300), rotation, True)
    shown = at.transform((400, 300)).mapRect(QRectF(0, 0, 1000, 500))
    assert QRectF(-1e-6, -1e-6, 400 + 2e-6, 300 + 2e-6).contains(shown)
    assert shown.width() == pytest.approx(400) or shown.height() == pytest.approx(300)


def test_right_angles_are_exact() -> None:
    at = Viewpoint(10, 20, 1.0, 90.0).transform((40, 60))
    assert (at.m11(), at.m12(), at.m21(), at.m22()) == (0, 1, -1, 0)


def test_fitted_shows_all_of_it() -> None:
    seen = fitted((1000, 500), (400, 400)).visible((400, 400))
    assert (seen.x, seen.width) == (0, 1000)
    assert seen.y < 0 and seen.y + seen.height > 500


def test_the_tissue_cannot_be_lost() -> None:
    kept = kept_in_reach(Viewpoint(-1e9, 1e9, 1e9), (1000, 500), (400, 400))
    assert (kept.x, kept.y) == (0, 500)
    assert kept.px == 40


@given(st.floats(1e-3, 1e3))
def test_scale_bars_are_round_and_fit(um_per_px: float) -> None:
    um, length = round_length(um_per_px, 140)
    assert 140 / 2.6 <= length <= 140 * (1 + 1e-6)
    assert f"{um:.0e}"[0] in "125"


def test_lengths_in_words() -> None:
    assert [length_words(um) for um in (0.5, 100, 2000)] == ["500 nm", "100 µm", "2 mm"]

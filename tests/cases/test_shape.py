import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.cases.shape import MINIMUM_SIDE, Shape, ShapeKind, mended
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import FieldOfView
from tests.cases.shapes import SIZE, frames, shapes, stars

SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]
BOW_TIE = [(0, 0), (100, 100), (100, 0), (0, 100)]


def test_areas_of_known_shapes() -> None:
    assert Shape.rectangle(10, 20, 30, 40).area == 1200
    assert Shape.ellipse(0, 0, 100, 50).area == pytest.approx(np.pi * 50 * 25)
    assert Shape.polygon([(0, 0), (100, 0), (0, 100)]).area == 5000
    assert Shape.polygon(SQUARE, [[(20, 20), (40, 20), (40, 40), (20, 40)]]).area == 9600


def test_a_rectangle_drawn_towards_the_upper_left() -> None:
    assert Shape.rectangle(40, 60, -30, -40) == Shape.rectangle(10, 20, 30, 40)


def test_what_is_inside() -> None:
    ellipse = Shape.ellipse(0, 0, 100, 50)
    assert ellipse.contains(50, 25) and ellipse.contains(0, 25) and not ellipse.contains(2, 2)
    ring = Shape.polygon(SQUARE, [[(20, 20), (40, 20), (40, 40), (20, 40)]])
    assert ring.contains(10, 10) and not ring.contains(30, 30) and not ring.contains(101, 50)


@pytest.mark.parametrize("make", [Shape.rectangle, Shape.ellipse])
def test_a_slip_of_the_hand_is_refused(make: object) -> None:
    with pytest.raises(AnnotationError, match="at least 4 pixels"):
        make(10, 10, 50, MINIMUM_SIDE - 0.02)  # type: ignore[operator]
    assert make(10, 10, 50, MINIMUM_SIDE).area > 0  # type: ignore[operator]


def test_polygons_that_are_none_are_refused() -> None:
    with pytest.raises(AnnotationError, match="crosses itself"):
        Shape.polygon(BOW_TIE)
    with pytest.raises(AnnotationError, match="three different points"):
        Shape.polygon([(0, 0), (100, 100), (100, 100), (0, 0)])
    with pytest.raises(AnnotationError, match="4 pixels"):
        Shape.polygon([(0, 0), (50, 50), (100, 100)])
    for points in ([(0, 0), (1, np.nan), (5, 5)], [1, 2, 3], [(0, 0, 0)] * 3):
        with pytest.raises(ValueError, match="finite numbers"):
            Shape.polygon(points)


def test_a_closed_ring_is_the_open_one_and_begins_where_it_began() -> None:
    assert Shape.polygon([*SQUARE, SQUARE[0]]) == Shape.polygon(SQUARE)
    assert Shape.polygon([*SQUARE, SQUARE[0]]).outline()[0].tolist() == [0, 0]


def test_a_crossing_polygon_is_mended_into_its_parts() -> None:
    parts, was_mended = mended(BOW_TIE)
    assert was_mended and [part.area for part in parts] == [2500, 2500]
    assert mended(SQUARE) == ((Shape.polygon(SQUARE),), False)
    assert mended([(0, 0), (2, 0), (2, 2)]) == ((), False)


def test_a_tangle_is_refused_before_it_is_worked_out() -> None:
    points = np.random.default_rng(0).random((20_000, 2)) * 1000
    with pytest.raises(AnnotationError, match="too often to be mended"):
        mended(points)


def test_a_pen_that_overshoots_loses_its_loop_and_a_figure_of_eight_is_refused() -> None:
    angle = np.linspace(0, 2 * np.pi + 0.1, 400)
    radius = 300 - 20 * (angle - np.pi) / np.pi  # inwards, so that the end crosses the closing line
    pen = np.stack([500 + radius * np.cos(angle), 500 + radius * np.sin(angle)], axis=1)
    hooked = np.concatenate([pen, [(500 + 310, 500 + 60), (500 + 330, 500 + 10)]])
    shape = Shape.free_hand(hooked)
    assert shape.kind is ShapeKind.FREE_HAND and shape.geometry.is_valid
    assert shape.area == pytest.approx(np.pi * 300**2, rel=0.05)
    with pytest.raises(AnnotationError, match="the line crosses itself"):
        Shape.free_hand(BOW_TIE)


@given(points=stars(400), tolerance=st.floats(0.5, 20))
@settings(max_examples=40, deadline=None)
def test_a_thinned_line_stays_near_the_pen_and_never_crosses_itself(points: np.ndarray, tolerance: float) -> None:
    shape = Shape.free_hand(points, tolerance)
    drawn = shapely.LinearRing(np.round(points, 2))
    assert shape.geometry.is_valid
    assert shapely.hausdorff_distance(shape.geometry.exterior, drawn) <= tolerance + 0.01
    assert len(shape.outline()) <= len(points)


@given(shape=shapes(), dx=st.floats(-5000, 5000), dy=st.floats(-5000, 5000))
@settings(max_examples=80, deadline=None)
def test_a_moved_shape_keeps_its_form_and_stays_in_the_image(shape: Shape, dx: float, dy: float) -> None:
    moved = shape.moved(dx, dy, SIZE)
    before, after = shape.bounds, moved.bounds
    assert (after.width, after.height) == pytest.approx((before.width, before.height), abs=1e-6)
    assert after.x >= -1e-9 and after.y >= -1e-9
    assert after.x + after.width <= SIZE[0] + 1e-6 and after.y + after.height <= SIZE[1] + 1e-6
    assert moved.area == pytest.approx(shape.area, rel=1e-6)
    free = shape.moved(dx, dy)
    assert free.bounds.x == pytest.approx(before.x + dx, abs=0.0051)
    assert free.moved(-dx, -dy) == shape


@given(shape=shapes(), handle=st.integers(0, 7), to=st.tuples(st.floats(-500, 5000), st.floats(-500, 5000)))
@settings(max_examples=120, deadline=None)
def test_a_dragged_handle_of_the_frame_goes_where_it_is_dragged(
    shape: Shape, handle: int, to: tuple[float, float]
) -> None:
    if shape.has_vertices:
        return
    try:
        dragged = shape.reshaped(handle, to, SIZE)
    except AnnotationError:  # pressed flat, two corners fall together
        assert shape.kind is ShapeKind.FREE_HAND
        return
    assert dragged.kind is shape.kind
    assert min(dragged.bounds.width, dragged.bounds.height) >= MINIMUM_SIDE - 0.011
    opposite = (handle + 4) % 8
    before, after = shape.handles()[opposite], dragged.handles()[opposite]
    if handle % 2 == 0:
        assert after == pytest.approx(before, abs=0.011)
    f = dragged.bounds
    assert f.x >= -1e-6 and f.x + f.width <= SIZE[0] + MINIMUM_SIDE and f.y + f.height <= SIZE[1] + MINIMUM_SIDE


def test_a_vertex_is_moved_added_and_taken_away() -> None:
    square = Shape.polygon(SQUARE, [[(20, 20), (40, 20), (40, 40)]])
    assert square.has_vertices and len(square.handles()) == 7
    assert square.reshaped(1, (150, -50), (120, 200)).handles()[1].tolist() == [120, 0]
    with pytest.raises(AnnotationError, match="crosses itself"):
        square.reshaped(0, (300, 50))
    with pytest.raises(IndexError):
        square.reshaped(7, (0, 0))
    more = square.with_vertex((50, -5))
    assert more.handles()[:3].tolist() == [[0, 0], [50, -5], [100, 0]] and len(more.handles()) == 8
    assert more.without_vertex(1) == square
    assert square.without_vertex(5).geometry.interiors[:] == []
    triangle = Shape.polygon(SQUARE[:3])
    with pytest.raises(AnnotationError, match="three corners"):
        triangle.without_vertex(0)
    with pytest.raises(ValueError, match="no vertices"):
        Shape.rectangle(0, 0, 10, 10).with_vertex((5, 0))


@given(frame=frames(), points=st.integers(8, 400))
@settings(max_examples=40, deadline=None)
def test_the_outline_of_an_ellipse_lies_on_it(frame: tuple[float, float, float, float], points: int) -> None:
    ellipse = Shape.ellipse(*frame)
    f = ellipse.bounds
    outline = ellipse.outline(points)
    across = (outline[:, 0] - f.x - f.width / 2) / (f.width / 2)
    down = (outline[:, 1] - f.y - f.height / 2) / (f.height / 2)
    assert outline.shape == (points, 2) and np.allclose(np.hypot(across, down), 1)
    assert ellipse.geometry.area == pytest.approx(ellipse.area, rel=2e-4)


def test_a_long_outline_is_thinned_and_not_cut() -> None:
    angle = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    shape = Shape.polygon(np.stack([2000 + 1000 * np.cos(angle), 1500 + 1000 * np.sin(angle)], axis=1))
    thinned = shape.outline(300)
    assert len(thinned) <= 300 and not shape.has_vertices and len(shape.handles()) == 8
    assert shapely.Polygon(thinned).area == pytest.approx(shape.area, rel=0.01)


def test_what_leaves_the_image_is_cut() -> None:
    assert Shape.rectangle(-10, -10, 50, 60).clipped((30, 20)) == (Shape.rectangle(0, 0, 30, 20),)
    inside = Shape.ellipse(5, 5, 20, 10)
    assert inside.clipped((30, 20)) == (inside,)
    (part,) = Shape.ellipse(-50, 0, 100, 20).clipped((100, 100))
    assert part.kind is ShapeKind.FREE_HAND and part.area == pytest.approx(np.pi * 50 * 10 / 2, rel=1e-3)
    assert Shape.rectangle(200, 200, 50, 50).clipped((100, 100)) == ()
    comb = Shape.polygon([(10, -50), (90, -50), (90, 50), (70, 50), (70, -20), (30, -20), (30, 50), (10, 50)])
    assert [tooth.bounds for tooth in comb.clipped((100, 100))] == [
        FieldOfView(10, 0, 20, 50),
        FieldOfView(70, 0, 20, 50),
    ]


@given(shape=shapes(), width=st.integers(10, 4000), height=st.integers(10, 3000))
@settings(max_examples=80, deadline=None)
def test_cut_parts_are_the_intersection(shape: Shape, width: int, height: int) -> None:
    parts = shape.clipped((width, height))
    expected = shapely.intersection(shape.geometry, shapely.box(0, 0, width, height)).area
    # Corners are rounded to 1/100 pixel, and parts below the smallest size left out.
    assert sum(part.area for part in parts) == pytest.approx(expected, abs=400 + 0.01 * shape.geometry.length)
    for part in parts:
        f = part.bounds
        assert f.x >= 0 and f.y >= 0 and f.x + f.width <= width and f.y + f.height <= height

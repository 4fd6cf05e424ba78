import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from her2viewer.cases.grid import FALLBACK_SIDE_PX, field_at, grid_over, side_px, side_words
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import FIELD_UM, InputLayout
from tests.cases.shapes import SIZE, shapes


def test_the_side_of_a_field() -> None:
    assert side_px(0.46, FIELD_UM) == 1024 and side_px(0.2428, FIELD_UM) == 1940
    assert side_px(None, FIELD_UM) == FALLBACK_SIDE_PX
    assert side_words(0.25, FIELD_UM).startswith("Fields are 1,884 pixels wide, 471 µm")
    assert "does not say how large a pixel is" in side_words(None, FIELD_UM)


def test_a_model_says_how_large_its_fields_are() -> None:
    assert InputLayout().field_um == FIELD_UM == pytest.approx(1024 * 0.46)
    assert InputLayout.model_validate_json('{"field_um": 250}').field_um == 250
    for wrong in ("0", "-1", "1e9", "NaN", '"big"'):
        with pytest.raises(ValueError, match="field_um"):
            InputLayout.model_validate_json(f'{{"field_um": {wrong}}}')


def test_a_region_of_whole_fields_is_cut_into_them_in_reading_order() -> None:
    cells = grid_over(Shape.rectangle(100, 200, 300, 200), (1000, 1000), 100)
    assert [(cell.field.x, cell.field.y) for cell in cells] == [
        (100, 200), (200, 200), (300, 200), (100, 300), (200, 300), (300, 300),
    ]  # fmt: skip
    assert [(cell.row, cell.column) for cell in cells] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert {cell.share for cell in cells} == {1.0}


def test_a_step_of_half_a_field_overlaps() -> None:
    cells = grid_over(Shape.rectangle(0, 0, 200, 100), (200, 100), 100, 50)
    assert [cell.field.x for cell in cells] == [0, 50, 100]


def test_the_share_of_a_cell_in_the_region() -> None:
    (cell,) = grid_over(Shape.polygon([(0, 0), (100, 0), (100, 100)]), (100, 100), 100)
    assert cell.share == 0.5
    (holed,) = grid_over(
        Shape.polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(0, 0), (20, 1), (1, 20)]]), (100, 100), 100
    )
    assert 0.97 < holed.share < 1


def test_an_image_smaller_than_a_field_is_one() -> None:
    (cell,) = grid_over(Shape.rectangle(0, 0, 900, 700), (900, 700), 1024)
    assert cell.field == FieldOfView(0, 0, 900, 700)


def test_a_region_too_thin_for_a_centre_gets_one_field() -> None:
    ring = Shape.polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [[(5, 5), (95, 5), (95, 95), (5, 95)]])
    (cell,) = grid_over(ring, (100, 100), 90)
    assert 0 < cell.share < 0.3


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(AnnotationError, match="outside the image"):
        grid_over(Shape.rectangle(500, 500, 100, 100), (100, 100), 10)
    with pytest.raises(AnnotationError, match=r"the region holds 40,000 fields.*smaller region"):
        grid_over(Shape.rectangle(0, 0, 2000, 2000), (2000, 2000), 10)
    with pytest.raises(AnnotationError, match="holds 10,000,000,000 fields"):
        grid_over(Shape.rectangle(0, 0, 100_000, 100_000), (100_000, 100_000), 1)
    for side, step in ((0, 10), (10, 0), (float("nan"), 10)):
        with pytest.raises(ValueError, match="at least a pixel"):
            grid_over(Shape.rectangle(0, 0, 10, 10), (10, 10), side, step)


@given(shape=shapes(), side=st.integers(60, 1500), step=st.floats(0.5, 2))
@settings(max_examples=100, deadline=None)
def test_every_grid_keeps_its_promises(shape: Shape, side: int, step: float) -> None:
    cells = grid_over(shape, SIZE, side, side * step)
    assert cells
    fields = [cell.field for cell in cells]
    assert [(cell.row, cell.column) for cell in cells] == sorted({(cell.row, cell.column) for cell in cells})
    for cell, f in zip(cells, fields, strict=True):
        assert f.x >= 0 and f.y >= 0 and f.x + f.width <= SIZE[0] and f.y + f.height <= SIZE[1]
        assert float(f.x).is_integer() and f.width == side and f.height == min(side, SIZE[1])
        box = shapely.box(f.x, f.y, f.x + f.width, f.y + f.height)
        assert cell.share == pytest.approx(shapely.intersection(shape.geometry, box).area / box.area, abs=0.01)
    if len(cells) > 1:
        centres = np.array([(f.x + f.width / 2, f.y + f.height / 2) for f in fields])
        assert shapely.intersects_xy(shape.geometry, centres[:, 0], centres[:, 1]).all()


@given(frame=st.tuples(st.integers(0, 3000), st.integers(0, 2000), st.integers(50, 900), st.integers(50, 900)))
@settings(max_examples=60, deadline=None)
def test_a_rectangle_away_from_the_edges_is_covered(frame: tuple[int, int, int, int]) -> None:
    x, y, width, height = (value + 1000 * (i < 2) for i, value in enumerate(frame))
    cells = grid_over(Shape.rectangle(x, y, width, height), (6000, 6000), 100)
    covered = shapely.union_all(
        [shapely.box(c.field.x, c.field.y, c.field.x + c.field.width, c.field.y + c.field.height) for c in cells]
    )
    # Whole pixels, and a hundredth of a step that is left to the pen.
    assert shapely.box(x + 1.5, y + 1.5, x + width - 1.5, y + height - 1.5).within(covered)


@given(x=st.floats(-500, 5000), y=st.floats(-500, 5000), side=st.floats(1, 6000))
@settings(max_examples=100, deadline=None)
def test_a_field_at_a_place_holds_it_and_lies_in_the_image(x: float, y: float, side: float) -> None:
    f = field_at(x, y, side, SIZE)
    assert f.x >= 0 and f.y >= 0 and f.x + f.width <= SIZE[0] and f.y + f.height <= SIZE[1]
    assert f.width == min(max(1, round(side)), SIZE[0])
    if 0 <= x < SIZE[0] and 0 <= y < SIZE[1]:
        assert f.x - 0.51 <= x <= f.x + f.width + 0.51 and f.y - 0.51 <= y <= f.y + f.height + 0.51

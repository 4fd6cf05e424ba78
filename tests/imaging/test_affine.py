import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.imaging.affine import Affine

reals = st.floats(-1e3, 1e3)
similarities = st.builds(
    Affine.similarity, st.floats(0.05, 20), st.floats(-180, 180), st.tuples(reals, reals), st.booleans()
)


@given(affine=similarities, x=reals, y=reals)
def test_the_inverse_leads_back(affine: Affine, x: float, y: float) -> None:
    assert affine.inverse()(*affine(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(first=similarities, second=similarities, x=reals, y=reals)
def test_then_applies_the_outer_map_last(first: Affine, second: Affine, x: float, y: float) -> None:
    assert first.then(second)(x, y) == pytest.approx(second(*first(x, y)), rel=1e-9, abs=1e-6)


@given(scale=st.floats(0.05, 20), degrees=st.floats(-179.9, 179.9), mirrored=st.booleans())
def test_a_similarity_says_what_it_was_made_of(scale: float, degrees: float, mirrored: bool) -> None:
    affine = Affine.similarity(scale, degrees, (3, 4), mirrored, (100, 50))
    assert affine.scale == pytest.approx(scale)
    assert affine.rotation == pytest.approx(degrees, abs=1e-9)
    assert affine.mirrored == mirrored
    assert affine(100, 50) == pytest.approx((103, 54))


def test_a_quarter_turn_is_clockwise_on_screen_and_exact() -> None:
    turned = Affine.similarity(degrees=90)
    assert turned(1, 0) == (0, 1)  # right becomes down
    assert turned(0, 1) == (-1, 0)
    assert Affine.similarity(degrees=-270) == turned


def test_mirroring_comes_before_turning() -> None:
    assert Affine.similarity(mirrored=True)(2, 3) == (-2, 3)
    assert Affine.similarity(degrees=90, mirrored=True)(2, 0) == (0, -2)


def test_points_and_matrix_are_the_same_map() -> None:
    affine = Affine(1, 2, 3, 4, 5, 6)
    places = np.array([[0.0, 0.0], [1.5, -2.0]])
    assert affine.points(places).tolist() == [list(affine(*place)) for place in places.tolist()]
    assert np.allclose(affine.matrix @ [1.5, -2, 1], affine(1.5, -2))
    assert Affine.of(affine.matrix) == affine
    assert affine.linear.tolist() == [[1, 2], [4, 5]]


def test_between_stretches_one_rectangle_to_the_other() -> None:
    affine = Affine.between((100, 50), (300, 75))
    assert affine(0, 0) == (0, 0)
    assert affine(100, 50) == (300, 75)
    assert affine.is_upright and not affine.is_identity
    assert Affine.between((7, 9), (7, 9)).is_identity
    assert Affine.identity() == Affine()


def test_opencv_draws_a_pixel_where_the_map_says() -> None:
    image = np.zeros((40, 40), np.float32)
    image[10, 20] = 1  # its centre lies at (20.5, 10.5)
    affine = Affine.similarity(2, 0, (-11, 3))
    warped = cv2.warpAffine(image, affine.indices, (60, 60), flags=cv2.INTER_LINEAR)
    rows, columns = np.indices(warped.shape) + 0.5
    centre = (warped * columns).sum() / warped.sum(), (warped * rows).sum() / warped.sum()
    assert centre == pytest.approx(affine(20.5, 10.5), abs=1e-3)
    assert Affine.of_indices(affine.indices) == affine


def test_a_matrix_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        Affine.of(np.eye(3))
    with pytest.raises(ValueError, match="finite"):
        Affine.of(np.full((2, 3), np.nan))

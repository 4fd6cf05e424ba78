import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb_from_hed

from her2viewer.errors import StainVectorError
from her2viewer.imaging.stain_vectors import (
    LEAST_ANGLE,
    Dyes,
    Origin,
    angle,
    density_table,
    parsed,
    ruifrok_johnston,
    typed_vectors,
    unit,
)


def test_the_table_is_the_one_that_scikit_image_has() -> None:
    he, dab = (ruifrok_johnston(dyes).matrix for dyes in Dyes)
    assert np.allclose(he[0], unit(rgb_from_hed[0])) and np.allclose(he[1], unit(rgb_from_hed[1]))
    assert np.allclose(dab[0], unit(rgb_from_hed[0])) and np.allclose(dab[1], unit(rgb_from_hed[2]))


@pytest.mark.parametrize("dyes", Dyes)
def test_rows_have_length_one_and_the_residual_stands_at_right_angles(dyes: Dyes) -> None:
    vectors = ruifrok_johnston(dyes)
    assert np.allclose(np.linalg.norm(vectors.matrix, axis=1), 1)
    assert np.allclose(vectors.matrix[:2] @ vectors.matrix[2], 0)
    assert vectors.names == (*dyes.value, "residual")


def test_nothing_in_them_can_be_written() -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_EOSIN, (200, 201, 202))
    for array in (vectors.matrix, vectors.white):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    "text",
    [
        "0.65 0.70 0.29",
        " 0.65,0.70,0.29 ",
        "0.65, 0.70, 0.29",
        "[0.65; 0.70; 0.29]",
        "0,65 0,70 0,29",
        "0,65; 0,70; 0,29",
        "(65, 70, 29)",
        "65,70,29",
        "6.5e-1\t7e-1\t.29",
    ],
)
def test_a_vector_may_be_typed_in_many_ways(text: str) -> None:
    assert np.allclose(parsed(text, "haematoxylin"), unit((0.65, 0.70, 0.29)))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has no numbers"),
        ("0.65", "has one number"),
        ("0.65 0.7", "has 2 numbers"),
        ("1 2 3 4", "has 4 numbers"),
        ("0.65 0.7 x", "not a number"),
        ("0.65 -0.7 0.3", "negative part"),
        ("0 0 0", "is zero"),
        ("nan 1 1", "without bounds"),
        ("inf 1 1", "without bounds"),
        ("1e300 1 1", "without bounds"),
    ],
)
def test_what_is_no_vector_is_said_of_its_dye(text: str, what: str) -> None:
    with pytest.raises(StainVectorError, match=f"the vector of eosin .*{what}"):
        typed_vectors(Dyes.HAEMATOXYLIN_EOSIN, "0.65 0.70 0.29", text)


@given(st.text(max_size=40))
def test_any_text_is_a_vector_or_an_error_in_words(text: str) -> None:
    try:
        assert np.isclose(np.linalg.norm(parsed(text, "DAB")), 1)
    except StainVectorError as error:
        assert "DAB" in error.what and error.remedy


def test_typed_vectors_say_so() -> None:
    vectors = typed_vectors(Dyes.HAEMATOXYLIN_DAB, "65 70 29", "27 57 78", (240, 241, 242))
    assert vectors.origin is Origin.TYPED and vectors.white.tolist() == [240, 241, 242]
    assert np.allclose(vectors.matrix, ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB).matrix)


def test_two_vectors_of_nearly_one_direction_are_refused() -> None:
    with pytest.raises(StainVectorError, match=r"haematoxylin and DAB point nearly the same way \(\d\.\d degrees"):
        typed_vectors(Dyes.HAEMATOXYLIN_DAB, "0.65 0.70 0.29", "0.66 0.69 0.31")
    with pytest.raises(StainVectorError):
        typed_vectors(Dyes.HAEMATOXYLIN_DAB, "1 1 1", "2 2 2")


@given(st.floats(0.5, 30))
def test_the_limit_is_the_angle(degrees: float) -> None:
    second = f"{np.cos(np.radians(degrees))} {np.sin(np.radians(degrees))} 0"
    if abs(degrees - LEAST_ANGLE) < 1e-6:
        return
    if degrees < LEAST_ANGLE:
        with pytest.raises(StainVectorError):
            typed_vectors(Dyes.HAEMATOXYLIN_EOSIN, "1 0 0", second)
    else:
        vectors = typed_vectors(Dyes.HAEMATOXYLIN_EOSIN, "1 0 0", second)
        assert angle(*vectors.matrix[:2]) == pytest.approx(degrees, abs=1e-6)


def test_density_is_logarithm_to_ten_against_the_white() -> None:
    table = density_table((250, 200, 100))
    assert table[250, 0] == 0 and table[20, 1] == pytest.approx(1) and table[1, 2] == pytest.approx(2)
    assert np.isfinite(table).all() and (np.diff(table, axis=0) <= 0).all()

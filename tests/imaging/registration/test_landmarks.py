import numpy as np
import pytest

from her2viewer.errors import UserError
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.registration.landmarks import by_landmarks
from tests.benchmarks.registration import flat

IHC = flat(np.full((1000, 1000, 3), 200, np.uint8))
PLACES = np.array([[100.0, 80], [900, 120], [500, 880], [200, 600], [760, 420]])
TURNED = Affine.similarity(1.3, 25, (-40, 60), True, (500, 500))


@pytest.mark.parametrize("mirrored", [False, True])
def test_two_landmarks_give_the_similarity_through_both(mirrored: bool) -> None:
    moved = Affine.similarity(0.7, -130, (300, 20), mirrored)
    alignment = by_landmarks(PLACES[:2], moved.points(PLACES[:2]), IHC, mirrored=mirrored)
    assert np.allclose(alignment.he_to_ihc.matrix, moved.matrix)
    assert alignment.error_px is None and not alignment.poor
    assert alignment.words == "Registered by landmarks"


def test_three_landmarks_tell_that_a_section_was_turned_over() -> None:
    alignment = by_landmarks(PLACES[:3], TURNED.points(PLACES[:3]), IHC)
    assert np.allclose(alignment.he_to_ihc.matrix, TURNED.matrix)
    assert alignment.error_px is None  # three fit any


def test_on_a_large_slide_nothing_is_lost() -> None:
    far = PLACES + np.array([80_000, 60_000])
    alignment = by_landmarks(far, TURNED.points(far), IHC)
    assert np.abs(alignment.to_ihc(far) - TURNED.points(far)).max() < 1e-6


def test_the_error_is_what_landmarks_are_off() -> None:
    rng, errors = np.random.default_rng(0), []
    places = rng.uniform(0, 1000, (12, 2))
    for _ in range(100):
        noisy = TURNED.points(places) + rng.normal(0, 3, places.shape)
        alignment = by_landmarks(places, noisy, IHC, ihc_um=0.5)
        assert alignment.error_um == pytest.approx(alignment.error_px / 2)
        errors.append(alignment.error_px)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(3 * np.sqrt(2), rel=0.05)


def test_landmarks_far_off_are_called_poor() -> None:
    ends = TURNED.points(PLACES)
    ends[0] += 200
    alignment = by_landmarks(PLACES, ends, IHC)
    assert alignment.poor and alignment.words.startswith("Poor: registered by landmarks, about")


def test_a_spline_passes_through_all_of_them() -> None:
    ends = TURNED.points(PLACES) + np.random.default_rng(1).normal(0, 5, PLACES.shape)
    alignment = by_landmarks(PLACES, ends, IHC, bend=True)
    assert np.abs(alignment.to_ihc(PLACES) - ends).max() < 1e-6
    assert np.abs(alignment.to_he(ends) - PLACES).max() < 1e-3


@pytest.mark.parametrize(
    ("he", "ihc", "words"),
    [
        (PLACES[:1], PLACES[:1], "one landmark does not say"),
        (PLACES[:0], PLACES[:0], "one landmark does not say"),
        (PLACES[[0, 1, 0]], PLACES[:3], "landmarks 1 and 3 lie on one place of the H&E"),
        (PLACES[:3], PLACES[[0, 2, 2]], "landmarks 2 and 3 lie on one place of the IHC"),
        (np.array([[0.0, 0], [100, 100], [300, 301]]), PLACES[:3], "all landmarks of the H&E lie on one line"),
    ],
)
def test_landmarks_that_fix_nothing_say_so(he: np.ndarray, ihc: np.ndarray, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        by_landmarks(he, ihc, IHC)
    assert caught.value.remedy


def test_landmarks_of_unequal_number_are_a_bug() -> None:
    with pytest.raises(ValueError, match="3 landmarks on the H&E, 2 on the IHC"):
        by_landmarks(PLACES[:3], PLACES[:2], IHC)

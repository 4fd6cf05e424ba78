import numpy as np
import pytest

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.registration.patches import Shifts, agreed, found, measured
from tests.imaging.registration.test_plane import texture


def test_a_patch_is_found_to_a_fraction_of_a_pixel() -> None:
    import cv2

    picture = texture(5)
    moved = np.stack([cv2.warpAffine(channel, Affine(tx=3.25, ty=-1.5).indices, (200, 200)) for channel in picture])
    dx, dy, peak = found(moved[:, 42:138, 42:138], picture[:, 50:130, 50:130])
    assert (dx, dy) == pytest.approx((3.25, -1.5), abs=0.15)
    assert peak > 0.9


def test_what_holds_nothing_is_not_looked_for() -> None:
    assert found(np.zeros((2, 96, 96), np.float32), texture(5)[:, :80, :80]) is None


def test_shifts_undo_what_was_laid_wrong() -> None:
    picture, wrong = texture(6), Affine.similarity(1.01, 1.0, (2, -3), about=(100, 100))
    shifts = measured(picture, picture, wrong, 48, 16)
    agreement = agreed(shifts, 1.5, full=False)
    corrected = wrong.then(agreement.correction)
    assert np.abs(corrected.points([(20, 20), (180, 20), (100, 180)]) - [(20, 20), (180, 20), (100, 180)]).max() < 0.5
    assert agreement.share > 0.9


def test_a_few_wrong_shifts_are_left_out() -> None:
    rng = np.random.default_rng(2)
    places, shifts = rng.uniform(0, 200, (40, 2)), np.full((40, 2), 2.0)
    shifts[:10] = rng.uniform(-8, 8, (10, 2))
    agreement = agreed(Shifts(places, shifts, tried=50), 0.5, full=True)
    assert agreement.agreeing[10:].all()
    assert agreement.share == agreement.agreeing.sum() / 50
    assert np.allclose(agreement.correction.matrix, Affine(tx=2, ty=2).matrix, atol=0.05)
    assert agreed(Shifts(places[:5], shifts[:5], 5), 0.5, full=False) is None

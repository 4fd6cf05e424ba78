import cv2
import numpy as np
import pytest

from her2viewer.scoring.trust.chance import random_maps, shuffled_maps, without


@pytest.fixture
def smooth() -> np.ndarray:
    noise = np.random.default_rng(3).standard_normal((14, 28)).astype(np.float32)
    return np.exp(cv2.GaussianBlur(noise, (0, 0), 1.5) * 3)


def _roughness(values: np.ndarray) -> float:
    return float(np.square(np.diff(values, axis=0)).mean() / values.var())


def test_random_maps_are_as_smooth_as_the_map(smooth) -> None:
    drawn = random_maps(smooth, 40, 0)
    steps = np.square([np.diff(one, axis=0) for one in drawn]).mean()
    assert steps == pytest.approx(np.square(np.diff(smooth, axis=0)).mean(), rel=0.1)
    assert np.mean([_roughness(one) for one in drawn]) == pytest.approx(_roughness(smooth), rel=0.25)
    alike = [np.corrcoef(one.ravel(), smooth.ravel())[0, 1] for one in drawn]
    assert abs(np.mean(alike)) < 0.1 and np.max(np.abs(alike)) < 0.7
    noise = np.random.default_rng(0).standard_normal(smooth.shape)
    assert _roughness(noise) > 3 * _roughness(smooth)


def test_shuffled_maps_hold_the_maps_own_values(smooth) -> None:
    for drawn, random in zip(shuffled_maps(smooth, 5, 0), random_maps(smooth, 5, 0), strict=True):
        assert np.array_equal(np.sort(drawn, axis=None), np.sort(smooth, axis=None))
        assert np.array_equal(np.argsort(drawn, axis=None), np.argsort(random, axis=None))


def test_the_seed_decides(smooth) -> None:
    one, again, other = (random_maps(smooth, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.allclose(one, other) and not np.allclose(one[0], one[1])


def test_a_flat_map_stays_flat() -> None:
    for drawn in (
        *random_maps(np.full((7, 7), 2, np.float32), 2, 0),
        *shuffled_maps(np.full((7, 7), 2, np.float32), 2, 0),
    ):
        assert np.allclose(drawn, 2)


def test_what_a_map_shares_with_another_is_taken_out_of_each_part(smooth) -> None:
    parts = [(slice(0, 14), slice(0, 14)), (slice(0, 14), slice(14, 28))]
    drawn = (smooth + np.random.default_rng(0).standard_normal(smooth.shape)).astype(np.float32)
    left = without(drawn, smooth, parts)
    for where in parts:
        assert np.corrcoef(drawn[where].ravel(), smooth[where].ravel())[0, 1] > 0.3
        assert abs(np.corrcoef(left[where].ravel(), smooth[where].ravel())[0, 1]) < 1e-5
        assert np.corrcoef(left[where].ravel(), drawn[where].ravel())[0, 1] > 0.3
    assert np.allclose(without(-drawn, smooth, parts), -left, atol=1e-5)
    assert np.isfinite(without(drawn, np.ones_like(smooth), parts)).all()

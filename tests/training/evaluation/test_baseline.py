"""The colour-only baseline: density by Beer and Lambert, thresholds against a search of all."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from skimage.color import rgb_from_hdx

from training.evaluation.baseline import dab_density, left_one_out, measured_baseline, thresholds


def stained(dab: float, haematoxylin: float = 0.0, white: float = 240.0, share: float = 0.1) -> np.ndarray:
    """A field on a tinted slide, a share of it with these densities along the unit vectors."""
    vectors = rgb_from_hdx[:2] / np.linalg.norm(rgb_from_hdx[:2], axis=1, keepdims=True)
    image = np.full((100, 100, 3), white)
    image[: int(100 * share)] = (white + 1) * 10 ** -(haematoxylin * vectors[0] + dab * vectors[1]) - 1
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("white", [180.0, 240.0])
@pytest.mark.parametrize("haematoxylin", [0.0, 0.4])
def test_density_is_that_of_the_dab_alone(white: float, haematoxylin: float) -> None:
    assert dab_density(stained(0.5, haematoxylin, white)) == pytest.approx(0.5, abs=0.02)


def test_haematoxylin_alone_is_no_dab() -> None:
    assert dab_density(stained(0.0, 0.6)) == pytest.approx(0, abs=0.01)


def cost_of(cuts: np.ndarray, density: np.ndarray, truth: np.ndarray) -> tuple[float, int]:
    said = np.searchsorted(cuts, density, side="right")
    return float(np.abs(said - truth).sum()), int((said != truth).sum())


@pytest.mark.parametrize("seed", range(6))
def test_thresholds_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 12)
    density = np.round(truth / 3 + rng.normal(0, 0.4, 12), 1)  # with ties
    found = cost_of(thresholds(density, truth), density, truth)
    every = np.concatenate([[-np.inf], np.unique(density) + 0.01, [np.inf]])
    assert found == min(cost_of(np.array(cuts), density, truth) for cuts in combinations_with_replacement(every, 3))


def test_a_field_does_not_choose_its_own_thresholds() -> None:
    density, truth = np.array([0.1, 0.2, 0.3, 0.9]), np.array([0, 0, 0, 3])
    assert thresholds(density, truth)[0] == pytest.approx(0.6)
    assert left_one_out(density, truth)[3] == 0  # the only 3+ is not there to learn from


def test_separable_colours_are_read_off() -> None:
    truth = np.repeat(np.arange(4), 5)
    found = measured_baseline(truth + np.linspace(0, 0.3, 20), truth, resamples=50)
    assert found.exact.value == 1
    assert found.kappa.value == 1


def test_too_little_is_said_in_words() -> None:
    few = measured_baseline(np.array([0.1]), np.array([2]))
    assert few.said is None
    assert "fewer" in few.note
    assert few.exact.value is None
    lacking = measured_baseline(np.array([0.1, np.nan] * 4), np.zeros(8, np.intp))
    assert "IHC" in lacking.note
    one_class = measured_baseline(np.arange(8.0), np.full(8, 2), resamples=20)
    assert one_class.exact.value == 1
    assert one_class.kappa.value is None

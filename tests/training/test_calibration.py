import numpy as np
import pytest
from scipy.stats import beta

from her2viewer.scoring.confidence import calibrated, prediction_set
from training.calibration import class_quantiles, conformal_quantile, fitted_calibration, fitted_temperature
from training.data.index import CLASSES


def fields(count: int, seed: int, shares: tuple[float, ...] = (0.25,) * 4) -> tuple[np.ndarray, np.ndarray]:
    """(logits, truth) of a reader that takes 1+ for 0 or 2+ quite often and 3+ hardly ever for anything."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, count, p=shares)
    spread = np.array([0.8, 1.3, 0.9, 0.3])[truth]
    seen = truth + rng.normal(0, spread)
    logits = -((np.arange(4) - seen[:, None]) ** 2)
    return logits.astype(np.float32), truth


def covered(
    calibration_of: tuple[np.ndarray, np.ndarray], on: tuple[np.ndarray, np.ndarray], *, by_class: bool
) -> np.ndarray:
    calibration = fitted_calibration(*calibration_of)
    conformal = calibration.conformal
    assert conformal is not None
    if not by_class:
        conformal = conformal.model_copy(update={"quantiles": ()})
    logits, truth = on
    rows = calibrated(logits, calibration.temperature).tolist()
    return np.array([CLASSES[t] in prediction_set(row, CLASSES, conformal) for row, t in zip(rows, truth, strict=True)])


def test_temperature_undoes_a_known_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 4))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in p])
    assert fitted_temperature((logits * 3).astype(np.float32), truth) == pytest.approx(3, rel=0.08)


def test_the_quantile_is_that_of_the_finite_sample() -> None:
    miss = np.random.default_rng(0).permutation(np.arange(1, 20) / 20)
    p = np.stack([1 - miss, miss], axis=1)
    truth = np.zeros(19, int)
    assert conformal_quantile(p, truth) == pytest.approx(18 / 20)  # ceil(20 * 0.9) = 18, not 19 by binary fractions
    assert conformal_quantile(p[:9], truth[:9]) == pytest.approx(max(miss[:9]))
    assert conformal_quantile(p[:8], truth[:8]) == 1.0  # no rank of 8 fields promises 90%
    assert conformal_quantile(p[:0], truth[:0]) == 1.0


def test_the_likeliest_class_is_in_and_counts_as_such() -> None:
    p = np.array([[0.4, 0.3, 0.3]] * 95 + [[0.3, 0.5, 0.2]] * 5)
    assert conformal_quantile(p, np.zeros(100, int)) == 0.0


def test_coverage_is_drawn_from_the_distribution_that_the_theory_gives() -> None:
    found = []
    for seed in range(300):
        p = np.random.default_rng(seed).random(100)
        both = np.stack([p, 1 - p], axis=1)
        found.append(conformal_quantile(both, np.zeros(100, int)))  # 1 - p is uniform: the quantile is the coverage
    expected = beta(91, 10)
    assert np.mean(found) == pytest.approx(expected.mean(), abs=4 * expected.std() / 300**0.5)
    assert np.std(found) == pytest.approx(expected.std(), rel=0.2)


def test_each_label_is_covered_by_itself_and_whatever_its_share() -> None:
    made_with = fields(8000, 0)
    # 1+ in abundance and hardly any 3+: another laboratory.
    elsewhere = fields(8000, 1, (0.1, 0.7, 0.15, 0.05))
    held = covered(made_with, elsewhere, by_class=True)
    for c in range(4):
        rows = elsewhere[1] == c
        # Adding the likeliest class can only help.
        assert held[rows].mean() > 0.9 - 4 * (0.09 / rows.sum()) ** 0.5 - 4 * (0.09 / 2000) ** 0.5
    assert held.mean() == pytest.approx(0.9, abs=0.02)
    assert covered(made_with, elsewhere, by_class=False).mean() < 0.88


def test_a_label_without_fields_is_in_every_set() -> None:
    logits, truth = fields(200, 0, (0.5, 0.5, 0, 0))
    assert class_quantiles(calibrated(logits, 1.0), truth)[2:] == (1.0, 1.0)

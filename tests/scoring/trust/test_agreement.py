import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from her2viewer.scoring.trust.agreement import correlation, rank_correlation, ranks


def test_equals_scipy_with_and_without_ties() -> None:
    rng = np.random.default_rng(0)
    for decimals in (0, 1, 6):
        one = np.round(rng.standard_normal((9, 14)), decimals).astype(np.float32)
        two = np.round(one + rng.standard_normal((9, 14)), decimals).astype(np.float32)
        assert correlation(one, two) == pytest.approx(pearsonr(one.ravel(), two.ravel())[0], abs=1e-6)
        assert rank_correlation(one, two) == pytest.approx(spearmanr(one.ravel(), two.ravel())[0], abs=1e-9)
        assert np.array_equal(ranks(one).ravel(), rankdata(one.ravel()) - 1)


def test_a_flat_map_is_like_nothing() -> None:
    some = np.random.default_rng(1).standard_normal((5, 5))
    for flat in (np.zeros((5, 5)), np.full((5, 5), 0.1, np.float32)):
        assert correlation(some, flat) == correlation(flat, flat) == rank_correlation(flat, some) == 0


def test_small_numbers_are_not_flat() -> None:
    some = np.random.default_rng(2).standard_normal((5, 5)) * 1e-9
    assert correlation(some, 3 * some) == pytest.approx(1)

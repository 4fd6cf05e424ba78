"""How alike two maps are."""

import numpy as np
from numpy.typing import NDArray


def correlation(one: NDArray[np.floating], two: NDArray[np.floating]) -> float:
    """Pearson's, -1 to 1, of two arrays of one shape; 0 where one of them is flat, which is like nothing."""
    a, b = (values.astype(np.float64).ravel() - values.mean(dtype=np.float64) for values in (one, two))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return (
        float(np.clip(a @ b / size, -1, 1))
        if size > 1e-12 * max(a.size, 1) * _magnitude(one) * _magnitude(two)
        else 0.0
    )


def rank_correlation(one: NDArray[np.floating], two: NDArray[np.floating]) -> float:
    """Spearman's, -1 to 1: Pearson's of the ranks, equal values sharing theirs. 0 where one of them is flat."""
    return correlation(ranks(one), ranks(two))


def ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each value's place among all, from 0, in the array's shape; equal values share the middle of their places."""
    _, which, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return np.asarray(middle[which].reshape(values.shape), np.float64)


def _magnitude(values: NDArray[np.floating]) -> float:
    return float(np.abs(values).max(initial=0.0))

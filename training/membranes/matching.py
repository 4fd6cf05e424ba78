"""Which found centre is which drawn nucleus, and which drawn cell: each at most once, the nearest pairs first."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_CANDIDATES = 4
"""Nearest drawn ones that a found one may be: within a nucleus' radius there are seldom two."""

Pairs = NDArray[np.intp]
"""(k, 2): rows of the found and of the drawn ones."""


def matched(found: NDArray[np.floating], drawn: NDArray[np.float64], reach: NDArray[np.float64]) -> Pairs:
    """Pairs of found (n, 2) and drawn (m, 2) centres that lie within `reach` (m,) of the drawn one."""
    if not len(found) or not len(drawn):
        return np.zeros((0, 2), np.intp)
    count = min(_CANDIDATES, len(drawn))
    distance, at = cKDTree(drawn).query(found, k=count)
    distance, at = distance.reshape(len(found), count), at.reshape(len(found), count)
    row, column = np.nonzero(distance <= reach[at])
    return _one_to_one(row, at[row, column], distance[row, column])


def matched_cells(found: NDArray[np.floating], cell_of: NDArray[np.uint16]) -> Pairs:
    """Pairs of found centres (n, 2) and numbers (from 0) of the drawn cells they lie in; of several in one, the middlemost."""
    height, width = cell_of.shape
    x = np.clip(found[:, 0].astype(np.intp), 0, width - 1)
    y = np.clip(found[:, 1].astype(np.intp), 0, height - 1)
    cell = cell_of[y, x].astype(np.intp)
    inside = np.flatnonzero(cell)
    area = np.maximum(np.bincount(cell_of.ravel()), 1)
    rows, columns = np.indices(cell_of.shape)
    middle_x, middle_y = (np.bincount(cell_of.ravel(), weights=at.ravel() + 0.5) / area for at in (columns, rows))
    away = np.hypot(found[inside, 0] - middle_x[cell[inside]], found[inside, 1] - middle_y[cell[inside]])
    return _one_to_one(inside, cell[inside] - 1, away)


def _one_to_one(found: NDArray[np.intp], drawn: NDArray[np.intp], distance: NDArray[np.float64]) -> Pairs:
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for at in np.argsort(distance, kind="stable"):
        one, other = int(found[at]), int(drawn[at])
        if one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            pairs.append((one, other))
    return np.array(pairs, np.intp).reshape(-1, 2)

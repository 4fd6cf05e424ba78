"""A thin-plate spline: the smoothest bending that brings points where they belong (Duchon 1977, Bookstein 1989).

OpenCV's own went to its contributed modules, and SciPy would be 35 MB more in the app for one linear system of some hundred
rows, which NumPy solves.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2viewer.imaging.affine import Points

_CHUNK: Final = 16_384
"""Points evaluated at a time: with 200 landmarks 26 MB."""
_STEPS: Final = 30
_NEAR_ENOUGH: Final = 1e-4
"""Pixels: where the way back has arrived."""


@dataclass(frozen=True, eq=False, slots=True)
class ThinPlate:
    """A bending of the plane. `centres`: (k, 2) px; `weights`: (k + 3, 2), of each centre and of 1, x, y; both read-only.

    Inside, lengths are in units of `extent` px about `middle`, which keeps the linear system well conditioned.
    """

    centres: Points
    weights: NDArray[np.float64]
    middle: tuple[float, float]
    extent: float

    def __post_init__(self) -> None:
        self.centres.setflags(write=False)
        self.weights.setflags(write=False)

    @classmethod
    def through(cls, points: ArrayLike, targets: ArrayLike, stiffness: float = 0.0) -> "ThinPlate":
        """The bending that takes points to targets, (k, 2) px each.

        stiffness: 0 passes through every target; more lets them be missed for less bending (Wahba 1990, lambda of the
        penalised fit with lengths in units of the points' extent). Raises ValueError for fewer than three points, two on
        one place, or all on one line.
        """
        places, ends = np.array(points, np.float64), np.asarray(targets, np.float64)
        if places.ndim != 2 or places.shape[1] != 2 or places.shape != ends.shape or len(places) < 3:
            raise ValueError(f"three pairs of points at least, got {places.shape} and {ends.shape}")
        middle = places.mean(axis=0)
        extent = float(np.abs(places - middle).max()) or 1.0
        unit = (places - middle) / extent
        count = len(unit)
        linear = np.column_stack([np.ones(count), unit])
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _kernel(unit, unit) + stiffness * count * np.eye(count)
        system[:count, count:] = linear
        system[count:, :count] = linear.T
        moves = np.vstack([ends - places, np.zeros((3, 2))])
        if np.linalg.matrix_rank(system) < count + 3:
            raise ValueError("points on one place, or all on one line")
        weights = np.asarray(np.linalg.solve(system, moves), np.float64)
        return cls(places, weights, (float(middle[0]), float(middle[1])), extent)

    def __call__(self, points: ArrayLike) -> Points:
        """(n, 2) px -> (n, 2) px float64."""
        places = np.asarray(points, np.float64)
        out = np.empty_like(places)
        for start in range(0, len(places), _CHUNK):
            part = places[start : start + _CHUNK]
            unit, centres = self._unit(part), self._unit(self.centres)
            basis = np.column_stack([_kernel(unit, centres), np.ones(len(unit)), unit])
            out[start : start + _CHUNK] = part + basis @ self.weights
        return out

    def jacobian(self, points: ArrayLike) -> NDArray[np.float64]:
        """(n, 2) px -> (n, 2, 2): how a small step there comes out, rows (x, y) of the result by columns (x, y)."""
        unit, centres = self._unit(np.asarray(points, np.float64)), self._unit(self.centres)
        away = unit[:, None] - centres[None]
        squared = (away**2).sum(axis=2)
        slope = away * (np.log(np.maximum(squared, 1e-300)) + 1)[..., None]  # of r^2 log r, by x and y
        count = len(centres)
        bend = np.einsum("nkj,ki->nij", slope, self.weights[:count])
        return np.asarray(np.eye(2) + (bend + self.weights[count + 1 :].T) / self.extent, np.float64)

    def inverse(self, points: ArrayLike) -> Points:
        """Where points came from, (n, 2) px -> (n, 2) px, by Newton's steps; exact to 1e-4 px where nothing folds over."""
        ends = np.asarray(points, np.float64)
        places = ends.copy()
        for _ in range(_STEPS):
            missing = ends - self(places)
            if not missing.size or np.abs(missing).max() < _NEAR_ENOUGH:
                break
            places += np.einsum("nij,nj->ni", np.linalg.pinv(self.jacobian(places)), missing)
        return places

    def _unit(self, points: Points) -> Points:
        return np.asarray((points - self.middle) / self.extent, np.float64)


def _kernel(one: Points, two: Points) -> NDArray[np.float64]:
    """(n, 2), (k, 2) -> (n, k): r^2 log r, half of r^2 log r^2."""
    squared = ((one[:, None] - two[None]) ** 2).sum(axis=2)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-300)), np.float64)

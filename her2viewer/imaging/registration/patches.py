"""How far small patches of the H&E, laid on the IHC, are from where the IHC shows the same."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.registration.plane import Features

REACH: Final = 8
"""A patch is looked for this many px around its place."""
_LEAST_TEXTURE: Final = 0.15
"""Spread, against that of the whole picture, below which a patch says nothing."""
LEAST_PEAK: Final = 0.1
"""Correlation below which a patch is found nowhere."""
_FEWEST_FOR_AFFINE: Final = 12


@dataclass(frozen=True, eq=False, slots=True)
class Shifts:
    """places: (n, 2) px, middles of the patches; shifts: (n, 2) px from there to where the IHC shows them; tried: how many
    patches held enough on both sides to be looked for (those found nowhere are not among the n)."""

    places: Points
    shifts: Points
    tried: int


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """An affine that many shifts agree on. agreeing: (n,) bool of those that do; correction: to apply after what was laid."""

    correction: Affine
    agreeing: NDArray[np.bool_]
    share: float
    """Of all patches tried."""


def measured(fixed: Features, moving: Features, laid: Affine, patch: int, step: int) -> Shifts:
    """Shifts of a grid of patches. fixed, moving: (2, h, w); laid: from px of moving to px of fixed; patch, step: px."""
    height, width = fixed.shape[1:]
    warped = [cv2.warpAffine(channel, laid.indices, (width, height)) for channel in moving]
    laid_out = np.stack(warped).astype(np.float32, copy=False)
    inside = cv2.warpAffine(np.ones(moving.shape[1:], np.uint8), laid.indices, (width, height))
    whole = bool(inside.all())
    places, shifts, tried = [], [], 0
    first = REACH + patch // 2
    for y in range(first, height - first + 1, step):
        for x in range(first, width - first + 1, step):
            top, left = y - patch // 2, x - patch // 2
            if not whole and inside[top : top + patch, left : left + patch].mean() < 0.95:
                continue
            around = slice(top - REACH, top + patch + REACH), slice(left - REACH, left + patch + REACH)
            here = slice(top, top + patch), slice(left, left + patch)
            peak = found(fixed[:, *around], laid_out[:, *here])
            if peak is None:
                continue
            tried += 1
            dx, dy, height_of_peak = peak
            if height_of_peak >= LEAST_PEAK:
                places.append((float(x), float(y)))
                shifts.append((dx, dy))
    return Shifts(np.array(places).reshape(-1, 2), np.array(shifts).reshape(-1, 2), tried)


def found(around: Features, patch: Features) -> tuple[float, float, float] | None:
    """Where a patch lies in its surroundings, (dx, dy) px from their middle to a fraction, and the correlation there.

    None where both channels of one of them hold nothing to go by.
    """
    maps = [
        cv2.matchTemplate(wide, narrow, cv2.TM_CCOEFF_NORMED)
        for wide, narrow in zip(around, patch, strict=True)
        if min(_spread(wide), _spread(narrow)) >= _LEAST_TEXTURE
    ]
    if not maps:
        return None
    correlation = np.asarray(sum(maps), np.float32) / len(patch)
    reach = correlation.shape[1] // 2
    row, column = divmod(int(correlation.argmax()), correlation.shape[1])
    dx = column + _vertex(correlation[row], column) - reach
    dy = row + _vertex(correlation[:, column], row) - reach
    return dx, dy, float(correlation[row, column])


def _spread(picture: NDArray[np.float32]) -> float:
    """The standard deviation, which NumPy takes four times as long for on pictures this small."""
    return float(cv2.meanStdDev(picture)[1][0, 0])


def _vertex(values: NDArray[np.floating], at: int) -> float:
    """How far from `at` the parabola through it and its two neighbours has its top."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, top, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def agreed(shifts: Shifts, tolerance: float, full: bool) -> Agreement | None:
    """The affine (full) or similarity that most shifts agree on within a tolerance, px (RANSAC); None for too few patches."""
    if len(shifts.places) < 6:
        return None
    # OpenCV 5 takes points for these as contiguous float32 alone.
    start = np.ascontiguousarray(shifts.places, np.float32)
    end = np.ascontiguousarray(shifts.places + shifts.shifts, np.float32)
    estimate = cv2.estimateAffine2D if full and len(start) >= _FEWEST_FOR_AFFINE else cv2.estimateAffinePartial2D
    matrix, inliers = estimate(start, end, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=2000)
    if matrix is None or not np.isfinite(matrix).all():
        return None
    agreeing = inliers.ravel().astype(bool)
    return Agreement(Affine.of(matrix), agreeing, float(agreeing.sum()) / shifts.tried)

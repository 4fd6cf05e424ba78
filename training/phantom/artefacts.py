"""What goes wrong on the way to the slide: folds, DAB where no antigen is, dirt."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.noise import Plane, grid, ramp, smooth

FOLD_RATE: Final = 0.05
"""How often a section of a field is folded; each section folds for itself."""


def fold(rng: np.random.Generator, side: int) -> Plane | None:
    """0..1 where a section lies double, along a wavy band; None for most sections."""
    if rng.random() > FOLD_RATE:
        return None
    angle, at, width = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * side, rng.uniform(7, 26)
    y, x = (axis - np.float32(side / 2) for axis in grid(side))
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    across = c * y - s * x - np.float32(at) + np.float32(28) * smooth(rng, side, 190) + 3 * smooth(rng, side, 30)
    # A fold thins out and ends.
    along = np.abs(c * x + s * y - np.float32(rng.uniform(-0.4, 0.4) * side)) / np.float32(
        rng.uniform(0.25, 1.2) * side
    )
    reach = np.float32(width) * np.clip(1.15 - along**2, 0, 1)
    return ramp(np.asarray(reach - np.abs(across), np.float32), -1.0, 2.5)


def folded(density: NDArray[np.float32], area: Plane) -> NDArray[np.float32]:
    """The density with two more layers of the tissue beside it on top, a little out of focus."""
    doubled = density + np.float32(0.8) * np.roll(density, (17, -29), (0, 1))
    doubled += np.float32(0.7) * np.roll(density, (-37, 11), (0, 1))
    doubled = cv2.GaussianBlur(doubled, (0, 0), 1.3)
    return np.asarray(density + area[..., None] * (doubled - density), np.float32)


def smeared(cover: Plane, area: Plane, angle: float) -> Plane:
    """Nuclei drawn out to streaks in crushed tissue. area: 0..1."""
    length = 21
    kernel = np.zeros((length, length), np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * (length // 2)
    middle = length // 2
    ends = [(round(middle + sign * step[0]), round(middle + sign * step[1])) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    kernel /= kernel.sum()
    streaks = np.clip(np.float32(2.0) * cv2.filter2D(cover, -1, kernel) - np.float32(0.35), 0, 1)
    return np.asarray(cover + area * (streaks - cover), np.float32)


def near(mask: NDArray[np.bool_], reach: float) -> Plane:
    """1 at the mask, falling off outside it: exp(-distance / reach)."""
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(cv2.exp(distance * np.float32(-1 / reach)), np.float32)


def pigment(rng: np.random.Generator, side: int) -> Plane | None:
    """A few dark specks of dirt or precipitate on some slides."""
    if rng.random() > 0.4:
        return None
    spots = np.zeros((side, side), np.float32)
    count = int(rng.integers(1, 8))
    y, x = rng.integers(8, side - 8, (2, count))
    for cy, cx, size in zip(y, x, rng.uniform(1, 4, count), strict=True):
        reach = 12
        gy, gx = np.mgrid[max(cy - reach, 0) : min(cy + reach, side), max(cx - reach, 0) : min(cx + reach, side)]
        spots[gy, gx] += np.exp(-(((gy - cy) ** 2 + (gx - cx) ** 2) / size**2)).astype(np.float32) * np.float32(1.2)
    return spots

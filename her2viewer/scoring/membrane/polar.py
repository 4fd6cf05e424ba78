"""Closed outlines round many centres at once: planes read along rays, and the cheapest closed path across them.

A path takes one radius a ray, neighbours at most one step apart, and costs least in sum: dynamic programming in polar
coordinates (Denzler & Niemann, "Active rays: polar-transformed active contours for real-time contour tracking", 1999). All
centres of a field are worked on together.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import Plane

RAYS: Final = 32
"""A cell of 6 um radius is looked at every 1.2 um; a gap of a tenth of its outline is three rays."""
_ANGLES: Final = (np.arange(RAYS) * (2 * np.pi / RAYS)).astype(np.float32)
_COS: Final = np.cos(_ANGLES)
_SIN: Final = np.sin(_ANGLES)

_AT_ONCE: Final = 8192
"""Centres in one call: OpenCV's remap takes no more than 32,767 rows."""

Centres = NDArray[np.float32]
"""(n, 2) float32: x, y in working pixels, pixel centres at +0.5."""
Rays = NDArray[np.float32]
"""(n, RAYS, k) float32: a value at each of k radii of each ray."""


def along_rays(plane: Plane, centres: Centres, radii: NDArray[np.float32]) -> Rays:
    """The plane read linearly along the rays, repeated beyond its border. radii: (k,) px. Returns (n, RAYS, k)."""
    read = np.empty((len(centres), RAYS, len(radii)), np.float32)
    for first in range(0, len(centres), _AT_ONCE):
        part = centres[first : first + _AT_ONCE]
        x, y = on_rays(part, np.broadcast_to(radii, (len(part), RAYS, len(radii))))
        flat = (len(part), RAYS * len(radii))
        read[first : first + _AT_ONCE] = cv2.remap(
            plane, x.reshape(flat) - 0.5, y.reshape(flat) - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).reshape(x.shape)
    return read


def on_rays(centres: Centres, radii: Rays) -> tuple[Rays, Rays]:
    """x and y of the points at `radii` (n, RAYS, k) of the rays round `centres`."""
    return (
        centres[:, 0, None, None] + radii * _COS[:, None],
        centres[:, 1, None, None] + radii * _SIN[:, None],
    )


def points(centres: Centres, radius: NDArray[np.float32]) -> NDArray[np.float32]:
    """The outlines with `radius` (n, RAYS): (n, RAYS, 2) float32, x and y."""
    x, y = on_rays(centres, radius[..., None])
    return np.concatenate([x, y], axis=-1)


def closed_paths(cost: Rays) -> NDArray[np.intp]:
    """The index of the radius that each ray takes: (n, RAYS), from costs (n, RAYS, k).

    The rays are gone round twice and the middle turn is kept, so that it closes wherever it began.
    """
    n, rays, k = cost.shape
    order = np.arange(-(rays // 2), rays + rays // 2) % rays
    total = cost[:, order[0]].copy()
    came = np.empty((len(order), n, k), np.int8)
    padded = np.full((n, k + 2), np.inf, np.float32)
    for at, ray in enumerate(order[1:], start=1):
        padded[:, 1:-1] = total
        best = padded[:, 1:-1].copy()
        step = np.zeros((n, k), np.int8)
        for move in (-1, 1):
            other = padded[:, 1 + move : k + 1 + move]
            better = other < best
            np.copyto(best, other, where=better)
            step[better] = move
        came[at] = step
        total = best + cost[:, ray]
    rows = np.arange(n)
    here = np.argmin(total, axis=1)
    path = np.empty((n, rays), np.intp)
    for at in range(len(order) - 1, rays // 2 - 1, -1):
        if at < rays // 2 + rays:
            path[:, order[at]] = here
        here = here + came[at, rows, here]
    return path


def areas(outlines: NDArray[np.float32]) -> NDArray[np.float32]:
    """px2 inside each outline (n, k, 2)."""
    x, y = outlines[..., 0], outlines[..., 1]
    twice = x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y
    return np.asarray(np.abs(twice.sum(axis=1)) / 2, np.float32)

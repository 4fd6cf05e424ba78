"""Smooth random fields: coarse grids of normal numbers, interpolated. The one source of irregularity in a phantom."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
"""(side, side) float32."""


@lru_cache(maxsize=4)
def grid(side: int) -> tuple[Plane, Plane]:
    """(y, x) of every pixel of a square field, 0 .. side - 1; read-only."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    y.flags.writeable = x.flags.writeable = False
    return y, x


def smooth(rng: np.random.Generator, side: int, scale: float, aspect: float = 1.0) -> Plane:
    """A field of about mean 0 and standard deviation 1 whose features are about `scale` pixels wide.

    aspect: how many times longer the features are along x than along y.
    """
    # Wide features need no fine grid: they are interpolated smoothly on one of every `k`-th pixel, then linearly.
    k = int(np.clip(min(scale, scale * aspect) / 6, 1, 12))
    n = -(-side // k) + 1
    step_x, step_y = scale * aspect / k, scale / k
    columns, rows = int(n / step_x) + 3, int(n / step_y) + 3
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    field = cv2.resize(coarse, (round(columns * step_x), round(rows * step_y)), interpolation=cv2.INTER_CUBIC)
    # The random cut hides where the grid's points lie. 0.78 is what cubic interpolation leaves of the deviation.
    x, y = int(rng.uniform(0, field.shape[1] - n)), int(rng.uniform(0, field.shape[0] - n))
    field = field[y : y + n, x : x + n] * np.float32(1 / 0.78)
    if k > 1:
        field = cv2.resize(field, (n * k, n * k), interpolation=cv2.INTER_LINEAR)
    return np.asarray(field[:side, :side], np.float32)


def fractal(rng: np.random.Generator, side: int, scale: float, octaves: int = 3, aspect: float = 1.0) -> Plane:
    """`smooth` at scale, scale / 2, ... with halving weights; standard deviation about 1."""
    field = smooth(rng, side, scale, aspect)
    weight, power = 1.0, 1.0
    for _ in range(octaves - 1):
        scale, weight = scale / 2, weight / 2
        field += np.float32(weight) * smooth(rng, side, scale, aspect)
        power += weight**2
    return np.asarray(field / np.float32(np.sqrt(power)), np.float32)


def twice(field: Plane) -> Plane:
    """A field drawn at half size, as large as it is meant: what is smooth over many pixels need not be worked out on each."""
    return np.asarray(cv2.resize(field, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.float32)


def above_share(field: Plane, share: float) -> NDArray[np.bool_]:
    """The highest `share` (0..1) of a field. Estimated on every eighth pixel a side."""
    if share <= 0:
        return np.zeros(field.shape, np.bool_)
    return np.asarray(field > np.quantile(field[::8, ::8], 1 - min(share, 1.0)), np.bool_)


def ramp(field: Plane, low: float, high: float) -> Plane:
    """0 below `low`, 1 above `high`, smooth in between (3t^2 - 2t^3)."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def sampled(tile: Plane, x: Plane, y: Plane) -> Plane:
    """A tile repeated over the plane, read at (x, y) in its own pixels, linearly."""
    return np.asarray(cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)

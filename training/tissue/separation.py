"""Which part of a real IHC image is counterstain and which is DAB, against the image's own background.

Optical density after Beer-Lambert, unmixed into two stains whose vectors are taken from the image itself where it shows them
(after Macenko et al. 2009) and from Ruifrok & Johnston 2001, as turned by `phantom.slide`, where it does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.phantom.noise import Plane
from training.phantom.slide import COUNTERSTAIN, DAB, Vector

_STAINED = 0.25
"""Density summed over R, G and B from where a pixel tells the direction of its stain."""
_ENOUGH = 400
"""Pixels of one stain below which its vector cannot be taken from the image."""


@dataclass(frozen=True, eq=False)
class Separated:
    """haematoxylin, dab: (h, w) amounts along unit vectors, not negative. rest: (h, w, 3) density that neither explains."""

    haematoxylin: Plane
    dab: Plane
    rest: NDArray[np.float32]
    haematoxylin_vector: Vector
    dab_vector: Vector


def background(image: NDArray[np.uint8]) -> Vector:
    """(3,) RGB of the empty slide: each channel's most frequent bright level. image: (h, w, 3) uint8 with some bare glass."""
    sample = image.reshape(-1, 3)[::17]
    bright = sample[sample.min(axis=1) >= np.percentile(sample.min(axis=1), 60)]
    return np.asarray([np.bincount(bright[:, c], minlength=256).argmax() for c in range(3)], np.float32)


def density_of(image: NDArray[np.uint8], white: Vector) -> NDArray[np.float32]:
    """log10 optical density per channel against the background; (h, w, 3) float32, slightly negative where it is brighter."""
    level = np.arange(256, dtype=np.float32)[:, None] + 1
    table = np.maximum(np.log10((white + 1) / level), -0.05).astype(np.float32)
    return np.stack([table[image[..., c], c] for c in range(3)], axis=-1)


def vectors_of(density: NDArray[np.float32]) -> tuple[Vector, Vector]:
    """The counterstain's and the DAB's vector of a whole image, each from its purest pixels. density: (h, w, 3)."""
    rows = density.reshape(-1, 3)[::7]
    rows = rows[rows.sum(axis=1) > _STAINED]
    lean = (rows[:, 2] - rows[:, 0]) / np.maximum(rows.sum(axis=1), 1e-6)
    return (
        _direction(rows[(lean < -0.02) & (lean > -0.4)], COUNTERSTAIN),
        _direction(rows[lean > 0.20], DAB),
    )


def _direction(rows: NDArray[np.float32], otherwise: tuple[float, float, float]) -> Vector:
    vector = np.asarray(otherwise, np.float32) if len(rows) < _ENOUGH else np.clip(np.median(rows, axis=0), 0.02, None)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def separate(density: NDArray[np.float32], haematoxylin: Vector, dab: Vector) -> Separated:
    """Non-negative least squares for two stains, in closed form: where one amount would be negative, the other fits alone."""
    overlap = float(haematoxylin @ dab)
    on_h, on_d = density @ haematoxylin, density @ dab
    scale = 1 / (1 - overlap**2)
    h, d = (on_h - overlap * on_d) * scale, (on_d - overlap * on_h) * scale
    h, d = np.where(d < 0, on_h, h), np.where(h < 0, on_d, d)
    blue, brown = (np.asarray(np.maximum(amount, 0), np.float32) for amount in (h, d))
    rest = density - blue[..., None] * haematoxylin - brown[..., None] * dab
    return Separated(blue, brown, np.asarray(rest, np.float32), haematoxylin, dab)

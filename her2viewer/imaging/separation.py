"""One dye of a picture: how much of it lies where, how it would look alone, and how with more or less of it.

Every pixel stands for itself, by tables that follow from the stain vectors: a tile comes out as the same part of the whole
picture does, to the bit, in any thread. A dye's amount is a sum of one term a channel, so the logarithm and the matrix are one
table of 256 rows; the colour back is one of 65,536.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_vectors import StainVectors, density_table

Component = Literal[0, 1, 2]
"""First dye, second dye, residual: the rows of `StainVectors.matrix`."""

RESIDUAL: Final = 2

_FINE: Final = 2**22
_SHADES: Final = 2**16 - 1
_SUM: Final = np.ones((1, 3), np.float32)


def concentration(image: RGBImage, vectors: StainVectors, which: Component) -> NDArray[np.float32]:
    """The amount of one dye, (h, w) float32, in log10 optical density along its vector; not negative.

    The residual has a sign: it is what is left of the density at right angles to both dyes. image: (h, w, 3) uint8 RGB.
    Raises ValueError for any other array.
    """
    pixels = _checked(image)
    terms = _terms(vectors, which, _FINE)
    steps = cv2.transform(cv2.LUT(pixels, terms.table), _SUM).reshape(pixels.shape[:2])
    amount = np.asarray(np.multiply(steps, np.float32(1 / terms.steps), out=steps), np.float32)
    return amount if which == RESIDUAL else np.maximum(amount, 0, out=amount)


def separated(image: RGBImage, vectors: StainVectors, which: Component) -> RGBImage:
    """The picture as it would look with one dye alone on its own background: (h, w, 3) uint8 RGB, the caller's own.

    The residual, which is no dye, is drawn in grey, as dark as its amount, whatever its sign. image: (h, w, 3) uint8 RGB. Raises
    ValueError for any other array.
    """
    pixels = _checked(image)
    shades = _shades(vectors, which)
    steps = cv2.transform(cv2.LUT(pixels, shades.terms), shades.sum).reshape(pixels.shape[:2])
    index = np.maximum(steps, 0, out=steps).astype(np.uint16)
    rgba = cv2.LUT(index, shades.colours).view(np.uint8).reshape(*index.shape, 4)
    return np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)


def remixed(image: RGBImage, vectors: StainVectors, which: Component, factor: float) -> RGBImage:
    """The picture with one dye made weaker or stronger by a factor, the rest as it is: (h, w, 3) uint8 RGB.

    Beer-Lambert: a pixel holds its dye's amount a times the vector v, so it becomes pixel * 10 ** -((factor - 1) a v); the
    other dye's amount, the residual and whatever holds no dye stay. 1 gives the very array that came in. A byte of 0
    counts as 1, as when densities are taken; what would be brighter than 255 is 255. image: (h, w, 3) uint8 RGB. Raises
    ValueError for any other array and for a factor below 0.
    """
    pixels = _checked(image)
    if not factor >= 0:
        raise ValueError(f"a dye cannot be {factor} times as strong")
    if factor == 1:
        return image
    shades = _shades(vectors, which)
    steps = cv2.transform(cv2.LUT(pixels, shades.terms), shades.sum).reshape(pixels.shape[:2])
    index = np.maximum(steps, 0, out=steps).astype(np.uint16)
    amount = np.arange(_SHADES + 1)[:, None] / shades.steps
    light = (10 ** (-(factor - 1) * amount * vectors.matrix[which])).astype(np.float32)
    return np.asarray(cv2.multiply(np.maximum(pixels, 1), light.take(index, axis=0), dtype=cv2.CV_8U), np.uint8)


def _checked(image: RGBImage) -> RGBImage:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"needs (h, w, 3) uint8, got {image.shape} {image.dtype}")
    return np.ascontiguousarray(image)


@dataclass(frozen=True, eq=False)
class _Terms:
    """table: (256, 1, 3) float32, what each byte of R, G and B adds to the amount, in steps of 1 / `steps`.

    Whole numbers, and few enough that their sum is exact in any order: a pixel's place in a row does not change it.
    """

    table: NDArray[np.float32]
    steps: float


@lru_cache(maxsize=32)
def _terms(vectors: StainVectors, which: Component, most: int) -> _Terms:
    """The steps are such that the largest sum of all is `most`."""
    terms = density_table(vectors.white) * np.linalg.inv(vectors.matrix)[:, which]
    steps = (most - 2) / float(np.abs(terms).max(axis=0).sum())
    return _Terms(np.rint(terms * steps).astype(np.float32).reshape(256, 1, 3), steps)


@dataclass(frozen=True, eq=False)
class _Shades:
    """terms, steps: as in _Terms. sum: (1, 4) float32, adds three terms and where zero lies. colours: (65536, 1) int32, RGBA."""

    terms: NDArray[np.float32]
    steps: float
    sum: NDArray[np.float32]
    colours: NDArray[np.int32]


@lru_cache(maxsize=32)
def _shades(vectors: StainVectors, which: Component) -> _Shades:
    signed = which == RESIDUAL
    zero = (_SHADES + 1) // 2 if signed else 0
    terms = _terms(vectors, which, _SHADES - zero)
    amount = (np.arange(_SHADES + 1) - zero) / terms.steps
    ink = np.full(3, 1 / np.sqrt(3)) if signed else vectors.matrix[which]
    colours = np.full((_SHADES + 1, 4), 255, np.uint8)
    colours[:, :3] = np.rint(vectors.white * 10 ** -(np.abs(amount)[:, None] * ink))
    return _Shades(terms.table, terms.steps, np.array([[1, 1, 1, zero]], np.float32), colours.view(np.int32))

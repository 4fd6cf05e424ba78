"""An image's own background and stain vectors (Macenko et al., "A method for normalizing histology slides", ISBI 2009).

Once an image, from an overview or a field, never from each tile: tiles would show their seams.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_vectors import (
    WHITE,
    Dyes,
    Origin,
    StainVectors,
    Vector,
    angle,
    density_table,
    ruifrok_johnston,
    unit,
)

_OVERVIEW: Final = 512
"""Longer side, px, of what the background is taken from: grain is averaged away."""
_DARKEST_WHITE: Final = 128
"""BCI's scans leave the empty slide at 168 to 254. What is darker than this is no empty slide."""
_SLIDE_SHARE: Final = 0.2
"""Share of pixels of one brightness from where they are an empty slide beside a scanner's padding."""
_SAMPLE: Final = 60_000
"""Means of blocks that vectors are taken from, about as many as there are in 1024 x 1024 px."""
_BLOCK: Final = 4
"""Side, px, of the blocks whose mean light tells a direction; less in small images. JPEG holds colour more coarsely than light:
single pixels beside a membrane have its colour without its darkness, and the fan of angles comes out too wide."""
_STAINED: Final = 0.065
"""Mean optical density from where a pixel tells a dye's direction: the authors' 0.15 in natural logarithms."""
_OPAQUE: Final = 1.2
"""Mean optical density above which little light is left to tell: folds, ink, pigment."""
_ENOUGH: Final = 500
"""Stained pixels below which a percentile of their angles is chance."""
_TAIL: Final = 1.0
"""Percent of angles beyond each vector: the authors' alpha."""


@dataclass(frozen=True)
class _Plausible:
    """Degrees. first, second: how far a dye's vector may lie from Ruifrok & Johnston's; between: of the two, least and most."""

    first: float
    second: float
    between: tuple[float, float]


_PLAUSIBLE: Final = {
    # Eosin as scanners record it lies 15 to 30 degrees from the table's.
    Dyes.HAEMATOXYLIN_EOSIN: _Plausible(18, 35, (12, 40)),
    # DAB lies within 4 to 14 degrees of it; in images without DAB the second direction came out at 16 to 21.
    Dyes.HAEMATOXYLIN_DAB: _Plausible(18, 15, (12, 50)),
}
"""Measured on 12 pairs and 5 IHC fields of breast, 14 cores of oesophagus and 5 other pictures."""


def white_of(overview: RGBImage) -> Vector:
    """(3,) float64 whole numbers: RGB of the empty slide, or of the lightest tissue where an image shows no empty slide.

    The median of what comes close to the brightest half percent, in the darkest of the three channels. A scanner's padding of
    pure white beside a darker slide does not count. 255 where nothing is as light as an empty slide.
    """
    height, width = overview.shape[:2]
    scale = min(1.0, _OVERVIEW / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = _shrunk(overview, size)
    bright = _brightest(pixels)
    scanned = pixels[(pixels < 255).any(axis=1)]
    if (bright == 255).all() and len(scanned) >= _SLIDE_SHARE * len(pixels):
        slide = _brightest(scanned)
        # A peak of its own, and a gap up to pure white: the one is the slide, the other padding.
        if len(slide) >= _SLIDE_SHARE * len(scanned) and np.percentile(slide.min(axis=1), 99) < 250:
            bright = slide
    white = np.rint(np.median(bright, axis=0))
    return np.asarray(white if white.min() >= _DARKEST_WHITE else WHITE, np.float64)


def _brightest(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    darkest = pixels.min(axis=1)
    return np.asarray(pixels[darkest >= 0.96 * np.percentile(darkest, 99.5)], np.uint8)


def _shrunk(image: RGBImage, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(n, 3) means of light over areas; size: (width, height) px, not larger than the image."""
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8).reshape(-1, 3)


def estimate_vectors(image: RGBImage, dyes: Dyes, white: ArrayLike | None = None) -> StainVectors:
    """Macenko's vectors of an image, or Ruifrok & Johnston's with a `note` that says why where it does not show both dyes.

    image: an overview or, better, a field at the resolution of cells: a strongly reduced overview mixes the dyes in every pixel,
    and their vectors move together. white: the background where it is known; else `white_of(image)`.
    """
    background = white_of(image) if white is None else np.clip(np.asarray(white, np.float64), 1, 255)
    rows = _stained(image, background)
    if len(rows) < _ENOUGH:
        return ruifrok_johnston(dyes, background, "Too little stained tissue to estimate stain vectors from.")
    first, second = _told_apart(_extremes(rows), dyes)
    if missing := _missing(first, second, dyes):
        return ruifrok_johnston(dyes, background, f"The image does not show {missing} clearly enough to estimate from.")
    return StainVectors.of(dyes, first, second, Origin.MACENKO, background)


def usual_vectors(image: RGBImage, dyes: Dyes, white: ArrayLike | None = None) -> StainVectors:
    """What a viewer shows unless it is told otherwise: H&E by the image's own vectors, DAB by Ruifrok & Johnston's.

    Their eosin is not the one that scanners record, and what it leaves of collagen is called haematoxylin. DAB has no one
    direction: where it is thin it is yellow, where it is thick nearly black. Macenko's vector is the yellow end, and what that
    leaves of each membrane is called haematoxylin: 0.18 to 0.51 of the DAB's amount in the brownest twentieth of seven real
    images, against 0.04 to 0.46 by the table's vectors, which are better in six of them.
    """
    if dyes is Dyes.HAEMATOXYLIN_EOSIN:
        return estimate_vectors(image, dyes, white)
    return ruifrok_johnston(dyes, white_of(image) if white is None else white)


def _stained(image: RGBImage, white: Vector) -> NDArray[np.float64]:
    """(n, 3) optical densities of a sample of the stained pixels."""
    height, width = image.shape[:2]
    block = int(np.clip(round((height * width / _SAMPLE) ** 0.5), 1, _BLOCK))
    size = max(1, width // block), max(1, height // block)
    means = _shrunk(image, size)
    sample = means[:: max(1, len(means) // _SAMPLE)]
    density = density_table(white)[sample, np.arange(3)]
    mean = density.mean(axis=1)
    return np.asarray(density[(mean > _STAINED) & (mean < _OPAQUE)], np.float64)


def _extremes(rows: NDArray[np.float64]) -> tuple[Vector, Vector]:
    """The two ends of the fan that densities make in their best plane through the origin."""
    _, axes = np.linalg.eigh(rows.T @ rows)
    plane = axes[:, [2, 1]]
    plane[:, 0] *= np.sign(plane[:, 0].sum())
    along, across = (rows @ plane).T
    ends = np.radians(np.percentile(np.degrees(np.arctan2(across, along)), [_TAIL, 100 - _TAIL]))
    one, two = (np.clip(plane @ (np.cos(end), np.sin(end)), 0, None) for end in ends)
    return unit(one), unit(two)


def _told_apart(vectors: tuple[Vector, Vector], dyes: Dyes) -> tuple[Vector, Vector]:
    """In the order of the dyes: the one that lies closer to the table's vectors."""
    first, second = ruifrok_johnston(dyes).matrix[:2]
    one, two = vectors
    as_they_are = angle(one, first) + angle(two, second)
    return (one, two) if as_they_are <= angle(two, first) + angle(one, second) else (two, one)


def _missing(first: Vector, second: Vector, dyes: Dyes) -> str:
    """What the vectors do not show, in words; empty where both look like their dyes."""
    limits = _PLAUSIBLE[dyes]
    table = ruifrok_johnston(dyes).matrix
    absent = [
        name
        for name, vector, usual, most in zip(
            dyes.value, (first, second), table, (limits.first, limits.second), strict=False
        )
        if angle(vector, usual) > most
    ]
    least, most = limits.between
    if not absent and not least <= angle(first, second) <= most:
        absent = list(dyes.value)
    return " and ".join(absent)

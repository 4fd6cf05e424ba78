"""Other stains, made of an H&E or IHC field: the dyes separated (Ruifrok and Johnston 2001) and others put in their place."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.separation import concentration
from her2viewer.imaging.stain_vectors import ruifrok_johnston, unit
from her2viewer.scoring.stains import Stain
from tests.guard.pictures import Picture

_IRON_HAEMATOXYLIN: Final = (0.65, 0.62, 0.44)
_FUCHSIN: Final = (0.10, 0.80, 0.58)
_ANILINE_BLUE: Final = (0.85, 0.50, 0.15)
_LIGHT_GREEN: Final = (0.82, 0.22, 0.52)
_HAEMATOXYLIN: Final = (0.65, 0.70, 0.29)
_SCHIFF: Final = (0.175, 0.972, 0.155)


def _amounts(image: Picture, stain: Stain) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    white = np.percentile(image[::8, ::8].reshape(-1, 3), 98, axis=0)
    vectors = ruifrok_johnston(stain.dyes, white)
    return concentration(image, vectors, 0), concentration(image, vectors, 1)


def _mixed(*parts: tuple[NDArray[np.float32], tuple[float, float, float]], white: float = 240) -> Picture:
    density = sum(amount[..., None] * unit(vector) for amount, vector in parts)
    return np.clip(white * 10 ** -np.asarray(density), 0, 255).astype(np.uint8)


def masson(image: Picture, stain: Stain, rng: np.random.Generator) -> Picture:
    """Trichrome: dark nuclei, red cytoplasm, blue or green collagen where the second dye is spread evenly."""
    nuclei, other = _amounts(image, stain)
    even = cv2.GaussianBlur(other, (0, 0), 12)
    collagen = 1 / (1 + np.exp(-((np.median(even) - even) / (even.std() + 1e-3) * 3)))
    blue = _ANILINE_BLUE if rng.random() < 0.6 else _LIGHT_GREEN
    strong = np.float32(rng.uniform(0.9, 1.5))
    matter = other + np.float32(0.35) * nuclei
    return _mixed(
        (nuclei, _IRON_HAEMATOXYLIN), (strong * matter * (1 - collagen), _FUCHSIN), (strong * matter * collagen, blue)
    )


def periodic_acid_schiff(image: Picture, stain: Stain, rng: np.random.Generator) -> Picture:
    """Magenta where the second dye is strongest, blue nuclei, all else pale."""
    nuclei, other = _amounts(image, stain)
    strongest = np.clip(other - np.quantile(other[::8, ::8], rng.uniform(0.3, 0.7)), 0, None)
    return _mixed((nuclei * np.float32(0.8), _HAEMATOXYLIN), (strongest * np.float32(rng.uniform(1, 2)), _SCHIFF))


def fluorescence(image: Picture, stain: Stain, rng: np.random.Generator) -> Picture:
    """Blue nuclei and a green or red marker on black."""
    nuclei, other = _amounts(image, stain)
    marker = np.array([0.1, 1, 0.15] if rng.random() < 0.5 else [1, 0.1, 0.1])
    light = nuclei[..., None] * np.array([0.1, 0.2, 1]) + other[..., None] * marker
    return np.clip(light / np.quantile(light[::8, ::8].max(axis=2), 0.98) * 220 + 6, 0, 255).astype(np.uint8)

"""What a pathologist would call the same field: other orientation, slide, scanner and a section cut a little beside.

Geometry is the same for both stains but for a shift of a few pixels (serial sections); colour is drawn for each stain alone.
Stain strength varies in optical density (Tellez et al. 2018), the H&E widely, the IHC little, since its strength is the label.
The background tint is drawn freely: it goes with the slide, and a network that learns it has learned the slide.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.recipes.recipe import Augmentation

Square = NDArray[np.uint8]


def augmented(
    field: NDArray[np.uint8], stranger: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator
) -> tuple[Square, Square]:
    """One draw. field: (2, side, side, 3) uint8; stranger: another field, whose H&E may stand in (`he_dropout`).

    Returns (H&E, IHC), each (side, side, 3) uint8. With `he_dropout` the H&E is now and then another slide's, so that the
    network does not lean on it: HER2 is not to be read off H&E colours.
    """
    he, ihc = field
    if rng.random() < how.he_dropout:
        he = stranger[0]
    turns, flip = (int(rng.integers(4)), bool(rng.integers(2))) if how.orientation else (0, False)
    zoom = float(np.exp(rng.uniform(-how.zoom, how.zoom)))
    centre = rng.uniform(-0.5, 0.5, 2) * max(zoom - 1, 0)
    out = []
    for image, strength in ((he, how.he_strength), (ihc, how.ihc_strength)):
        image = np.rot90(image, turns)
        image = image[:, ::-1] if flip else image
        image = _moved(np.ascontiguousarray(image), zoom, centre + rng.uniform(-how.shift, how.shift, 2))
        image = _restained(image, strength, how.hue, how.tint, rng)
        out.append(_captured(image, how.blur, how.noise, rng))
    return out[0], out[1]


def _moved(image: Square, zoom: float, offset: NDArray[np.float64]) -> Square:
    side = image.shape[0]
    if zoom == 1 and not offset.any():
        return image
    shift = (1 - zoom) * (side - 1) / 2 + offset * side
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.uint8)


def _restained(image: Square, strength: float, hue: float, tint: float, rng: np.random.Generator) -> Square:
    """Beer-Lambert: intensity = white * 10^-density; strength scales the density, hue each channel's, tint the white."""
    if not (strength or hue or tint):
        return image
    white = np.percentile(image.reshape(-1, 3)[::7], 98, axis=0) + 1
    factor = np.exp(rng.uniform(-strength, strength)) * np.exp(rng.uniform(-hue, hue, 3))
    grey = rng.uniform(170, 255) * np.exp(rng.uniform(-0.04, 0.04, 3))
    new_white = white + rng.uniform(0, min(4 * tint, 1)) * (grey - white)
    level = np.arange(256, dtype=np.float64)[:, None]
    table = new_white * np.minimum((level + 1) / white, 1.05) ** factor
    return np.asarray(cv2.LUT(image, np.clip(table, 0, 255).astype(np.uint8)[:, None, :]), np.uint8)


def _captured(image: Square, blur: float, noise: float, rng: np.random.Generator) -> Square:
    sigma = rng.uniform(0, blur)
    if sigma > 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    if noise:
        grain = rng.normal(0, rng.uniform(0, noise), image.shape[:2])[..., None]
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    return image

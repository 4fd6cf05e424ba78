"""What a pathologist would call the same field: other orientation, slide, scanner, and a section cut a little beside.

Geometry is the same for both stains but for a small shift (serial sections); colour is each stain's own, in optical density
(Beer-Lambert; Tellez et al. 2018): the H&E varies widely, the DAB little, since its strength is the label. All draws come from
one numpy generator, so that the field of a place in an epoch is the same in any process.

OpenCV does it, not torchvision's transforms v2: the same steps take v2 about three times as long on one core (a row of
`python -m tests.benchmarks training`), and drawing beside the network would then hold up each step on a CPU.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.preprocess import InputLayout, shrunk
from her2viewer.scoring.stains import Stain
from training.recipes.recipe import Augmentation

Square = NDArray[np.uint8]
STAINS = (Stain.HE, Stain.IHC)

# Unit vectors of counterstain, DAB and what is left, as rows: the amounts that the IHC's colours are taken apart into.
_COUNTERSTAIN, _DAB = (np.array(v) / np.linalg.norm(v) for v in ((0.64, 0.63, 0.44), (0.29, 0.52, 0.80)))
_REST = np.cross(_COUNTERSTAIN, _DAB) / np.linalg.norm(np.cross(_COUNTERSTAIN, _DAB))
_MIX = np.stack([_COUNTERSTAIN, _DAB, _REST])
_UNMIX = np.linalg.inv(_MIX)
_DENSITY = -np.log10((np.arange(256) + 1) / 256)
_PAD = 0.15
"""Of a side, mirrored round the field before a window is cut from it."""


def augmented(
    field: Mapping[Stain, Square],
    stranger: Mapping[Stain, Square],
    how: Augmentation,
    layout: InputLayout,
    sizes: Mapping[Stain, tuple[int, int]],
    rng: np.random.Generator,
) -> dict[Stain, Square]:
    """One draw of a field at the sizes that networks want it.

    field: (side, side, 3) uint8 RGB per stain; stranger: another field, whose H&E may stand in (`he_dropout`); layout: whose
    optional stains may be left out (`stain_dropout`); sizes: (width, height) per stain. Returns (height, width, 3) uint8 per
    stain.
    """
    images = dict(field)
    if rng.random() < how.he_dropout and Stain.HE in stranger and Stain.HE in images:
        images[Stain.HE] = stranger[Stain.HE]
    if rng.random() < how.stain_dropout and layout.optional and len(images) > 1:
        images.pop(layout.optional[int(rng.integers(len(layout.optional)))], None)
    window = _Window(how, rng)
    # Each stain has draws of its own, so that leaving one out changes nothing for the other.
    own = {stain: np.random.default_rng(rng.integers(1 << 62)) for stain in STAINS}
    out = {}
    for stain, size in sizes.items():
        if stain in images:
            cut = window.cut(images[stain], how.shift, size, own[stain])
            out[stain] = _captured(_restained(cut, stain, how, own[stain]), how, own[stain])
    return out


class _Window:
    """One draw of orientation and zoom, for both stains."""

    def __init__(self, how: Augmentation, rng: np.random.Generator) -> None:
        self._turns, self._flip = (int(rng.integers(4)), bool(rng.integers(2))) if how.orientation else (0, False)
        self._zoom = float(np.exp(rng.uniform(-how.zoom, how.zoom)))
        self._centre = rng.uniform(-0.5, 0.5, 2) * (1 - 1 / self._zoom)

    def cut(self, image: Square, shift: float, size: tuple[int, int], rng: np.random.Generator) -> Square:
        """The window's part of a stain, `shift` beside, shrunk to (width, height)."""
        side = image.shape[0]
        picture = np.rot90(image, self._turns)
        picture = np.ascontiguousarray(picture[:, ::-1] if self._flip else picture)
        pad = int(_PAD * side) if self._zoom != 1 or shift else 0
        if pad:
            picture = np.asarray(cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REFLECT_101), np.uint8)
        reach = round(min(side / self._zoom, side + 2 * pad))
        y, x = side / 2 + pad + (self._centre + rng.uniform(-shift, shift, 2)) * side - reach / 2
        top, left = (int(np.clip(round(float(v)), 0, side + 2 * pad - reach)) for v in (y, x))
        return shrunk(picture[top : top + reach, left : left + reach], *size)


def _restained(image: Square, stain: Stain, how: Augmentation, rng: np.random.Generator) -> Square:
    """Another laboratory's stain on another slide's glass: intensity = white * 10^-density."""
    if stain is Stain.HE:
        amounts = np.exp(rng.uniform(-how.he_strength, how.he_strength)) * np.ones(3)
        mixing = np.diag(amounts)
    else:
        amounts = np.array([_factor(how.counterstain, rng), _factor(how.ihc_strength, rng), 1.0])
        vectors = _MIX + np.concatenate([rng.normal(0, how.vectors, (2, 3)), np.zeros((1, 3))])
        mixing = _UNMIX @ (amounts[:, None] * vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    mixing = mixing * np.exp(rng.uniform(-how.hue, how.hue, 3))
    grey = rng.uniform(170, 255) * np.exp(rng.uniform(-0.04, 0.04, 3))
    towards = min(4 * how.tint, 1.0) * rng.uniform()
    if np.allclose(mixing, np.eye(3)) and not towards:
        return image
    white = background(image)
    table = (_DENSITY[:, None] - _DENSITY[white.astype(np.intp)]).astype(np.float32)
    density = cv2.transform(cv2.LUT(image, table[:, None, :]), np.ascontiguousarray(mixing.T))
    light = cv2.exp(density * np.float32(-np.log(10))) * (white + towards * (grey - white)).astype(np.float32)
    return np.asarray(np.clip(light, 0, 255), np.uint8)


def _factor(extent: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(-extent, extent)))


def background(image: Square) -> NDArray[np.float64]:
    """(3,) the 98th percentile of each channel on every fifth pixel: the slide's white where some glass shows."""
    sample = image.reshape(-1, 3)[::5]
    place = int(0.98 * (len(sample) - 1))
    return np.asarray(np.partition(sample, place, axis=0)[place], np.float64)


def _captured(image: Square, how: Augmentation, rng: np.random.Generator) -> Square:
    """Another scanner: a little out of focus, grain, a recompressed file."""
    sigma, grain, quality = rng.uniform(0, how.blur), rng.uniform(0, how.noise), int(rng.integers(40, 96))
    recompressed = rng.random() < how.jpeg
    if sigma > 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    if how.noise:
        noise = rng.standard_normal(image.shape[:2], dtype=np.float32)[..., None] * np.float32(grain)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if recompressed:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image


def cell_sizes(layouts: Sequence[InputLayout]) -> dict[Stain, tuple[int, int]]:
    """(width, height) at which each stain is drawn for networks of several layouts: the largest that any of them takes."""
    sizes: dict[Stain, tuple[int, int]] = {}
    for layout in layouts:
        for stain in layout.order:
            cell, (width, height) = layout.cell(stain), sizes.get(stain, (0, 0))
            sizes[stain] = (max(cell.width, width), max(cell.height, height))
    return sizes

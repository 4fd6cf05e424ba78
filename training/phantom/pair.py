"""One phantom pair from a seed and a number: geometry, cells, HER2, two stains, two scans."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.rule import CLASSES
from training.phantom.architecture import Tissue, draw_tissue
from training.phantom.artefacts import fold, folded
from training.phantom.cells import Cells, draw_cells
from training.phantom.expression import Expression, express
from training.phantom.noise import Plane, grid, smooth, twice
from training.phantom.optics import Rgb, captured
from training.phantom.slide import Slide, draw_slide
from training.phantom.staining import lay_ground, stain_he, stain_ihc

SIDE: Final = 1024
MPP: Final = 0.46
"""Micrometres per pixel that the sizes are meant for: BCI's scans."""
FEWEST_CELLS: Final = 60
"""Invasive tumour cells that a field needs before a share of a tenth means anything."""
SPARSE_RATE: Final = 0.07
SPARSE_CELLS: Final = 30
"""Some fields hold little invasive tumour."""


@dataclass(frozen=True, eq=False)
class Phantom:
    """A pair and all that is known of it. Truth (cells, expression, dab) is in the frame of the IHC image.

    he_cells: the same cells with the nuclei that the H&E's section shows, before `shift`. shift: (side, side, 2) float32,
    (x, y) px from an IHC pixel to the same tissue in the H&E image. folds: 0..1 in the H&E and the IHC section, or None.
    """

    seed: int
    index: int
    he: Rgb
    ihc: Rgb
    slide: Slide
    tissue: Tissue
    cells: Cells
    he_cells: Cells
    expression: Expression
    dab: Plane
    shift: NDArray[np.float32]
    folds: tuple[Plane | None, Plane | None]

    @property
    def label(self) -> str:
        return self.expression.label


def make_phantom(seed: int, index: int, side: int = SIDE) -> Phantom:
    """The `index`-th pair of a seed, the same at every call and on its own. Images are (side, side, 3) uint8 RGB."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, index]))
    target = CLASSES[(index + _turn(seed, index // 4)) % 4]
    slide = draw_slide(rng)
    fewest, least = (SPARSE_CELLS, 0.006) if rng.random() < SPARSE_RATE else (FEWEST_CELLS, 0.05)
    while True:
        tissue = draw_tissue(rng, side, sparse=fewest == SPARSE_CELLS)
        if tissue.tumour.mean() < least:
            continue
        cells, he_cells = draw_cells(rng, tissue, slide.apart)
        if cells.invasive.sum() >= fewest * (side / SIDE) ** 2:
            break
    expression = express(rng, cells, target, slide.blush)
    ground = lay_ground(rng, slide, tissue, cells)
    density_he = stain_he(rng, slide, he_cells, ground)
    density_ihc, dab = stain_ihc(rng, slide, cells, ground, expression)
    folds = fold(rng, side), fold(rng, side)
    shift = _misregistration(rng, side, slide.apart)
    density_he = moved(density_he, shift)
    densities = [
        density if area is None else folded(density, area)
        for density, area in zip((density_he, density_ihc), folds, strict=True)
    ]
    he = captured(densities[0], slide.he, rng)
    ihc = captured(densities[1], slide.ihc, rng)
    return Phantom(seed, index, he, ihc, slide, tissue, cells, he_cells, expression, dab, shift, folds)


def _turn(seed: int, block: int) -> int:
    """Every four pairs in a row aim at all four classes, in an order that changes."""
    return int(np.random.SeedSequence([seed, block, 4]).generate_state(1)[0] % 4)


def _misregistration(rng: np.random.Generator, side: int, apart: float) -> NDArray[np.float32]:
    """A few pixels of shift, a fraction of a degree, and a gentle bend; sections `apart` um from each other differ in detail."""
    half = side // 2
    y, x = (2 * axis - np.float32(half) for axis in grid(half))
    angle, stretch = rng.normal(0, 0.002), rng.normal(0, 0.001)
    dx = stretch * x - angle * y + rng.normal(0, 1.5) + np.float32(rng.uniform(0, 1.5)) * smooth(rng, half, 110)
    dy = angle * x + stretch * y + rng.normal(0, 1.5) + np.float32(rng.uniform(0, 1.5)) * smooth(rng, half, 110)
    if apart:
        dx, dy = (d + np.float32(0.16 * apart) * smooth(rng, half, 24) for d in (dx, dy))
    return np.stack([twice(np.asarray(d, np.float32)) for d in (dx, dy)], axis=-1)


def moved(picture: NDArray[np.float32], shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture of the IHC's frame as it lies in the H&E's. A gentle shift is its own inverse but for its second order."""
    side = picture.shape[0]
    y, x = grid(side)
    at = x - shift[..., 0], y - shift[..., 1]
    return np.asarray(cv2.remap(picture, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32)

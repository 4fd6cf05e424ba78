"""One real field stained anew: its DAB taken off the cells, laid on again by the ASCO/CAP rule, and an H&E rendered for it.

The tissue, its nuclei, its texture and its unspecific brown stay real; which membranes carry how much DAB is drawn by
`phantom.expression`, and the label follows from what was drawn, as for a phantom.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.cells import Cells
from training.phantom.expression import Expression, express
from training.phantom.noise import Plane
from training.phantom.optics import Rgb, captured
from training.phantom.slide import Slide, draw_slide
from training.phantom.staining import Ground, stain_he
from training.tissue.cells import find_cells
from training.tissue.separation import Separated

FEWEST_CELLS = 40
"""Tumour cells below which a share of a tenth means nothing."""


@dataclass(frozen=True, eq=False)
class Restained:
    """A pair of scans of one tissue, (side, side, 3) uint8 RGB each, with the label of what was drawn on it."""

    he: Rgb
    ihc: Rgb
    label: str


def as_it_is(rng: np.random.Generator, stains: Separated) -> tuple[Rgb, Rgb]:
    """(H&E, IHC): the real DAB left alone, on another slide's white, with the H&E rendered."""
    slide = draw_slide(rng)
    cells = find_cells(rng, stains)
    density = _mixed(stains, slide, stains.dab, keep_vectors=True, strength=1.0)
    return _he(rng, slide, cells, stains), captured(density, slide.ihc, rng)


def restained(rng: np.random.Generator, stains: Separated, target: str) -> Restained | None:
    """A field with HER2 drawn anew, aiming at a class; None where too few cells were found to stain."""
    slide = draw_slide(rng)
    cells = find_cells(rng, stains)
    if len(cells.tumour) < FEWEST_CELLS:
        return None
    expression = express(rng, cells, target, slide.blush)
    if not expression.visible.sum() >= FEWEST_CELLS:
        return None
    dab = _dab(rng, slide, stains, cells, expression)
    density = _mixed(stains, slide, dab, keep_vectors=False, strength=slide.counter_strength)
    return Restained(_he(rng, slide, cells, stains), captured(density, slide.ihc, rng), expression.label)


def _dab(rng: np.random.Generator, slide: Slide, stains: Separated, cells: Cells, expression: Expression) -> Plane:
    """The brown of the restained field: what lies between membranes stays, but for the blush that came with them."""
    between = cv2.GaussianBlur(cv2.erode(stains.dab, np.ones((7, 7), np.uint8)), (0, 0), 3)
    on_tumour = cv2.GaussianBlur((cells.tumour_id > 0).astype(np.float32), (0, 0), 5)
    unspecific = np.minimum(between, np.float32(rng.uniform(0.01, 0.06))) + (stains.dab - between) * (
        np.float32(0.3) * (stains.dab < 0.12)
    )
    membrane = expression.membrane
    if rng.random() < 0.7:
        membrane = _along_the_real_ones(stains, cells, expression)
    blush = expression.blush * (1 - np.float32(0.35) * cells.nucleus)
    drawn = np.float32(slide.dab_strength) * (membrane + blush)
    return np.asarray(unspecific * (1 - np.float32(0.5) * on_tumour) + drawn, np.float32)


def _along_the_real_ones(stains: Separated, cells: Cells, expression: Expression) -> Plane:
    """The drawn membranes, but with the real ones' profile in cells that show theirs: made weaker, stronger or thinned."""
    brown = cv2.GaussianBlur(stains.dab, (0, 0), 0.8)
    at = np.flatnonzero(cells.tumour_id.ravel())
    whose = cells.tumour_id.ravel()[at] - 1
    # A cell's own level: the mean of the browner part of its pixels, in one pass over the picture.
    n = len(cells.tumour)
    mean = np.bincount(whose, brown.ravel()[at], n) / np.maximum(np.bincount(whose, minlength=n), 1)
    upper = brown.ravel()[at] > mean[whose]
    level = np.bincount(whose[upper], brown.ravel()[at][upper], n) / np.maximum(
        np.bincount(whose[upper], minlength=n), 1
    )
    shown = np.zeros(len(cells.kind), np.float32)
    shown[cells.tumour] = np.clip((level - 0.10) / 0.08, 0, 1)
    levels, drawn = np.ones(len(cells.kind), np.float32), np.zeros(len(cells.kind), np.float32)
    levels[cells.tumour] = np.maximum(level, 0.05)
    drawn[cells.tumour] = expression.intensity * (expression.completeness > 0.05)
    amount = cells.per_pixel(drawn)
    profile = np.clip((brown / cells.per_pixel(levels) - 0.35) / 0.65, 0, 1.8)
    covered = np.clip(cv2.dilate(expression.membrane, np.ones((9, 9), np.uint8)) / np.maximum(0.6 * amount, 1e-3), 0, 1)
    real = profile * amount * covered * (cells.tumour_id > 0)
    share = cells.per_pixel(shown)
    return np.asarray(share * real + (1 - share) * expression.membrane, np.float32)


def _mixed(stains: Separated, slide: Slide, dab: Plane, *, keep_vectors: bool, strength: float) -> NDArray[np.float32]:
    """(side, side, 3) density: counterstain, DAB and what neither explained."""
    h_vector = stains.haematoxylin_vector if keep_vectors else slide.counterstain
    d_vector = stains.dab_vector if keep_vectors else slide.dab
    density = (
        (stains.haematoxylin * np.float32(strength))[..., None] * h_vector + dab[..., None] * d_vector + stains.rest
    )
    return np.asarray(np.maximum(density, 0), np.float32)


def _he(rng: np.random.Generator, slide: Slide, cells: Cells, stains: Separated) -> Rgb:
    """An H&E of the same nuclei: eosin lies where the tissue is that the counterstain and the rest of the density show."""
    side = stains.dab.shape[0]
    matter = stains.haematoxylin + np.float32(0.5) * stains.dab + np.maximum(stains.rest.mean(axis=2), 0)
    fine = cv2.GaussianBlur(matter, (0, 0), 1.5)
    presence = np.clip(fine / max(float(np.quantile(fine, 0.7)), 0.03), 0, 1.6)
    tumour = cv2.GaussianBlur((cells.tumour_id > 0).astype(np.float32), (0, 0), 2)
    nothing = np.zeros((side, side), np.float32)
    ground = Ground(
        cytoplasm=np.asarray(tumour * (np.float32(0.4) + np.float32(0.6) * presence), np.float32),
        matrix=np.asarray((1 - tumour) * presence, np.float32),
        empty=np.asarray(np.clip(1 - presence, 0, 1), np.float32),
        debris=nothing,
        blood=nothing,
        thickness=np.ones((side, side), np.float32),
    )
    return captured(stain_he(rng, slide, cells, ground), slide.he, rng)

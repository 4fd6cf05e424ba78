"""How much of which dye lies where, and the optical density that follows.

Beer-Lambert: the density of a mixture is the sum of each dye's amount times its stain vector (Ruifrok & Johnston 2001).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.phantom.architecture import Tissue
from training.phantom.cells import Cells, Kind
from training.phantom.expression import Expression
from training.phantom.noise import Plane, fractal, smooth
from training.phantom.slide import Slide

Density = NDArray[np.float32]
"""(side, side, 3) float32: log10 optical density in R, G, B."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What both stains share besides nuclei and HER2, as amounts of matter (about 0..1). debris, blood: inside lumina."""

    cytoplasm: Plane
    matrix: Plane
    empty: Plane
    debris: Plane
    blood: Plane
    thickness: Plane


def lay_ground(rng: np.random.Generator, tissue: Tissue, cells: Cells) -> Ground:
    """Matter outside the nuclei."""
    side = tissue.side
    tumour = (cells.tumour_id > 0).astype(np.float32)
    foam = np.clip(1 + np.float32(0.22) * fractal(rng, side, 7 * tissue.scale, 2), 0.2, None)
    # Cells of one nest differ in how much they take up.
    uptake = np.exp(rng.normal(0, 0.13, len(cells.kind)))
    cytoplasm = tumour * foam * cells.per_pixel(uptake)
    # Walls show as slightly darker lines in H&E where they are dense, as pale ones where cells shrank apart.
    line = np.exp(-((cells.wall_distance / np.float32(1.2)) ** 2)) * tumour
    cytoplasm *= 1 + np.float32(rng.uniform(-0.45, 0.25)) * line
    hollow = tissue.lumen | tissue.fat | tissue.glass
    if rng.random() < 0.25:  # cells that lost touch with their surroundings leave holes at the rims of nests
        hollow = hollow | (tissue.tumour & (cells.tumour_id == 0))
    empty = np.maximum(hollow.astype(np.float32), tissue.looseness * np.float32(0.9))
    oedema = np.float32(1) - np.float32(rng.uniform(0, 0.6)) * np.clip(fractal(rng, side, 130, 2), 0, 1.4)
    matrix = (1 - tumour) * (1 - empty) * tissue.fibre * np.clip(oedema, 0.15, 1)
    matrix = np.maximum(matrix, tissue.septum * np.float32(0.75) * (1 - tumour))
    debris = np.clip(smooth(rng, side, 16) - np.float32(rng.uniform(0.6, 2.5)), 0, 1) * tissue.lumen
    return Ground(
        cytoplasm=np.asarray(cytoplasm, np.float32),
        matrix=np.asarray(matrix, np.float32),
        empty=np.asarray(empty, np.float32),
        blood=tissue.blood,
        debris=np.asarray(debris, np.float32),
        thickness=tissue.thickness,
    )


def stain_he(rng: np.random.Generator, slide: Slide, cells: Cells, ground: Ground) -> Density:
    """Haematoxylin on nuclei and a little on basophilic cytoplasm, eosin on cytoplasm and collagen."""
    side = ground.matrix.shape[0]
    nuclear = cells.nucleus * cells.chromatin * cells.per_pixel(cells.chroma)
    haematoxylin = np.float32(0.44) * nuclear + ground.cytoplasm * np.float32(0.04 + 0.30 * slide.he_basophilia)
    haematoxylin += np.float32(0.025) * ground.matrix
    haematoxylin *= np.float32(slide.he_nuclear)
    tumour_eosin = np.float32(rng.uniform(0.13, 0.26)) * ground.cytoplasm
    eosin = tumour_eosin + np.float32(rng.uniform(0.17, 0.28)) * ground.matrix
    eosin *= np.float32(slide.he_eosin) * (1 - np.float32(0.45) * cells.nucleus)
    eosin *= np.exp(np.float32(0.12) * fractal(rng, side, 180, 2))
    return _mixed(
        (slide.haematoxylin, haematoxylin),
        (slide.eosin, eosin + np.float32(0.12) * ground.debris + np.float32(0.42 * slide.he_eosin) * ground.blood),
        ground.thickness,
    )


def stain_ihc(
    rng: np.random.Generator, slide: Slide, cells: Cells, ground: Ground, expression: Expression
) -> tuple[Density, Plane]:
    """Pale haematoxylin, DAB on membranes, its blush, and unspecific brown. Returns the density and the whole DAB amount."""
    side = ground.matrix.shape[0]
    nuclear = cells.nucleus * np.sqrt(cells.chromatin) * cells.per_pixel(cells.chroma)
    # Strong DAB hides the counterstain: dye that found no room.
    room = 1 / (1 + np.float32(1.2) * (expression.membrane + expression.blush))
    blue = np.float32(0.15) * nuclear * room + np.float32(0.022) * ground.cytoplasm + np.float32(0.014) * ground.matrix
    blue *= np.float32(slide.counter_strength)
    unspecific = np.float32(slide.stroma_dab) * (
        np.float32(rng.uniform(0.3, 1.0)) * ground.matrix + np.float32(rng.uniform(0.2, 1.1)) * ground.cytoplasm
    )
    unspecific *= np.exp(np.float32(0.35) * fractal(rng, side, 120, 3))
    grains = np.float32(rng.uniform(0, 0.05)) * np.clip(smooth(rng, side, 3.0) - 1.6, 0, None) * (1 - ground.empty)
    dab = expression.membrane + expression.blush * (1 - np.float32(0.35) * cells.nucleus) + unspecific + grains
    dab += _pigment(rng, side) + np.float32(0.05) * ground.blood
    lymph = cells.per_pixel((cells.kind == Kind.LYMPHOCYTE).astype(np.float32)) * cells.nucleus
    dab *= 1 - np.float32(0.5) * lymph
    return _mixed((slide.counterstain, blue), (slide.dab, dab), ground.thickness), np.asarray(dab, np.float32)


def _mixed(one: tuple[NDArray[np.float32], Plane], two: tuple[NDArray[np.float32], Plane], thickness: Plane) -> Density:
    amounts = np.stack([one[1] * thickness, two[1] * thickness], axis=-1)
    return np.asarray(np.maximum(amounts, 0) @ np.stack([one[0], two[0]]), np.float32)


def _pigment(rng: np.random.Generator, side: int) -> Plane:
    """A few dark specks of dirt or precipitate on some slides."""
    spots = np.zeros((side, side), np.float32)
    if rng.random() < 0.4:
        count = int(rng.integers(1, 8))
        y, x = rng.integers(8, side - 8, (2, count))
        for cy, cx, size in zip(y, x, rng.uniform(1, 4, count), strict=True):
            reach = 12
            gy, gx = np.mgrid[max(cy - reach, 0) : min(cy + reach, side), max(cx - reach, 0) : min(cx + reach, side)]
            spots[gy, gx] += np.exp(-(((gy - cy) ** 2 + (gx - cx) ** 2) / size**2)).astype(np.float32) * np.float32(1.2)
    return spots

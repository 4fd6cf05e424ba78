"""How much of which dye lies where, and the optical density that follows.

Beer-Lambert: the density of a mixture is the sum of each dye's amount times its stain vector (Ruifrok & Johnston 2001).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.architecture import Tissue
from training.phantom.artefacts import near, pigment
from training.phantom.cells import Cells
from training.phantom.expression import Expression
from training.phantom.noise import Plane, fractal, smooth
from training.phantom.nuclei import Kind
from training.phantom.slide import Slide

Density = NDArray[np.float32]
"""(side, side, 3) float32: log10 optical density in R, G, B."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What both stains share besides nuclei and HER2, as amounts of matter (about 0..1). debris, blood: inside lumina;
    diffuse: where DAB sticks without antigen (rims of necrosis, the tissue's border, crushed tissue), as an amount of DAB.
    """

    cytoplasm: Plane
    matrix: Plane
    empty: Plane
    debris: Plane
    blood: Plane
    thickness: Plane
    diffuse: Plane | None = None


def lay_ground(rng: np.random.Generator, slide: Slide, tissue: Tissue, cells: Cells) -> Ground:
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
    dead = tissue.necrosis if tissue.necrosis.any() else None
    if tissue.crush.any():
        cytoplasm = np.maximum(cytoplasm, tissue.crush * np.float32(0.55) * (tissue.fibre > 0.1))
    hollow = tissue.lumen | tissue.fat | tissue.glass
    if rng.random() < 0.25:  # cells that lost touch with their surroundings leave holes at the rims of nests
        hollow = hollow | (tissue.tumour & (cells.tumour_id == 0))
    empty = np.maximum(hollow.astype(np.float32), tissue.looseness * np.float32(0.9))
    oedema = np.float32(1) - np.float32(rng.uniform(0, 0.6)) * np.clip(fractal(rng, side, 130, 2), 0, 1.4)
    matrix = (1 - tumour) * (1 - empty) * tissue.fibre * np.clip(oedema, 0.15, 1)
    matrix = np.maximum(matrix, tissue.septum * np.float32(0.75) * (1 - tumour))
    if dead is not None:  # ghosts: granular, eosinophilic, without outlines
        grit = np.float32(1.1) + np.float32(0.16) * smooth(rng, side, 2.8) + np.float32(0.2) * smooth(rng, side, 24)
        matrix += dead * (np.clip(grit, 0.2, None) * np.float32(rng.uniform(0.85, 1.3)) - matrix)
        empty *= 1 - dead
    debris = np.clip(smooth(rng, side, 16) - np.float32(rng.uniform(0.6, 2.5)), 0, 1) * tissue.lumen
    return Ground(
        cytoplasm=np.asarray(cytoplasm, np.float32),
        matrix=np.asarray(matrix, np.float32),
        empty=np.asarray(empty, np.float32),
        blood=tissue.blood,
        debris=np.asarray(debris, np.float32),
        thickness=tissue.thickness,
        diffuse=_diffuse(rng, slide, tissue),
    )


def _diffuse(rng: np.random.Generator, slide: Slide, tissue: Tissue) -> Plane | None:
    """DAB amount that sticks without antigen; None where nothing draws it."""
    amount: Plane | None = None
    if tissue.necrosis.any():
        rim = tissue.necrosis * (1 - tissue.necrosis) * np.float32(4)
        soft = cv2.GaussianBlur(rim, (0, 0), 5) + np.float32(0.25) * tissue.necrosis
        amount = np.asarray(np.float32(rng.uniform(0.04, 0.28)) * soft, np.float32)
    if slide.edge and tissue.glass.any():
        rim = np.float32(slide.edge) * near(tissue.glass, rng.uniform(10, 45)) * ~tissue.glass
        amount = rim if amount is None else amount + rim
    if tissue.crush.any():
        smudge = np.float32(rng.uniform(0.0, 0.15)) * tissue.crush
        amount = smudge if amount is None else amount + smudge
    if amount is not None:
        amount *= np.clip(1 + np.float32(0.35) * fractal(rng, tissue.side, 12, 2), 0.2, None)
    return amount


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
    if ground.diffuse is not None:
        dab += ground.diffuse
    if slide.granular:  # apocrine cytoplasm
        dab += np.float32(slide.granular) * ground.cytoplasm * np.clip(1 + smooth(rng, side, 2.4), 0, None)
    lymph = cells.per_pixel((cells.kind == Kind.LYMPHOCYTE).astype(np.float32)) * cells.nucleus
    dab *= 1 - np.float32(0.5) * lymph
    dab *= np.float32(slide.dab_strength)
    dab += np.float32(0.05) * ground.blood
    if slide.haze:
        dab += np.float32(slide.haze) * np.clip(1 + np.float32(0.3) * smooth(rng, side, 300), 0.2, None)
    specks = pigment(rng, side)
    if specks is not None:
        dab += specks
    # The chromogen runs short where there is most of it.
    dab /= 1 + np.float32(0.2) * dab
    return _mixed((slide.counterstain, blue), (slide.dab, dab), ground.thickness), np.asarray(dab, np.float32)


def _mixed(one: tuple[NDArray[np.float32], Plane], two: tuple[NDArray[np.float32], Plane], thickness: Plane) -> Density:
    first, second = (np.maximum(amount * thickness, 0) for _, amount in (one, two))
    channels = [cv2.addWeighted(first, float(a), second, float(b), 0) for a, b in zip(one[0], two[0], strict=True)]
    return np.asarray(cv2.merge(channels), np.float32)

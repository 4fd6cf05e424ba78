"""Every cell of a field: where it is, how far it reaches, where its membrane runs and what its nucleus looks like.

Cells are the Voronoi regions of jittered seeds, bent by noise so that outlines are irregular; neighbours share a wall, of
which each owns its side. A pixel knows its cell, so whatever belongs to a cell is one look-up over the picture.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.architecture import Tissue, jittered_grid
from training.phantom.artefacts import smeared
from training.phantom.noise import Plane, fractal, grid, twice
from training.phantom.nuclei import Kind, NuclearGrain, draw_nuclei, neighbouring, paint_nuclei

Mask = NDArray[np.bool_]
_N = NDArray[np.floating]
"""(n,): a number a cell."""

_REGION: Final = (Kind.TUMOUR, Kind.IN_SITU, Kind.NORMAL)
_CHROMA: Final = np.array([1.0, 1.1, 1.45, 1.15, 1.05, 1.1, 1.5, 1.5])
"""By kind: lymphocytes, crushed and dead nuclei are dark."""


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of a field. Per cell (n,): kind, centre x and y (px, continuous), chroma (darkness of its nucleus).

    owner: (side, side) intp, the cell that each pixel is nearest to. tumour: the numbers, in the list of all cells, of those
    that membranes are drawn for: invasive tumour first, then tumour in situ, then normal epithelium; only the first count.
    tumour_id: (side, side) int32, 1.. for the pixels of the k-th of them, 0 elsewhere. offset_x, offset_y: from the owner's
    centre (px). nucleus: 0..1 cover; chromatin: dye per pixel of nucleus, about 1. wall: pixels of `tumour_id` at their own
    cell's outline; wall_distance: px to the nearest of those. apical: pixels of `tumour_id` beside a lumen, or None.
    """

    kind: NDArray[np.uint8]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    chroma: NDArray[np.float32]
    owner: NDArray[np.intp]
    tumour: NDArray[np.intp]
    tumour_id: NDArray[np.int32]
    offset_x: Plane
    offset_y: Plane
    nucleus: Plane
    chromatin: Plane
    wall: Mask
    wall_distance: Plane
    apical: Mask | None = None

    @property
    def invasive(self) -> Mask:
        """Which of `tumour` count for the score."""
        return np.asarray(self.kind[self.tumour] == Kind.TUMOUR, np.bool_)

    def per_pixel(self, values: _N) -> Plane:
        """(n,) a cell -> (side, side): each pixel's owner's value."""
        return np.take(values.astype(np.float32), self.owner)


def draw_cells(rng: np.random.Generator, tissue: Tissue, apart: float = 0.0) -> tuple[Cells, Cells]:
    """Fills a tissue with cells. Returns them as the IHC section shows them, and as the H&E section does.

    apart: micrometres between the two sections; 0 is one section stained twice. Architecture and outlines are shared; nuclei
    are cut elsewhere, and some only in one of the two.
    """
    side = tissue.side
    kind, y, x, spacing = _seeds(rng, tissue)
    seeds = np.ones((side, side), np.uint8)
    seeds[y, x] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(len(kind) + 1, np.intp)
    number[labels[y, x]] = np.arange(len(kind))

    # Outlines are bent by looking each pixel's owner up a little beside it; offsets are taken at that same place.
    gy, gx = grid(side)
    bend_x, bend_y = (twice(np.float32(0.085 * spacing) * fractal(rng, side // 2, 0.3 * spacing, 2)) for _ in range(2))
    bent_x, bent_y = gx + bend_x, gy + bend_y
    bent = cv2.remap(labels.astype(np.float32), bent_x, bent_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    owner = np.take(number, bent.astype(np.intp))
    offset_x = bent_x - np.take(x.astype(np.float32), owner)
    offset_y = bent_y - np.take(y.astype(np.float32), owner)

    tumour = np.concatenate([np.flatnonzero(kind == one) for one in _REGION])
    region = tissue.tumour * np.uint8(1) + tissue.in_situ * np.uint8(2) + tissue.normal * np.uint8(3)
    belongs = np.zeros(len(Kind), np.uint8)
    belongs[list(_REGION)] = [1, 2, 3]
    drawn = (np.take(belongs[kind], owner) == region) & (region > 0)
    drawn &= offset_x**2 + offset_y**2 < (0.95 * spacing) ** 2
    rank = np.zeros(len(kind), np.int32)
    rank[tumour] = np.arange(1, len(tumour) + 1, dtype=np.int32)
    tumour_id = np.where(drawn, np.take(rank, owner), 0).astype(np.int32)
    wall = outlines(tumour_id)
    wall_distance = np.asarray(cv2.distanceTransform((~wall).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    apical = None
    if tissue.lumen.any():
        beside = cv2.dilate(tissue.lumen.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        apical = beside & drawn

    chroma = np.exp(rng.normal(0, 0.16, len(kind))) * _CHROMA[kind]
    cut = draw_nuclei(rng, kind, spacing, tissue.scale, tissue.fibre_angle[y, x])
    other = neighbouring(rng, cut, apart)
    grain = NuclearGrain.draw(rng, side, tissue.scale)
    outside = tissue.lumen | tissue.glass | tissue.fat
    streaks = float(rng.uniform(0, np.pi))
    painted = []
    for nuclei in (cut,) if other is cut else (cut, other):
        cover, chromatin = paint_nuclei(nuclei, owner, offset_x, offset_y, grain, tissue.scale)
        cover[outside] = 0
        if tissue.crush.any():
            cover = smeared(cover, tissue.crush, streaks)
        painted.append((cover, chromatin))
    cells = Cells(
        kind=kind.astype(np.uint8),
        x=x.astype(np.float32) + np.float32(0.5),
        y=y.astype(np.float32) + np.float32(0.5),
        chroma=chroma.astype(np.float32),
        owner=owner,
        tumour=tumour,
        tumour_id=tumour_id,
        offset_x=np.asarray(offset_x, np.float32),
        offset_y=np.asarray(offset_y, np.float32),
        nucleus=painted[0][0],
        chromatin=painted[0][1],
        wall=wall,
        wall_distance=wall_distance,
        apical=apical,
    )
    return cells, replace(cells, nucleus=painted[-1][0], chromatin=painted[-1][1])


def _seeds(
    rng: np.random.Generator, tissue: Tissue
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], float]:
    """Kinds and places (y, x) of all cells, no two at one pixel, and the tumour's cell spacing in px."""
    side, scale = tissue.side, tissue.scale
    spacing = float(rng.uniform(17, 24.5)) * scale
    ducts = tissue.in_situ | tissue.normal
    dead = tissue.necrosis > 0.5
    taken = tissue.tumour | tissue.lumen | tissue.fat | tissue.glass | tissue.lymphoid | ducts | dead | tissue.rim
    crushed = (tissue.crush > 0.5) & ~taken
    stroma = ~taken & ~crushed & (tissue.looseness < 0.5)
    fat_wall = tissue.septum > 0.5
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]] = []

    def sow(kind: Kind, gap: float, jitter: float, where: Mask, keep: float) -> None:
        y, x = jittered_grid(rng, side, gap, jitter)
        kept = where[y, x] & (rng.random(len(y)) < keep)
        found.append((np.full(int(kept.sum()), int(kind), np.intp), y[kept], x[kept]))

    def core(mask: Mask) -> Mask:
        """Without its border, so that no cell is cut off at its middle."""
        kernel = np.ones((3, 3), np.uint8)
        return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, iterations=int(0.10 * spacing)) > 0)

    sow(Kind.TUMOUR, spacing, 0.17, core(tissue.tumour), 0.985)
    if ducts.any():
        sow(Kind.IN_SITU, spacing * rng.uniform(0.85, 1.05), 0.17, core(tissue.in_situ) & ~tissue.rim, 0.985)
        sow(Kind.NORMAL, rng.uniform(11.5, 14.0) * scale, 0.14, core(tissue.normal) & ~tissue.rim, 0.98)
        sow(Kind.STROMA, 9 * scale, 0.3, tissue.rim, 0.16)
    if dead.any():
        sow(Kind.DEBRIS, rng.uniform(8, 14) * scale, 0.4, dead, float(rng.uniform(0.1, 0.5)))
    if crushed.any():
        sow(Kind.CRUSHED, rng.uniform(11, 16) * scale, 0.35, crushed, 0.85)
    sow(Kind.LYMPHOCYTE, rng.uniform(12, 15) * scale, 0.20, tissue.lymphoid, 0.9)
    sow(Kind.LYMPHOCYTE, 24 * scale, 0.4, stroma & ~fat_wall, float(rng.beta(1.0, 9.0)))
    sow(Kind.STROMA, 30 * scale, 0.36, stroma & ~fat_wall, min(0.9, 0.42 * tissue.stroma_cellularity))
    sow(Kind.FAT, 26 * scale, 0.4, fat_wall, 0.30)
    kind, y, x = (np.concatenate([part[i] for part in found]) for i in range(3))
    if len(kind) == 0:  # bare glass: one cell that nothing is drawn for keeps every look-up valid
        return np.array([Kind.FAT], np.intp), np.array([0]), np.array([0]), spacing
    _, first = np.unique(y * side + x, return_index=True)
    first.sort()
    return kind[first], y[first], x[first], spacing


def outlines(ids: NDArray[np.int32]) -> Mask:
    """Pixels of a cell beside a pixel that is not of it. Both sides of a shared wall count, each for its own cell."""
    edge = np.zeros(ids.shape, np.bool_)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    return edge & (ids > 0)

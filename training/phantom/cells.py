"""Every cell of a field: where it is, how far it reaches, where its membrane runs and what its nucleus looks like.

Cells are the Voronoi regions of jittered seeds, bent by noise so that outlines are irregular; neighbours share a wall, of
which each owns its side. A pixel knows its cell, so whatever belongs to a cell is one look-up over the picture.
"""

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.architecture import Tissue, jittered_grid
from training.phantom.noise import Plane, fractal, grid, ramp, smooth

Mask = NDArray[np.bool_]


class Kind(IntEnum):
    """What a cell is."""

    TUMOUR = 0
    STROMA = 1
    LYMPHOCYTE = 2
    FAT = 3


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of a field. Per cell (n,): kind, centre x and y (px, continuous), chroma (darkness of its nucleus).

    owner: (side, side) intp, the cell that each pixel is nearest to. tumour_id: (side, side) int32, 1.. for the pixels of the
    k-th tumour cell in `tumour` (0 elsewhere); `tumour` holds their numbers in the list of all cells. offset_x, offset_y:
    from the owner's centre (px). nucleus: 0..1 cover; chromatin: dye per pixel of nucleus, about 1. wall: tumour pixels at
    their own cell's outline; wall_distance: px to the nearest of those.
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

    def per_pixel(self, values: NDArray[np.floating]) -> Plane:
        """(n,) a cell -> (side, side): each pixel's owner's value."""
        return np.take(values.astype(np.float32), self.owner)


def draw_cells(rng: np.random.Generator, tissue: Tissue) -> Cells:
    """Fills a tissue with cells."""
    side = tissue.side
    kind, y, x, spacing = _seeds(rng, tissue)
    seeds = np.ones((side, side), np.uint8)
    seeds[y, x] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(len(kind) + 1, np.intp)
    number[labels[y, x]] = np.arange(len(kind))

    # Outlines are bent by looking each pixel's owner up a little beside it; offsets are taken at that same place.
    gy, gx = grid(side)
    bent_x = gx + np.float32(0.085 * spacing) * fractal(rng, side, 0.6 * spacing, 2)
    bent_y = gy + np.float32(0.085 * spacing) * fractal(rng, side, 0.6 * spacing, 2)
    bent = cv2.remap(labels.astype(np.float32), bent_x, bent_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    owner = np.take(number, bent.astype(np.intp))
    offset_x = bent_x - np.take(x.astype(np.float32), owner)
    offset_y = bent_y - np.take(y.astype(np.float32), owner)

    is_tumour = np.take(kind == Kind.TUMOUR, owner) & tissue.tumour
    is_tumour &= offset_x**2 + offset_y**2 < (0.95 * spacing) ** 2
    tumour = np.flatnonzero(kind == Kind.TUMOUR)
    rank = np.zeros(len(kind), np.int32)
    rank[tumour] = np.arange(1, len(tumour) + 1, dtype=np.int32)
    tumour_id = np.where(is_tumour, np.take(rank, owner), 0).astype(np.int32)
    wall = outlines(tumour_id)
    wall_distance = np.asarray(cv2.distanceTransform((~wall).astype(np.uint8), cv2.DIST_L2, 5), np.float32)

    nucleus, chromatin = _nuclei(rng, tissue, kind, owner, offset_x, offset_y, spacing, y, x)
    nucleus *= ~(tissue.lumen | tissue.glass | tissue.fat)
    chroma = np.exp(rng.normal(0, 0.16, len(kind)))
    chroma *= np.choose(kind, [1.0, 1.1, 1.45, 1.15])
    return Cells(
        kind=kind.astype(np.uint8),
        x=x.astype(np.float32) + np.float32(0.5),
        y=y.astype(np.float32) + np.float32(0.5),
        chroma=chroma.astype(np.float32),
        owner=owner,
        tumour=tumour,
        tumour_id=tumour_id,
        offset_x=np.asarray(offset_x, np.float32),
        offset_y=np.asarray(offset_y, np.float32),
        nucleus=nucleus,
        chromatin=chromatin,
        wall=wall,
        wall_distance=wall_distance,
    )


def _seeds(
    rng: np.random.Generator, tissue: Tissue
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], float]:
    """Kinds and places (y, x) of all cells, no two at one pixel, and the tumour's cell spacing in px."""
    side, scale = tissue.side, tissue.scale
    spacing = float(rng.uniform(19, 28)) * scale
    core = cv2.erode(tissue.tumour.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=int(0.10 * spacing)) > 0
    stroma = ~(tissue.tumour | tissue.lumen | tissue.fat | tissue.glass | tissue.lymphoid) & (tissue.looseness < 0.5)
    fat_wall = tissue.septum > 0.5
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]] = []

    def sow(kind: Kind, gap: float, jitter: float, where: Mask, keep: float) -> None:
        y, x = jittered_grid(rng, side, gap, jitter)
        kept = where[y, x] & (rng.random(len(y)) < keep)
        found.append((np.full(int(kept.sum()), int(kind), np.intp), y[kept], x[kept]))

    sow(Kind.TUMOUR, spacing, 0.17, core, 0.985)
    sow(Kind.LYMPHOCYTE, rng.uniform(12, 15) * scale, 0.20, tissue.lymphoid, 0.9)
    sow(Kind.LYMPHOCYTE, 24 * scale, 0.4, stroma & ~fat_wall, float(rng.beta(1.0, 9.0)))
    sow(Kind.STROMA, 30 * scale, 0.36, stroma & ~fat_wall, min(0.9, 0.34 * tissue.stroma_cellularity))
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
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[:, :-1] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    edge[:-1] |= ids[1:] != ids[:-1]
    return edge & (ids > 0)


def _nuclei(
    rng: np.random.Generator,
    tissue: Tissue,
    kind: NDArray[np.intp],
    owner: NDArray[np.intp],
    offset_x: Plane,
    offset_y: Plane,
    spacing: float,
    seed_y: NDArray[np.intp],
    seed_x: NDArray[np.intp],
) -> tuple[Plane, Plane]:
    """Cover (0..1) and dye per pixel of all nuclei: ellipses with uneven rims, a dark membrane, clumps and nucleoli."""
    n, side, scale = len(kind), tissue.side, tissue.scale
    pleomorphism = rng.uniform(0.07, 0.22)
    base = spacing * rng.uniform(0.24, 0.315)
    a = np.choose(kind, [base, 6.8 * scale, 4.6 * scale, 5.2 * scale]) * np.exp(rng.normal(0, pleomorphism, n))
    ratio = np.choose(kind, [0.80, 0.34, 0.92, 0.40]) * np.exp(rng.normal(0, 0.12, n))
    b = a * np.clip(ratio, 0.2, 1.0)
    angle = np.where(
        kind == Kind.TUMOUR, rng.uniform(0, np.pi, n), tissue.fibre_angle[seed_y, seed_x] + rng.normal(0, 0.25, n)
    )
    # A nucleus seldom sits in the middle of its cell.
    shift = np.where(kind == Kind.TUMOUR, 0.08 * spacing, 0.0)
    dx, dy = rng.normal(0, 1, n) * shift, rng.normal(0, 1, n) * shift

    def look(values: NDArray[np.floating]) -> Plane:
        return np.take(values.astype(np.float32), owner)

    x, y = offset_x - look(dx), offset_y - look(dy)
    c, s = look(np.cos(angle)), look(np.sin(angle))
    radius = np.sqrt(((c * x + s * y) * look(1 / a)) ** 2 + ((c * y - s * x) * look(1 / b)) ** 2)
    radius += np.float32(0.10) * smooth(rng, side, 5 * scale)
    softness = 0.16
    cover = ramp(np.asarray(1 - radius, np.float32), -softness, softness)
    # Not every cell's nucleus lies in the section.
    cover *= look((rng.random(n) < np.choose(kind, [0.93, 1.0, 1.0, 1.0])).astype(np.float32))

    vesicular = look(np.where(kind == Kind.TUMOUR, rng.beta(2, 2, n) * 1.3, 0.15))
    clumps = np.float32(0.20) * smooth(rng, side, 2.6) + np.float32(0.16) * smooth(rng, side, 5.5)
    rim = np.exp(-(((radius - np.float32(0.88)) / np.float32(0.16)) ** 2))
    chromatin = 1 + clumps + vesicular * (np.float32(0.30) * rim - np.float32(0.22))
    spot = np.where(kind == Kind.TUMOUR, rng.random(n) < rng.uniform(0, 0.7), False)
    sx, sy = rng.normal(0, 0.22, n) * a, rng.normal(0, 0.22, n) * b
    nucleolus = np.exp(-((x - look(sx)) ** 2 + (y - look(sy)) ** 2) / np.float32((1.6 * scale) ** 2))
    chromatin += np.float32(0.55) * nucleolus * look(spot.astype(np.float32))
    return np.asarray(cover, np.float32), np.asarray(np.clip(chromatin, 0.15, 2.2), np.float32)

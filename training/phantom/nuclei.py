"""Nuclei: one ellipse a cell with an uneven rim, a nuclear membrane, clumps and nucleoli, as one section cuts it.

A second section, a few micrometres on, cuts the same cells elsewhere.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from training.phantom.noise import Plane, ramp, smooth

_N = NDArray[np.floating]
"""(n,): a number a cell."""
_UM_PER_PX: Final = 0.46
_THICKNESS: Final = 4.0
"""Micrometres: a usual section."""


class Kind(IntEnum):
    """What a cell is."""

    TUMOUR = 0
    STROMA = 1
    LYMPHOCYTE = 2
    FAT = 3
    IN_SITU = 4
    """Tumour inside a duct: looks like tumour, may carry HER2, never counts."""
    NORMAL = 5
    """Epithelium of normal ducts and lobules."""
    CRUSHED = 6
    DEBRIS = 7
    """Fragments of nuclei in necrosis."""


@dataclass(frozen=True, eq=False)
class Nuclei:
    """The nuclei of one section, a row a cell: half axes a and b (px), angle (radians), offset dx and dy from the cell's centre
    (px), whether it was cut (0 or 1), vesicular (0 dense .. 1.3 pale with a rim), nucleolus (0 or 1) at sx, sy from there."""

    a: _N
    b: _N
    angle: _N
    dx: _N
    dy: _N
    cut: _N
    vesicular: _N
    nucleolus: _N
    sx: _N
    sy: _N


@dataclass(frozen=True, eq=False)
class NuclearGrain:
    """Fine noise that all nuclei of a field are cut from: of the rim, and of the chromatin. (side, side) each."""

    rim: Plane
    clumps: Plane

    @classmethod
    def draw(cls, rng: np.random.Generator, side: int, scale: float) -> Self:
        clumps = np.float32(0.20) * smooth(rng, side, 2.6) + np.float32(0.16) * smooth(rng, side, 5.5)
        return cls(np.float32(0.075) * smooth(rng, side, 5 * scale), clumps)


def draw_nuclei(rng: np.random.Generator, kind: NDArray[np.intp], spacing: float, scale: float, along: _N) -> Nuclei:
    """kind, along (n,): what each cell is, and the direction of the fibres there. spacing: of the tumour cells, px."""
    n = len(kind)
    epithelial = (kind == Kind.TUMOUR) | (kind == Kind.IN_SITU)
    base = spacing * rng.uniform(0.24, 0.315)
    s = scale
    size = np.array([base, 6.8 * s, 4.6 * s, 5.2 * s, base * rng.uniform(0.9, 1.1), 4.3 * s, 6.6 * s, 1.9 * s])
    a = size[kind] * np.exp(rng.normal(0, rng.uniform(0.07, 0.22), n))
    ratio = np.array([0.80, 0.34, 0.92, 0.40, 0.82, 0.78, 0.42, 0.8])[kind] * np.exp(rng.normal(0, 0.12, n))
    b = a * np.clip(ratio, 0.2, 1.0)
    angle = np.where(epithelial | (kind == Kind.NORMAL), rng.uniform(0, np.pi, n), along + rng.normal(0, 0.25, n))
    # A nucleus seldom sits in the middle of its cell.
    shift = np.where(epithelial, 0.08 * spacing, 0.0)
    vesicular = np.where(epithelial, rng.beta(2, 2, n) * 1.3, 0.15)
    spotted = epithelial & (rng.random(n) < rng.uniform(0, 0.7))
    return Nuclei(
        a=a,
        b=b,
        angle=angle,
        dx=rng.normal(0, 1, n) * shift,
        dy=rng.normal(0, 1, n) * shift,
        # Not every cell's nucleus lies in the section.
        cut=(rng.random(n) < np.where(epithelial, 0.93, 1.0)).astype(np.float32),
        vesicular=vesicular,
        nucleolus=spotted.astype(np.float32),
        sx=rng.normal(0, 0.22, n) * a,
        sy=rng.normal(0, 0.22, n) * b,
    )


def neighbouring(rng: np.random.Generator, nuclei: Nuclei, apart: float) -> Nuclei:
    """The same cells as cut `apart` micrometres on; 0 gives the very same nuclei.

    A sphere of diameter d shows in both of two sections of thickness t with probability 1 - apart / (d + t) (Abercrombie
    1946's count, turned round); where it does not, the cell shows none there, or another one. Every centre moves by 1 to 2 um.
    """
    if apart <= 0:
        return nuclei
    n = len(nuclei.a)
    d = 2 * np.sqrt(nuclei.a * nuclei.b) * _UM_PER_PX
    lost = rng.random(n) < np.clip(apart / (d + _THICKNESS), 0, 0.9)
    afresh = rng.permutation(n)
    # Where one nucleus ends, another mostly begins: sections are about equally crowded.
    cut = np.where(lost, rng.random(n) < np.where(nuclei.cut > 0, 0.8, 0.9), nuclei.cut > 0)
    scatter = np.exp(rng.normal(0, 0.14, n)) * np.where(lost, rng.uniform(0.6, 1.0, n), 1.0)
    step, turn = rng.uniform(1, 2, n) / _UM_PER_PX, rng.uniform(0, 2 * np.pi, n)
    return replace(
        nuclei,
        a=nuclei.a * scatter,
        b=nuclei.b * scatter * np.exp(rng.normal(0, 0.06, n)),
        angle=nuclei.angle + rng.normal(0, 0.3, n),
        dx=nuclei.dx + step * np.cos(turn),
        dy=nuclei.dy + step * np.sin(turn),
        cut=cut.astype(np.float32),
        vesicular=np.where(lost, nuclei.vesicular[afresh], nuclei.vesicular),
        nucleolus=np.where(rng.random(n) < 0.6, nuclei.nucleolus[afresh], nuclei.nucleolus),
        sx=rng.normal(0, 0.22, n) * nuclei.a,
        sy=rng.normal(0, 0.22, n) * nuclei.b,
    )


def paint_nuclei(
    nuclei: Nuclei, owner: NDArray[np.intp], offset_x: Plane, offset_y: Plane, grain: NuclearGrain, scale: float
) -> tuple[Plane, Plane]:
    """Cover (0..1) and dye per pixel, (side, side) each. Only pixels that a nucleus can reach are worked on."""
    reach = (1.45 * nuclei.a + np.hypot(nuclei.dx, nuclei.dy)) * (nuclei.cut > 0)
    limit = np.take((reach**2).astype(np.float32), owner)
    at = np.flatnonzero(offset_x * offset_x + offset_y * offset_y < limit)
    mine = owner.ravel()[at]

    def look(values: _N) -> NDArray[np.float32]:
        return np.take(values.astype(np.float32), mine)

    x, y = offset_x.ravel()[at] - look(nuclei.dx), offset_y.ravel()[at] - look(nuclei.dy)
    c, s = np.cos(nuclei.angle), np.sin(nuclei.angle)
    u = look(c / nuclei.a) * x + look(s / nuclei.a) * y
    v = look(c / nuclei.b) * y - look(s / nuclei.b) * x
    radius = np.sqrt(u * u + v * v) + grain.rim.ravel()[at]
    softness = 0.12
    cover = np.zeros(owner.shape, np.float32)
    cover.ravel()[at] = ramp(1 - radius, -softness, softness)

    edge = np.exp(-(((radius - np.float32(0.88)) / np.float32(0.16)) ** 2))
    dye = 1 + grain.clumps.ravel()[at] + look(nuclei.vesicular) * (np.float32(0.30) * edge - np.float32(0.22))
    spotted = np.flatnonzero(look(nuclei.nucleolus))
    sx, sy = x[spotted] - look(nuclei.sx)[spotted], y[spotted] - look(nuclei.sy)[spotted]
    dye[spotted] += np.float32(0.55) * np.exp(-(sx * sx + sy * sy) / np.float32((1.6 * scale) ** 2))
    chromatin = np.ones(owner.shape, np.float32)
    chromatin.ravel()[at] = np.clip(dye, 0.15, 2.2)
    return cover, chromatin

"""What a field holds besides invasive tumour: ducts in situ, normal ducts and lobules, necrosis, crushed tissue.

None of it counts for the score: ASCO/CAP scores the invasive component, and asks to keep away from crushed tissue.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.noise import Plane, above_share, ramp, smooth

Mask = NDArray[np.bool_]

# How often a field has each.
IN_SITU_RATE: Final = 0.15
NORMAL_RATE: Final = 0.14
NECROSIS_RATE: Final = 0.10
CRUSH_RATE: Final = 0.06


@dataclass(frozen=True, eq=False)
class Ducts:
    """All ducts of a field. `in_situ`, `normal`, `lumen` (masks) and `necrosis` (0..1) lie inside them; `rim` is the outermost
    layer, of flat myoepithelial cells; cuff: 0..1, dense collagen round them; along: their outline's direction (radians).
    """

    in_situ: Mask
    normal: Mask
    lumen: Mask
    rim: Mask
    necrosis: Plane
    cuff: Plane
    along: Plane

    @property
    def area(self) -> Mask:
        """Duct and cuff: no invasive tumour grows there."""
        return np.asarray(self.cuff > 0.3, np.bool_)


def draw_ducts(rng: np.random.Generator, side: int, scale: float) -> Ducts:
    """Ducts of two kinds, each in some fields only."""

    def blank() -> Mask:
        return np.zeros((side, side), np.bool_)

    def plane() -> Plane:
        return np.zeros((side, side), np.float32)

    ducts = Ducts(blank(), blank(), blank(), blank(), plane(), plane(), plane())
    if rng.random() < IN_SITU_RATE:
        comedo, cribriform = rng.random() < 0.45, rng.random() < 0.4
        for _ in range(1 + int(rng.poisson(1.3))):
            _in_situ(rng, ducts, scale, comedo=bool(comedo), cribriform=bool(cribriform))
    if rng.random() < NORMAL_RATE:
        if rng.random() < 0.5:
            for _ in range(1 + int(rng.poisson(0.5))):
                _gland(rng, ducts, rng.uniform(0, side, 2), rng.uniform(48, 105) * scale, 17 * scale)
        else:
            _lobule(rng, ducts, scale)
    return ducts


def necrotic(rng: np.random.Generator, tumour: Mask, scale: float) -> Plane:
    """0..1: death in the middle of large nests, far from the stroma's vessels."""
    side = tumour.shape[0]
    if rng.random() > NECROSIS_RATE:
        return np.zeros((side, side), np.float32)
    inside = np.asarray(cv2.distanceTransform(tumour.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    reach = np.float32(rng.uniform(38, 60) * scale) + np.float32(9 * scale) * smooth(rng, side, 30 * scale)
    return ramp(np.asarray(inside - reach, np.float32), -5 * scale, 5 * scale)


def crushed(rng: np.random.Generator, side: int) -> Plane:
    """0..1: where forceps smeared the tissue."""
    if rng.random() > CRUSH_RATE:
        return np.zeros((side, side), np.float32)
    country = smooth(rng, side, rng.uniform(110, 200), rng.uniform(1.0, 2.2)) + np.float32(0.25) * smooth(rng, side, 14)
    area = above_share(np.asarray(country, np.float32), float(rng.uniform(0.03, 0.13)))
    return np.asarray(cv2.GaussianBlur(area.astype(np.float32), (0, 0), 3), np.float32)


def _in_situ(rng: np.random.Generator, ducts: Ducts, scale: float, *, comedo: bool, cribriform: bool) -> None:
    side = ducts.normal.shape[0]
    radius = rng.uniform(58, 165) * scale
    depth, angle = _blob(rng, radius, rng.uniform(1.0, 1.35), 0.10)
    cut = _window(ducts.cuff, depth, rng.uniform(0, side, 2))
    if cut is None or ducts.cuff[cut[0]].max() > 0:  # ducts keep apart
        return
    at, part = cut
    depth, angle = depth[part], angle[part]
    inside = depth > 0
    living = max(0.4 * radius, 42 * scale)
    if comedo and radius > 1.6 * living:
        dead = ramp(depth, living, living + 9 * scale)
        ducts.necrosis[at] = np.maximum(ducts.necrosis[at], dead)
        inside &= dead < 0.5
    elif cribriform:
        holes = smooth(rng, max(depth.shape), 19 * scale)[: depth.shape[0], : depth.shape[1]] > 0.62
        holes &= depth > 15 * scale
        holes = cv2.morphologyEx(holes.astype(np.uint8), cv2.MORPH_OPEN, _disc(13 * scale)) > 0
        ducts.lumen[at] |= holes
        inside &= ~holes
    ducts.in_situ[at] |= inside
    _wrap(ducts, at, depth, angle, scale)


def _gland(rng: np.random.Generator, ducts: Ducts, centre: NDArray[np.float64], radius: float, wall: float) -> None:
    """A normal duct or acinus: two layers of cells round a lumen."""
    depth, angle = _blob(rng, radius, rng.uniform(1.0, 1.5), 0.12)
    cut = _window(ducts.cuff, depth, centre)
    if cut is None:
        return
    at, part = cut
    depth, angle = depth[part], angle[part]
    if (ducts.in_situ[at] | ducts.normal[at] | ducts.lumen[at])[depth > -3].any():
        return
    ducts.lumen[at] |= depth > wall
    ducts.normal[at] |= (depth > 0) & (depth <= wall)
    _wrap(ducts, at, depth, angle, wall / 17)


def _lobule(rng: np.random.Generator, ducts: Ducts, scale: float) -> None:
    """A terminal duct lobular unit: many small acini in a cluster."""
    side = ducts.normal.shape[0]
    centre, reach = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(80, 170) * scale
    for _ in range(int(rng.integers(14, 34))):
        _gland(rng, ducts, centre + rng.normal(0, 0.6 * reach, 2), rng.uniform(17, 30) * scale, 14 * scale)


def _wrap(ducts: Ducts, at: tuple[slice, slice], depth: Plane, angle: Plane, scale: float) -> None:
    """Basal layer, collagen cuff and direction of a duct's outline."""
    near = (depth > -16 * scale) & (depth < 4 * scale)
    ducts.rim[at] |= (depth > -2.5 * scale) & (depth < 1.5 * scale)
    ducts.cuff[at] = np.maximum(ducts.cuff[at], ramp(depth, -20 * scale, -4 * scale))
    ducts.along[at] = np.where(near, angle, ducts.along[at])


def _blob(rng: np.random.Generator, radius: float, stretch: float, roughness: float) -> tuple[Plane, Plane]:
    """A rough ellipse: how deep each pixel lies inside it (px, negative outside), and the direction along its outline."""
    size = int(2.9 * radius * stretch) + 40
    x = np.arange(size, dtype=np.float32) - np.float32(size / 2)
    y = x[:, None]
    turn = rng.uniform(0, np.pi)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = (c * x + s * y) / np.float32(stretch), (c * y - s * x) * np.float32(stretch)
    uneven = 1 + np.float32(roughness) * smooth(rng, size, 0.9 * radius) + np.float32(0.03) * smooth(rng, size, 16)
    depth = np.float32(radius) * uneven - np.sqrt(u * u + v * v)
    return np.asarray(depth, np.float32), np.asarray(np.arctan2(y, x) + np.float32(np.pi / 2), np.float32)


def _window(
    plane: Plane, patch: Plane, centre: NDArray[np.float64]
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a patch centred at (y, x) falls on the plane, and which part of it does; None where none does."""
    side, size = plane.shape[0], patch.shape[0]
    spans = []
    for middle in centre:
        start = int(middle) - size // 2
        low, high = max(start, 0), min(start + size, side)
        if high - low < 8:
            return None
        spans.append((slice(low, high), slice(low - start, high - start)))
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _disc(size: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(size) | 1, int(size) | 1)), np.uint8)

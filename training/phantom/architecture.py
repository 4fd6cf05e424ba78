"""Which tissue is where in a field: tumour, stroma with its fibres, fat, lumina, lymphocytes, and bare glass.

Everything is thresholded noise: the pattern of a tumour is the scale, stretch and share of the noise its nests come from.
Sizes are in pixels of about 0.46 micrometres, times the slide's `scale`.
"""

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from training.phantom.lesions import Mask, crushed, draw_ducts, necrotic
from training.phantom.noise import Plane, above_share, fractal, grid, ramp, sampled, smooth, twice


class Pattern(StrEnum):
    """How tumour cells lie together."""

    SHEETS = "sheets"
    NESTS = "nests"
    TRABECULAE = "trabeculae"
    GLANDS = "glands"
    DISPERSED = "dispersed"
    DUCTS = "ducts"


# Pattern: how often, noise scale (px), stretch, share of the tumour area that is cells, lumen share.
_PATTERNS: dict[Pattern, tuple[float, tuple[float, float], tuple[float, float], tuple[float, float], float]] = {
    Pattern.SHEETS: (0.20, (110, 220), (1.0, 1.6), (0.75, 0.97), 0.05),
    Pattern.NESTS: (0.24, (48, 100), (1.0, 1.8), (0.40, 0.70), 0.10),
    Pattern.TRABECULAE: (0.16, (26, 44), (2.5, 5.0), (0.35, 0.60), 0.0),
    Pattern.GLANDS: (0.20, (42, 72), (1.0, 1.4), (0.38, 0.60), 0.8),
    Pattern.DISPERSED: (0.12, (16, 26), (1.2, 3.0), (0.18, 0.36), 0.0),
    Pattern.DUCTS: (0.08, (95, 150), (1.0, 1.2), (0.20, 0.40), 0.6),
}


@dataclass(frozen=True, eq=False)
class Tissue:
    """One field before it has cells. Masks and planes are (side, side).

    `tumour` (invasive), `in_situ`, `normal` (epithelium), `fat`, `lumen` and `glass` exclude each other; rim: the basal layer
    of ducts. necrosis, crush: 0..1.
    blood: 0..1, red cells in vessels (which are lumina).
    fibre: density of the stroma's collagen, about 0..1.5; fibre_angle: its direction in radians (x to the right, y down);
    septum: 0..1, the thin walls between fat cells; looseness: 0..1, clefts at the rim of nests; thickness: factor about 1.
    """

    pattern: Pattern
    scale: float
    tumour: Mask
    in_situ: Mask
    normal: Mask
    rim: Mask
    necrosis: Plane
    crush: Plane
    lumen: Mask
    fat: Mask
    glass: Mask
    lymphoid: Mask
    blood: Plane
    septum: Plane
    fibre: Plane
    fibre_angle: Plane
    looseness: Plane
    thickness: Plane
    stroma_cellularity: float

    @property
    def side(self) -> int:
        return int(self.tumour.shape[0])


def draw_tissue(rng: np.random.Generator, side: int, *, sparse: bool = False) -> Tissue:
    """The architecture of one field of `side` pixels. sparse: with little invasive tumour."""
    scale = float(rng.uniform(0.72, 1.18))
    names = list(_PATTERNS)
    pattern = names[int(rng.choice(len(names), p=[_PATTERNS[name][0] for name in names]))]
    glass = _glass(rng, side)
    fat = _fat_area(rng, side) & ~glass
    ducts = draw_ducts(rng, side, scale)
    around = ducts.area
    fat &= ~around
    crush = crushed(rng, side)
    tumour, lumen = _nests(rng, side, scale, pattern, fat | glass | around | (crush > 0.5), sparse)
    necrosis = necrotic(rng, tumour, scale)
    tumour &= necrosis < 0.5
    vessel, blood = _vessels(rng, side, scale, tumour | fat | glass | around | (necrosis > 0.1))
    necrosis = np.maximum(necrosis, ducts.necrosis)
    # What lies beside the tissue is cut off with it.
    there = ~glass
    lumen |= ducts.lumen
    septum, globules = _fat_cells(rng, side, scale) if fat.any() else (np.zeros((side, side), np.float32), fat)
    fat_interior = fat & globules & ~tumour & ~lumen
    fibre, angle = _fibres(rng, side, scale)
    fibre = np.maximum(fibre, np.float32(0.95) * ducts.cuff)
    angle = np.where(ducts.along != 0, ducts.along, angle)
    return Tissue(
        pattern=pattern,
        scale=scale,
        tumour=tumour,
        in_situ=ducts.in_situ & there,
        normal=ducts.normal & there,
        rim=ducts.rim & there,
        necrosis=necrosis * there,
        crush=crush * ~(glass | fat | lumen | vessel | around),
        lumen=(lumen & there) | vessel,
        fat=fat_interior,
        glass=glass,
        lymphoid=_lymphoid(rng, side, scale)
        & ~(tumour | lumen | fat | glass | vessel | around | (necrosis > 0.1) | (crush > 0.5)),
        blood=blood,
        septum=np.asarray(septum * (fat & ~tumour), np.float32),
        fibre=fibre,
        fibre_angle=angle,
        looseness=_looseness(rng, tumour, scale),
        thickness=np.asarray(np.exp(np.float32(0.09) * fractal(rng, side, 260, 2)), np.float32),
        stroma_cellularity=float(np.exp(rng.normal(0, 0.45))),
    )


def _glass(rng: np.random.Generator, side: int) -> Mask:
    """The slide beside the tissue: now and then a field lies at a section's rim, or has a tear."""
    if rng.random() > 0.16:
        return np.zeros((side, side), np.bool_)
    angle, share = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.38)
    y, x = (axis * np.float32(2 / side) - 1 for axis in grid(side))
    edge = np.cos(angle) * x + np.sin(angle) * y + 0.12 * fractal(rng, side, 220, 4)
    return above_share(np.asarray(edge, np.float32), share)


def _fat_area(rng: np.random.Generator, side: int) -> Mask:
    if rng.random() > 0.34:
        return np.zeros((side, side), np.bool_)
    return above_share(fractal(rng, side, rng.uniform(140, 420), 3), float(rng.uniform(0.04, 0.5)))


def _nests(
    rng: np.random.Generator, side: int, scale: float, pattern: Pattern, taken: Mask, sparse: bool
) -> tuple[Mask, Mask]:
    """Tumour and the lumina inside it."""
    _, sizes, stretches, cell_shares, lumen_share = _PATTERNS[pattern]
    size = rng.uniform(*sizes) * scale
    field = _bent(rng, side, size, 3, 40 * scale, rng.uniform(*stretches))
    country = _bent(rng, side, rng.uniform(160, 340), 4, 70)
    territory = above_share(country, float(rng.uniform(0.05, 0.12) if sparse else rng.uniform(0.2, 1.0)))
    mask = above_share(field, float(rng.uniform(*cell_shares))) & territory & ~taken
    mask = _tidied(mask, 9 * scale) & ~taken
    lumen = np.zeros_like(mask)
    if lumen_share > 0:
        inside = np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
        wall = np.float32(rng.uniform(19, 27) * scale)
        opened = above_share(_bent(rng, side, 1.6 * size, 3, 30 * scale), lumen_share)
        rough = np.float32(3.5) * fractal(rng, side, 14 * scale, 2)
        lumen = (inside + rough > wall) & opened
        if pattern is Pattern.SHEETS:
            lumen &= smooth(rng, side, 40 * scale) > 0.8
    return mask & ~lumen, lumen


def _vessels(rng: np.random.Generator, side: int, scale: float, taken: Mask) -> tuple[Mask, Plane]:
    """Small vessels in the stroma, and the red cells in some of them."""
    canvas = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.poisson(1.6))):
        centre = (int(rng.integers(side)), int(rng.integers(side)))
        long = rng.uniform(9, 34) * scale
        axes = (int(long), int(long * rng.uniform(0.3, 0.9)))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(1, 3)), -1)
    if not canvas.any():
        return canvas > 0, np.zeros((side, side), np.float32)
    gy, gx = grid(side)
    bend = np.float32(4 * scale) * smooth(rng, side, 20 * scale)
    canvas = np.asarray(cv2.remap(canvas, gx + bend, gy + bend, cv2.INTER_NEAREST), np.uint8)
    vessel = (canvas > 0) & ~taken
    packed = ramp(smooth(rng, side, 5.5 * scale) + np.float32(rng.uniform(-0.4, 1.2)), -0.3, 0.5)
    return vessel, np.asarray(packed * (vessel & (canvas == 2)), np.float32)


def _bent(
    rng: np.random.Generator, side: int, scale: float, octaves: int, amount: float, stretch: float = 1.0
) -> Plane:
    """`fractal`, turned by a random angle and bent by `amount` px, so that stretched features run in no common direction."""
    half = side // 2
    field = fractal(rng, half, scale / 2, octaves, stretch)
    angle = rng.uniform(0, np.pi)
    y, x = (axis - np.float32(half / 2) for axis in grid(half))
    bend = [np.float32(amount / 2) * smooth(rng, half, 90) for _ in range(2)]
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u = c * x + s * y + bend[0] + np.float32(half / 2)
    v = -s * x + c * y + bend[1] + np.float32(half / 2)
    return twice(np.asarray(cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.float32))


def _tidied(mask: Mask, size: float) -> Mask:
    """Without specks and threads that no cell fits into, and without pin-holes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(size) | 1, int(size) | 1))
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, kernel) > 0)


def _fat_cells(rng: np.random.Generator, side: int, scale: float) -> tuple[Plane, Mask]:
    """The walls between fat cells (0..1) and the empty insides, over the whole field."""
    spacing = rng.uniform(62, 112) * scale
    y, x = jittered_grid(rng, side, spacing, 0.34)
    seeds = np.ones((side, side), np.uint8)
    seeds[y, x] = 0
    bend = [np.float32(7 * scale) * smooth(rng, side, 45 * scale) for _ in range(2)]
    gy, gx = grid(side)
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = cv2.remap(
        labels.astype(np.float32), gx + bend[0], gy + bend[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    rim = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    away = np.asarray(cv2.distanceTransform((~rim).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    # Where three walls meet there is a little tissue: the wall widens with smooth noise.
    width = np.float32(0.62 * scale) * np.exp(np.float32(0.55) * smooth(rng, side, 30))
    return ramp(-away / width, -2.0, -0.6), np.asarray(away > 2.4 * width)


def _fibres(rng: np.random.Generator, side: int, scale: float) -> tuple[Plane, Plane]:
    """Wavy collagen: noise stretched along the level lines of a bent phase. Returns density and direction."""
    angle = rng.uniform(0, np.pi)
    half = side // 2
    y, x = (2 * axis for axis in grid(half))
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    waviness = rng.uniform(0.35, 1.2)
    bend = np.float32(60 * waviness) * smooth(rng, half, 130) + np.float32(10 * waviness) * smooth(rng, half, 23)
    ripple = np.float32(2.6 * waviness * scale) * smooth(rng, half, 7 * scale)
    phase = -s * x + c * y + bend
    along = twice(c * x + s * y + np.float32(30) * smooth(rng, half, 100))
    tile = rng.standard_normal((512, 512), dtype=np.float32)
    # The tile repeats after 512 of its own pixels, so at least 1,000 px across, and the two layers repeat apart.
    width, length = rng.uniform(2.6, 5.0) * scale, rng.uniform(13, 38) * scale
    ragged = twice(phase + ripple)
    coarse = sampled(tile, along / np.float32(length), ragged / np.float32(width))
    fine = sampled(tile, along / np.float32(length * 0.5) + 211, ragged / np.float32(width * 0.45) + 97)
    bundles = np.asarray(coarse + np.float32(0.55) * fine + np.float32(0.45) * smooth(rng, side, 50), np.float32)
    # Dense collagen is one pink mass with cracks; loose collagen is separate strands.
    crack = rng.uniform(-2.3, -0.5)
    density = ramp(bundles, crack - 0.6, crack + rng.uniform(0.3, 0.9))
    density *= np.float32(1) + np.float32(0.16) * bundles
    density *= np.float32(1) + np.float32(0.10) * smooth(rng, side, 3.0 * scale)
    small = cv2.resize(phase, (128, 128), interpolation=cv2.INTER_AREA)
    slope_x, slope_y = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    direction = np.arctan2(slope_y, slope_x) + np.float32(np.pi / 2)
    density = np.clip(density, rng.uniform(0.04, 0.2), 1.8)
    return np.asarray(density, np.float32), np.asarray(
        cv2.resize(direction, (side, side), interpolation=cv2.INTER_NEAREST), np.float32
    )


def _lymphoid(rng: np.random.Generator, side: int, scale: float) -> Mask:
    """Loose infiltrates, and in some fields a dense round aggregate."""
    share = max(0.0, float(rng.normal(0.02, 0.05)))
    mask = above_share(fractal(rng, side, rng.uniform(50, 130), 3), min(share, 0.22))
    if rng.random() < 0.12:
        y, x = grid(side)
        cy, cx = rng.uniform(0, side, 2)
        reach = np.float32(rng.uniform(45, 120) * scale) * (1 + np.float32(0.2) * smooth(rng, side, 60))
        mask = mask | ((y - np.float32(cy)) ** 2 + (x - np.float32(cx)) ** 2 < reach**2)
    return mask


def _looseness(rng: np.random.Generator, tumour: Mask, scale: float) -> Plane:
    """Shrinkage clefts: an empty rim outside some nests."""
    side = tumour.shape[0]
    if rng.random() > 0.6:
        return np.zeros((side, side), np.float32)
    outside = np.asarray(cv2.distanceTransform((~tumour).astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    reach = np.float32(rng.uniform(1, 5) * scale) * (smooth(rng, side, 50) + np.float32(rng.uniform(-1.0, 0.6)))
    return np.asarray(ramp(reach - outside, -1, 1.5) * ~tumour, np.float32)


def jittered_grid(
    rng: np.random.Generator, side: int, spacing: float, jitter: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Seeds about `spacing` px apart over a field, rows offset like bricks. Returns (y, x); `jitter` is in spacings."""
    rise = spacing * np.sqrt(3) / 2
    rows, columns = int(side / rise) + 2, int(side / spacing) + 2
    row, column = np.mgrid[0:rows, 0:columns]
    y = (row + rng.normal(0, jitter, row.shape)) * rise
    x = (column + 0.5 * (row % 2) + rng.normal(0, jitter, row.shape)) * spacing
    yi, xi = y.round().astype(np.intp).ravel(), x.round().astype(np.intp).ravel()
    inside = (yi >= 0) & (yi < side) & (xi >= 0) & (xi < side)
    return yi[inside], xi[inside]

"""The cells of a real field, found well enough to stain their outlines: nuclei as seeds, walls where the DAB runs or half-way.

This is no cell segmentation to count by. It has to lay membranes where cells plausibly touch, on tissue that shows none, and
on the real ones where tissue shows them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from training.phantom.cells import Cells, Mask, outlines
from training.phantom.noise import Plane, fractal, ramp
from training.phantom.nuclei import Kind
from training.tissue.separation import Separated

_REACH = 19.0
"""px of 0.46 um: how far a cell reaches from its nucleus' centre at most."""
_SHOWN = 0.15
"""DAB amount on membranes from where they guide the outlines and the tumour."""


def find_cells(rng: np.random.Generator, stains: Separated) -> Cells:
    """Cells of a square field, in the phantom's own terms. Tumour cells are those of the brown or of the deepest blue nests."""
    side = stains.dab.shape[0]
    nuclear = np.asarray(cv2.GaussianBlur(stains.haematoxylin, (0, 0), 2.6), np.float32)
    y, x = _seeds(nuclear)
    if len(y) == 0:
        y, x = np.array([side // 2]), np.array([side // 2])
    tumour_area = _tumour(rng, stains)
    brown = np.asarray(cv2.GaussianBlur(stains.dab, (0, 0), 1.0), np.float32)
    # Walls are the ridges of brown where there is some, and lie away from nuclei; flat ground is shared by distance.
    bright = np.clip(nuclear / max(float(np.quantile(nuclear, 0.98)), 0.05), 0, 1)
    landscape = np.clip(brown / np.float32(0.6), 0, 1) + np.float32(0.25) * (1 - bright)
    half = cv2.resize(landscape.astype(np.float32), (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    markers = np.zeros((side // 2, side // 2), np.int32)
    markers[np.minimum(y // 2, side // 2 - 1), np.minimum(x // 2, side // 2 - 1)] = np.arange(1, len(y) + 1)
    basins = np.asarray(watershed(half, markers, compactness=5e-4), np.float32)  # type: ignore[no-untyped-call]
    # A little noise in where each pixel looks its basin up hides the coarser grid.
    gy, gx = np.mgrid[0:side, 0:side].astype(np.float32)
    bend = [np.float32(0.8) * fractal(rng, side, 9, 2) for _ in range(2)]
    owner = (
        cv2.remap(
            basins,
            (gx + bend[0]) / 2 - 0.25,
            (gy + bend[1]) / 2 - 0.25,
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.intp)
        - 1
    )
    offset_x, offset_y = gx - x.astype(np.float32)[owner], gy - y.astype(np.float32)[owner]
    is_tumour = tumour_area & (offset_x**2 + offset_y**2 < _REACH**2)
    kind = np.where(tumour_area[y, x], Kind.TUMOUR, Kind.STROMA).astype(np.uint8)
    tumour = np.flatnonzero(kind == Kind.TUMOUR)
    rank = np.zeros(len(kind), np.int32)
    rank[tumour] = np.arange(1, len(tumour) + 1, dtype=np.int32)
    tumour_id = np.where(is_tumour, rank[owner], 0).astype(np.int32)
    wall = outlines(tumour_id)
    cover = ramp(stains.haematoxylin, *_nuclear_range(stains.haematoxylin))
    return Cells(
        kind=kind,
        x=x.astype(np.float32) + np.float32(0.5),
        y=y.astype(np.float32) + np.float32(0.5),
        chroma=np.ones(len(kind), np.float32),
        owner=owner,
        tumour=tumour,
        tumour_id=tumour_id,
        offset_x=offset_x,
        offset_y=offset_y,
        nucleus=cover,
        chromatin=np.clip(stains.haematoxylin / max(float(np.quantile(stains.haematoxylin, 0.97)), 0.05), 0.2, 1.8),
        wall=wall,
        wall_distance=np.asarray(cv2.distanceTransform((~wall).astype(np.uint8), cv2.DIST_L2, 5), np.float32),
    )


def _nuclear_range(haematoxylin: Plane) -> tuple[float, float]:
    high = max(float(np.quantile(haematoxylin, 0.96)), 0.06)
    return 0.35 * high, 0.8 * high


def _seeds(nuclear: Plane) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(y, x) of nuclei: peaks of the blurred counterstain, no two within 8 px."""
    peak = nuclear >= cv2.dilate(nuclear, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17)))
    peak &= nuclear > max(0.02, 0.35 * float(np.quantile(nuclear, 0.97)))
    y, x = np.nonzero(peak)
    return y, x


def _tumour(rng: np.random.Generator, stains: Separated) -> Mask:
    """Where membranes show, the brown nests; elsewhere a drawn share of the tissue, where the counterstain is deepest."""
    side = stains.dab.shape[0]
    brown = cv2.GaussianBlur(cv2.morphologyEx(stains.dab, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), (0, 0), 6)
    if float((stains.dab > _SHOWN).mean()) > 0.04:
        return np.asarray(brown > 0.08, np.bool_)
    # Epithelium takes more counterstain than stroma, in its cytoplasm too.
    depth = np.asarray(cv2.GaussianBlur(stains.haematoxylin, (0, 0), 11), np.float32)
    depth = depth / max(float(np.quantile(depth, 0.95)), 1e-6) + np.float32(rng.uniform(0.03, 0.2)) * fractal(
        rng, side, 130, 2
    )
    tissue = cv2.GaussianBlur(stains.haematoxylin + stains.dab, (0, 0), 8) > 0.02
    share = float(rng.uniform(0.25, 0.9))
    if not tissue.any():
        return np.zeros((side, side), np.bool_)
    return np.asarray((depth > np.quantile(depth[tissue], 1 - share)) & tissue, np.bool_)

"""Which nuclei lie beside each other, how far each one's ground reaches, and which two lie inside one membrane."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP, Plane
from her2viewer.scoring.membrane.polar import Centres, along_rays

_NEAR_UM: Final = 7.0
"""Centres further apart than a cell is wide are not looked at as one cell."""
_WALLED: Final = 0.08
"""Optical density by which the ring round a centre has to be browner than the centre to say anything of what it encloses."""
_WALL: Final = 0.3
"""Share of that ring's height from where what lies between two centres is a wall."""
_STEPS: Final = 12
_RING: Final = np.arange(2.0, 6.0 / WORKING_MPP, 1.5, dtype=np.float32)


def territories(shape: tuple[int, ...], centre: Centres) -> NDArray[np.int32]:
    """(h, w) int32: the number of the nearest centre (Voronoi)."""
    height, width = shape[:2]
    seeds = np.full((height, width), 255, np.uint8)
    row, column = _pixels(shape, centre)
    seeds[row, column] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number = np.zeros(int(labels.max()) + 1, np.int32)
    number[labels[row, column]] = np.arange(len(centre))
    return np.asarray(number[labels], np.int32)


def inside_same_membrane(dab: Plane, centre: Centres, strength: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) True for each centre that shares a membrane with a stronger one: no wall between them, but a ring round them.

    Where membranes show nothing, nothing is said of any centre.
    """
    if len(centre) < 2:
        return np.zeros(len(centre), np.bool_)
    one, two = _pairs(territories(dab.shape, centre))
    near = np.hypot(*(centre[one] - centre[two]).T) <= _NEAR_UM / WORKING_MPP
    one, two = one[near], two[near]
    if not len(one):
        return np.zeros(len(centre), np.bool_)
    smooth = np.asarray(cv2.GaussianBlur(dab, (0, 0), 0.8), np.float32)
    ring = along_rays(smooth, centre, _RING)
    own = ring[..., 0].mean(axis=1)
    height = np.median(ring.max(axis=-1), axis=1) - own
    share = np.linspace(0, 1, _STEPS, dtype=np.float32)[:, None, None]
    way = centre[one] * (1 - share) + centre[two] * share
    between = cv2.remap(smooth, way[..., 0] - 0.5, way[..., 1] - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    wall = np.asarray(between).max(axis=0) - np.maximum(own[one], own[two])
    together = (np.minimum(height[one], height[two]) >= _WALLED) & (wall < _WALL * np.minimum(height[one], height[two]))
    weaker = np.where(strength[one] < strength[two], one, two)[together]
    found = np.zeros(len(centre), np.bool_)
    found[weaker] = True
    return found


def third_nearest(shape: tuple[int, ...], centre: Centres) -> NDArray[np.float32]:
    """(n,) px to the third nearest of the centres whose territories touch; inf where there are fewer than three."""
    found = np.full(len(centre), np.inf, np.float32)
    if len(centre) < 2:
        return found
    one, two = _pairs(territories(shape, centre))
    away = np.hypot(*(centre[one] - centre[two]).T)
    start, away = np.concatenate([one, two]), np.concatenate([away, away])
    order = np.lexsort((away, start))
    start, away = start[order], away[order]
    first = np.searchsorted(start, np.arange(len(centre)))
    enough = np.bincount(start, minlength=len(centre)) >= 3
    found[enough] = away[first[enough] + 2]
    return found


def _pairs(owner: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Numbers of territories that touch, each pair once."""
    count = int(owner.max()) + 1
    codes = []
    for a, b in ((owner[:, 1:], owner[:, :-1]), (owner[1:], owner[:-1])):
        differ = a != b
        low, high = np.minimum(a[differ], b[differ]), np.maximum(a[differ], b[differ])
        codes.append(low.astype(np.int64) * count + high)
    pairs = np.unique(np.concatenate(codes))
    return np.asarray(pairs // count, np.intp), np.asarray(pairs % count, np.intp)


def _pixels(shape: tuple[int, ...], centre: Centres) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    row = np.clip(centre[:, 1].astype(np.intp), 0, shape[0] - 1)
    column = np.clip(centre[:, 0].astype(np.intp), 0, shape[1] - 1)
    return row, column

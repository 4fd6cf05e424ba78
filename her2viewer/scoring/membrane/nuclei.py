"""Where the nuclei of an IHC field are: places that are bluer and less brown than what lies round them.

A blob detector over three sizes (difference of Gaussians, Lindeberg 1998) on counterstain minus DAB. The DAB counts against a
nucleus, because a strong membrane hides the counterstain: the pale or blue hole inside a brown ring is a cell, too.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP, DyePlanes, Plane
from her2viewer.scoring.membrane.neighbours import inside_same_membrane
from her2viewer.scoring.membrane.polar import Centres, along_rays, areas, closed_paths, points

_RADII_UM: Final = (1.2, 1.7, 2.4)
_RATIO: Final = 1.6
"""Of the two Gaussians: the nearest to a Laplacian (Marr & Hildreth 1980)."""
_AGAINST_DAB: Final = 0.3
_HOLE: Final = 0.15
_HOLE_UM: Final = 4.6
"""Radius of the widest cell whose inside counts as a hole in the DAB."""
_APART_UM: Final = 2.3
_OVER_NOISE: Final = 5.0
_LEAST: Final = 0.003
_OF_STRONG: Final = 0.25
_AROUND_UM: Final = 25.0
_COARSE: Final = 8
"""px: the grid that strengths are averaged on."""
_FURTHEST_UM: Final = 5.5
_RING: Final = np.arange(2.0, 13.0, 1.5, dtype=np.float32)
_HERE: Final = np.zeros(1, np.float32)
_WALL_SHARE: Final = 0.6
_WALL_LEAST: Final = 0.05
_WALL_BLUE: Final = 2.5
_EMPTY: Final = 0.025


@dataclass(frozen=True, eq=False)
class Nuclei:
    """centre: (n, 2) float32 x, y in working px. outline: (n, RAYS, 2). radius: (n,) of the circle of the same area, px.
    elongation: (n,) long by short axis. strength: (n,) how much bluer than round it, in optical density.
    """

    centre: Centres
    outline: NDArray[np.float32]
    radius: NDArray[np.float32]
    elongation: NDArray[np.float32]
    strength: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.centre)


def find_nuclei(planes: DyePlanes) -> Nuclei:
    """All nuclei of a field, of tumour and of everything else."""
    blue = planes.counterstain - np.float32(_AGAINST_DAB) * planes.dab
    centre, strength = _peaks(_blobs(blue + np.float32(_HOLE) * _holes(planes.dab)), _noise(planes.counterstain))
    kept = _cored(planes, centre)
    centre, strength = centre[kept], strength[kept]
    kept = ~inside_same_membrane(planes.dab, centre, strength)
    centre, strength = centre[kept], strength[kept]
    return _outlined(blue, centre, strength)


def _blobs(blue: Plane) -> Plane:
    best: Plane | None = None
    for um in _RADII_UM:
        sigma = um / WORKING_MPP / 2**0.5
        fine, coarse = (cv2.GaussianBlur(blue, (0, 0), s) for s in (sigma, _RATIO * sigma))
        found = np.asarray(fine - coarse, np.float32)
        best = found if best is None else np.maximum(best, found, out=best)
    assert best is not None
    return best


def _holes(dab: Plane) -> Plane:
    """How much paler each pixel is than the ring of DAB that closes round it (black top-hat), 0 outside rings."""
    height, width = dab.shape
    half = cv2.resize(
        cv2.GaussianBlur(dab, (0, 0), 1.0), (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA
    )
    hat = cv2.morphologyEx(half, cv2.MORPH_BLACKHAT, _disc(_HOLE_UM / 2))
    return np.asarray(cv2.resize(hat, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _noise(counterstain: Plane) -> float:
    """The median of what changes within a pixel or two: grain, as most of a field is no nucleus' rim."""
    fine, coarse = (cv2.GaussianBlur(counterstain, (0, 0), sigma) for sigma in (0.8, 1.6))
    return float(np.median(np.abs(fine - coarse)))


def _peaks(response: Plane, noise: float) -> tuple[Centres, NDArray[np.float32]]:
    """Peaks with no higher one within `_APART_UM` that stand out from the grain and are not faint beside the others."""
    least = max(_LEAST, _OVER_NOISE * noise)
    y, x = np.nonzero((response >= cv2.dilate(response, _disc(_APART_UM))) & (response > least))
    strength = response[y, x]
    kept = strength >= _OF_STRONG * _usual(response.shape, x, y, strength)
    y, x, strength = y[kept], x[kept], strength[kept]
    return np.stack([x, y], axis=1).astype(np.float32) + np.float32(0.5), strength


def _usual(shape: tuple[int, ...], x: NDArray[np.intp], y: NDArray[np.intp], strength: Plane) -> Plane:
    """(n,) how strong peaks are round each, root mean square: pale nuclei beside a strong nest are measured by their like."""
    coarse = shape[0] // _COARSE + 1, shape[1] // _COARSE + 1
    flat = (y // _COARSE) * coarse[1] + x // _COARSE
    squares, number = (
        cv2.GaussianBlur(
            np.bincount(flat, weights=weights, minlength=coarse[0] * coarse[1]).reshape(coarse).astype(np.float32),
            (0, 0), _AROUND_UM / WORKING_MPP / _COARSE,
        )
        for weights in (strength.astype(np.float64) ** 2, np.ones(len(x)))
    )  # fmt: skip
    usual = np.sqrt(squares / np.maximum(number, 1e-9))
    return np.asarray(usual[y // _COARSE, x // _COARSE], np.float32)


def _cored(planes: DyePlanes, centre: Centres) -> NDArray[np.bool_]:
    """Which peaks have a cell's middle: neither as brown as the membranes round them without being blue, nor empty as a lumen."""
    dab, blue = (
        np.asarray(cv2.GaussianBlur(plane, (0, 0), 0.8), np.float32) for plane in (planes.dab, planes.counterstain)
    )
    read = along_rays(dab, centre, _RING)
    own, ring = along_rays(dab, centre, _HERE)[:, 0, 0], np.median(read.max(axis=-1), axis=1)
    nuclear = np.maximum(along_rays(blue, centre, _HERE)[:, 0, 0] - np.float32(_AGAINST_DAB) * own, 0)
    on_wall = (own > _WALL_SHARE * ring) & (own > _WALL_LEAST + _WALL_BLUE * nuclear)
    empty = (own + nuclear < _EMPTY) & (ring > 5 * np.maximum(own, 0.01))
    return np.asarray(~(on_wall | empty), np.bool_)


def _disc(um: float) -> NDArray[np.uint8]:
    reach = round(um / WORKING_MPP)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)), np.uint8)


def _outlined(blue: Plane, centre: Centres, strength: NDArray[np.float32]) -> Nuclei:
    """Each nucleus' rim where blue falls off outwards, and its centre moved to the middle of that."""
    radii = np.arange(1.5, _FURTHEST_UM / WORKING_MPP, 1.0, dtype=np.float32)
    smooth = np.asarray(cv2.GaussianBlur(blue, (0, 0), 0.8), np.float32)
    read = along_rays(smooth, centre, radii)
    fall = read[..., :-1] - read[..., 1:]
    inside = (np.cumsum(read, axis=-1) / np.arange(1, len(radii) + 1, dtype=np.float32))[..., :-1]
    rim = fall + np.float32(0.25) * (inside - read[..., 1:])
    path = closed_paths(np.ascontiguousarray(-rim))
    outline = points(centre, (radii[:-1] + np.float32(0.5))[path])
    area = areas(outline)
    middle = outline.mean(axis=1, keepdims=True)
    spread = np.einsum("nri,nrj->nij", outline - middle, outline - middle) / outline.shape[1]
    low, high = (np.linalg.eigvalsh(spread.astype(np.float64)) if len(centre) else np.zeros((0, 2))).T
    return Nuclei(
        centre=np.asarray(middle[:, 0], np.float32),
        outline=outline,
        radius=np.sqrt(area / np.float32(np.pi)),
        elongation=np.sqrt(high / np.maximum(low, 1e-6)).astype(np.float32),
        strength=strength,
    )

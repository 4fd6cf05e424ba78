"""Closer than the overviews: small windows of both images, read where they lie at finer and finer levels.

An overview of a slide has 20 to 50 micrometres a pixel, which is several cells. Windows spread over the tissue are read at four
times the resolution, and again, to about a micrometre a pixel, so that a slide costs some ten million pixels more.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.registration.patches import LEAST_PEAK, Shifts, found
from her2viewer.imaging.registration.plane import Plane
from her2viewer.imaging.resample import read_through
from her2viewer.imaging.source import ImageSource

_STEP: Final = 4.0
"""From one resolution to the next: what is two pixels off is eight there, within reach."""
_FINEST_UM: Final = 1.0
"""Below this a level shows single cells, which sections do not share."""
_PATCH, _REACH, _MARGIN = 160, 16, 16
"""Pixels: of a patch, around it, and around that for the blur of the features."""
_WINDOWS: Final = 48
_GRID: Final = 14
_LEAST_TEXTURE: Final = 0.2
"""What a place must hold, as mean square of the features, whose spread over the whole overview is 1."""


class Scan(NamedTuple):
    """An image and its overview."""

    source: ImageSource
    plane: Plane


def resolutions(ihc: Scan, ihc_um: float | None) -> Iterator[float]:
    """Level-0 px of the IHC per pixel to look at, from coarse to fine; none where the overview is as fine."""
    finest = 1.0 if ihc_um is None else max(1.0, _FINEST_UM / ihc_um)
    step = ihc.plane.to_source.scale
    while step > 1.25 * finest:
        step = max(step / _STEP, finest)
        yield step


def windows_moved(he: Scan, ihc: Scan, he_to_ihc: Affine, step: float, check: Callable[[], None]) -> Shifts:
    """Shifts of windows over the tissue of both, in px of `step` level-0 px of the IHC."""
    side = _PATCH + 2 * (_REACH + _MARGIN)
    places, shifts, tried = [], [], 0
    for x, y in _places(he.plane, ihc.plane, he_to_ihc).tolist():
        check()
        rectangle = (x - side * step / 2, y - side * step / 2, side * step, side * step)
        fixed, moving = (
            scan.plane.features_of(read_through(scan.source, frame, rectangle, (side, side)))
            for scan, frame in ((ihc, Affine()), (he, he_to_ihc))
        )
        around, within = slice(_MARGIN, side - _MARGIN), slice(_MARGIN + _REACH, side - _MARGIN - _REACH)
        peak = found(fixed[:, around, around], moving[:, within, within])
        if peak is None:
            continue
        tried += 1
        dx, dy, height = peak
        if height >= LEAST_PEAK:
            places.append((x / step, y / step))
            shifts.append((dx, dy))
    return Shifts(np.array(places).reshape(-1, 2), np.array(shifts).reshape(-1, 2), tried)


def _places(he: Plane, ihc: Plane, he_to_ihc: Affine) -> Points:
    """(n, 2) level-0 px of the IHC: an even choice of a grid's places where both show something."""
    height, width = ihc.scanned.shape
    middles = (np.arange(_GRID) + 0.5) / _GRID
    on_ihc = np.stack(np.meshgrid(middles * width, middles * height), axis=-1).reshape(-1, 2)
    laid = he.to_source.then(he_to_ihc).then(ihc.to_source.inverse())
    on_both = np.minimum(cv2.warpAffine(_texture(he), laid.indices, (width, height)), _texture(ihc))
    column, row = on_ihc.astype(np.intp).T
    chosen = on_ihc[on_both[row, column] > _LEAST_TEXTURE]
    even = np.linspace(0, len(chosen) - 1, min(_WINDOWS, len(chosen))).round().astype(np.intp)
    return ihc.to_source.points(chosen[even])


def _texture(plane: Plane) -> NDArray[np.float32]:
    """(h, w) float32: the mean square of the overview's features around each pixel."""
    side = max(3, plane.side // _GRID)
    return np.asarray(cv2.blur((plane.features(plane.side) ** 2).mean(axis=0), (side, side)), np.float32)

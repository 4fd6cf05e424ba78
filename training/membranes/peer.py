"""The same reading by the field's usual way and a library: scikit-image's nuclei, each cell its nucleus and a margin.

Counterstain by `rgb2hed`, nuclei by Otsu's threshold and a watershed of their distance transform, cells by growing them by a
fixed depth or until they meet (`expand_labels`), membranes as the rims of those cells: how QuPath's cell detection and most
published macros go about it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2hed
from skimage.feature import peak_local_max
from skimage.filters import gaussian, threshold_otsu
from skimage.segmentation import expand_labels, find_boundaries, watershed

from her2viewer.imaging.source import RGBImage
from her2viewer.scoring.membrane.measuring import PERCEPTIBLE

_EXPANSION_UM = 2.2
_APART_UM = 2.0
_SMALLEST_UM2 = 5.0
_TO_LOG10 = 6.0
"""`rgb2hed` counts in logarithms to the base of a millionth."""


@dataclass(frozen=True, eq=False)
class PeerCells:
    """centre: (n, 2) x and y, px. completeness, amount: (n,) of the rim; amount in optical density (log10)."""

    centre: NDArray[np.float64]
    completeness: NDArray[np.float64]
    amount: NDArray[np.float64]


def peer_cells(image: RGBImage, mpp: float) -> PeerCells:
    """Cells of an IHC field by scikit-image. image: (h, w, 3) uint8 RGB."""
    hed = rgb2hed(image)
    blue = gaussian(hed[..., 0], 0.6 / mpp)  # type: ignore[no-untyped-call]
    nuclear = blue > threshold_otsu(blue)  # type: ignore[no-untyped-call]
    depth = ndimage.distance_transform_edt(nuclear)
    peaks = peak_local_max(  # type: ignore[no-untyped-call]
        gaussian(depth, 1.0),  # type: ignore[no-untyped-call]
        min_distance=max(1, round(_APART_UM / mpp)),
        labels=nuclear.astype(np.int32),
    )
    markers = np.zeros(nuclear.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    nuclei = watershed(-depth, markers, mask=nuclear)  # type: ignore[no-untyped-call]
    areas = np.bincount(nuclei.ravel(), minlength=len(peaks) + 1)
    nuclei[areas[nuclei] < _SMALLEST_UM2 / mpp**2] = 0
    cells = expand_labels(nuclei, _EXPANSION_UM / mpp)  # type: ignore[no-untyped-call]
    rim = find_boundaries(cells, mode="inner")  # type: ignore[no-untyped-call]
    brown = hed[..., 2] * _TO_LOG10
    numbers = np.flatnonzero(np.bincount(nuclei.ravel(), minlength=len(peaks) + 1)[1:]) + 1
    if not len(numbers):
        return PeerCells(np.zeros((0, 2)), np.zeros(0), np.zeros(0))
    inside = ndimage.median(brown, nuclei, numbers)
    middle = np.array(ndimage.center_of_mass(nuclei > 0, nuclei, numbers))[:, ::-1] + 0.5
    base = np.zeros(len(peaks) + 1)
    base[numbers] = inside
    over = brown - base[cells]
    stained = rim & (over >= PERCEPTIBLE)
    length = np.maximum(ndimage.sum(rim, cells, numbers), 1)
    marked = ndimage.sum(stained, cells, numbers)
    amount = ndimage.sum(np.where(stained, over, 0), cells, numbers) / np.maximum(marked, 1)
    return PeerCells(middle, marked / length, amount)

"""A field's counterstain and DAB as amounts, at the one resolution that cells are measured at."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.separation import concentration
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_estimation import usual_vectors
from her2viewer.imaging.stain_vectors import Dyes

Plane = NDArray[np.float32]
"""(h, w) float32."""

WORKING_MPP: Final = 0.46
"""Micrometres per pixel that every image is brought to first: BCI's, where a faint membrane is little more than a pixel wide."""
COARSEST_MPP: Final = 1.0
"""Above this a membrane of 0.64 um, the width of 1+, is lost in its neighbours: a 10x scan shows 2+ and 3+ at best."""


@dataclass(frozen=True, eq=False)
class DyePlanes:
    """counterstain, dab: (h, w) float32, log10 optical density along the dye's vector, not negative, at `WORKING_MPP`.

    scale: the image's pixels per working pixel, (x, y).
    """

    counterstain: Plane
    dab: Plane
    scale: tuple[float, float]


def dye_planes(image: RGBImage, mpp: float) -> DyePlanes:
    """image: (h, w, 3) uint8 RGB of `mpp` micrometres per pixel. Areas are averaged where it shrinks, linear where it grows."""
    height, width = image.shape[:2]
    factor = mpp / WORKING_MPP
    size = max(1, round(width * factor)), max(1, round(height * factor))
    vectors = usual_vectors(image, Dyes.HAEMATOXYLIN_DAB)
    if size != (width, height):
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        image = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    return DyePlanes(
        counterstain=concentration(image, vectors, 0),
        dab=concentration(image, vectors, 1),
        scale=(width / size[0], height / size[1]),
    )

"""What stands where pixels were taken away."""

from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.stain_estimation import white_of
from her2viewer.scoring.preprocess import WHITE, InputLayout, NetworkInput
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.cells import part

Fill = Literal["glass", "blurred"]

FILLS: Final[dict[Stain, Fill]] = {Stain.IHC: "glass", Stain.HE: "glass"}

_BLUR: Final = 1 / 8
"""Standard deviation of the blur, in sides of a stain's cell."""


def filled(network_input: NetworkInput, layout: InputLayout, fills: dict[Stain, Fill] = FILLS) -> NetworkInput:
    """The composed picture with all of it taken away: (h, w, 3) uint8. Removed pixels are read from here."""
    out = np.empty_like(network_input)
    for stain in layout.order:
        where = part(layout.cell(stain))
        make = _glass if fills[stain] == "glass" else _blurred
        out[where] = make(network_input[where], layout)
    return out


def _glass(cell: NDArray[np.uint8], layout: InputLayout) -> NDArray[np.uint8]:
    """The stain's own empty slide, everywhere."""
    white = np.full(3, WHITE) if layout.white == "background" else white_of(np.ascontiguousarray(cell))
    return np.broadcast_to(white.astype(np.uint8), cell.shape)


def _blurred(cell: NDArray[np.uint8], layout: InputLayout) -> NDArray[np.uint8]:
    """The stain's own picture, of which only a wash of colour is left."""
    sigma = _BLUR * min(cell.shape[:2])
    return np.asarray(cv2.GaussianBlur(cell, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.uint8)

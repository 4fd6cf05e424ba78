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

FILLS: Final[dict[Stain, Fill]] = {Stain.IHC: "glass", Stain.HE: "blurred"}
"""What is removed must leave a field that could be one. An IHC without stain is pale, so glass is what a field of score 0 nearly
looks like, while its blur keeps the DAB that should be gone. An H&E has no pale field; its blur is tissue without cells.

Chosen by the last stage's mean features on 16 phantom pairs (`python -m training trust` measures it for any model): median
distance to the nearest intact field with half of each stain removed / all of it. Glass and blurred 0.457 / 0.68; both glass
0.463 / 0.91; both blurred 0.494 / 0.77; blurred and glass 0.505 / 0.79. From one intact field to the next it is 0.547."""

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

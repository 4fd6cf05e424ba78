"""Which of the nuclei found are of cells that count: those that look epithelial.

Stroma's nuclei are long and lie apart, lymphocytes' are small. That tells them from tumour in three of four only. Invasive
tumour, tumour in situ and normal epithelium cannot be told apart by the look of a cell, and all count.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP
from her2viewer.scoring.membrane.neighbours import third_nearest
from her2viewer.scoring.membrane.nuclei import Nuclei

Weights = tuple[float, float, float, float]

EPITHELIAL: Final[Weights] = (4.36, 2.71, -5.02, -2.0)
"""Weights of a logistic regression on phantoms: of 1, and of the logarithms of a nucleus' radius (um), its elongation and the
distance (um) to the third nearest. Remade by `python -m training membranes --fit`."""
_MARGIN_UM: Final = 1.5
_NO_NEIGHBOUR_UM: Final = 40.0


def looks(nuclei: Nuclei, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(n, 4) what `EPITHELIAL` weighs. shape: of the field, working px."""
    near = np.minimum(third_nearest(shape, nuclei.centre) * WORKING_MPP, _NO_NEIGHBOUR_UM)
    columns = (nuclei.radius * WORKING_MPP, nuclei.elongation, near)
    return np.column_stack([np.ones(len(nuclei)), *(np.log(np.maximum(column, 0.1)) for column in columns)])


def whole(nuclei: Nuclei, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(n,) False for cells whose nucleus touches the field's border."""
    margin = _MARGIN_UM / WORKING_MPP
    x, y = nuclei.centre.T
    return np.asarray((x >= margin) & (y >= margin) & (x <= shape[1] - margin) & (y <= shape[0] - margin), np.bool_)


def counts(nuclei: Nuclei, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(n,) whether each cell counts: whole, and more likely epithelial than not."""
    return np.asarray(whole(nuclei, shape) & (looks(nuclei, shape) @ np.array(EPITHELIAL) >= 0), np.bool_)

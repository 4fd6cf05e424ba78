"""Which of the nuclei found are of cells that count: the shape of an epithelial nucleus, or a membrane round it.

Stroma's nuclei are long, lymphocytes' small and dark with hardly any cell round them. Invasive tumour, tumour in situ and normal epithelium
cannot be told apart by the look of a cell alone, and are all counted.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP
from her2viewer.scoring.membrane.measuring import Membranes
from her2viewer.scoring.membrane.nuclei import Nuclei
from her2viewer.scoring.membrane.outlines import Outlines
from her2viewer.scoring.membrane.polar import areas

MOST_ELONGATED: Final = 1.7
LEAST_CELL_UM2: Final = 30.0
MARGIN_UM: Final = 1.5


def counts(nuclei: Nuclei, outlines: Outlines, membranes: Membranes, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(n,) whether each cell counts. size: (width, height) working px; cells that the field's border cuts off do not."""
    area = areas(outlines.line) * np.float32(WORKING_MPP**2)
    x, y = nuclei.centre.T
    margin = MARGIN_UM / WORKING_MPP
    whole = (x >= margin) & (y >= margin) & (x <= size[0] - margin) & (y <= size[1] - margin)
    return np.asarray(whole & (nuclei.elongation <= MOST_ELONGATED) & (area >= LEAST_CELL_UM2), np.bool_)

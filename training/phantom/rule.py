"""The HER2 score of a set of cells by the ASCO/CAP rule.

Wolff et al. 2018, "HER2 testing in breast cancer: ASCO/CAP clinical practice guideline focused update", fig. 1 and its
notes on unusual patterns; affirmed 2023. The rule is for the invasive component of a slide; here it labels one field.

A cell's grade is what its membrane shows; the field's score is the rule over the shares of the grades.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASSES: Final = ("0", "1+", "2+", "3+")

# Amounts are peak optical densities (log10) of the DAB on a membrane, along the DAB's own stain vector.
PERCEPTIBLE: Final = 0.05
FAINT_BELOW: Final = 0.22
INTENSE_FROM: Final = 0.58
COMPLETE_FROM: Final = 0.9
"""Share of a membrane's length that has to be stained for it to count as circumferential."""
ENOUGH: Final = 0.10
"""More than a tenth of the tumour cells."""
FOCAL: Final = 0.01
"""The guideline names no lower bound for "intense and complete in at most 10%"; below one cell in a hundred it is passed over."""


class Grade(IntEnum):
    """What one cell's membrane shows."""

    NONE = 0
    FAINT_INCOMPLETE = 1
    WEAK_TO_MODERATE = 2
    INTENSE_COMPLETE = 3


def grade_cells(completeness: NDArray[np.floating], intensity: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The grade of each cell. completeness: stained share of the membrane, 0..1; intensity: mean DAB amount where stained.

    Complete: faint or moderate is WEAK_TO_MODERATE, intense is INTENSE_COMPLETE. Incomplete: faint is FAINT_INCOMPLETE;
    moderate or intense counts as WEAK_TO_MODERATE (the guideline's basolateral or lateral pattern, 2+).
    """
    stained = (completeness > 0.05) & (intensity >= PERCEPTIBLE)
    complete = completeness >= COMPLETE_FROM
    grades = np.where(stained, Grade.FAINT_INCOMPLETE, Grade.NONE)
    grades = np.where(stained & (complete | (intensity >= FAINT_BELOW)), Grade.WEAK_TO_MODERATE, grades)
    grades = np.where(stained & complete & (intensity >= INTENSE_FROM), Grade.INTENSE_COMPLETE, grades)
    return np.asarray(grades, np.uint8)


def shares(grades: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """The share of cells in each grade, in the order of `Grade`. Raises ValueError for no cells: the rule needs a tumour."""
    if grades.size == 0:
        raise ValueError("a field without tumour cells has no HER2 score")
    none, faint, moderate, intense = (np.bincount(grades, minlength=4) / grades.size).tolist()
    return none, faint, moderate, intense


def score(grades: NDArray[np.uint8]) -> str:
    """The class of a field from the grades of its tumour cells.

    3+: complete and intense in more than 10%. 2+: complete, weak to moderate (or better) in more than 10%, or complete and
    intense in fewer. 1+: any staining in more than 10%. 0: less.
    """
    _, faint, moderate, intense = shares(grades)
    if intense > ENOUGH:
        return "3+"
    if moderate + intense > ENOUGH or intense > FOCAL:
        return "2+"
    if faint + moderate + intense > ENOUGH:
        return "1+"
    return "0"

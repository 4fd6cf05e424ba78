"""The HER2 score of a set of cells by the ASCO/CAP rule, for cells that were drawn (phantoms) and cells that were measured.

Wolff et al. 2018, "HER2 testing in breast cancer: ASCO/CAP clinical practice guideline focused update", fig. 1 and its
notes on unusual patterns; affirmed 2023. The rule is for the invasive component of a slide; here it is applied to one field.

A cell's grade is what its membrane shows; the field's score is the rule over the shares of the grades.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASSES: Final = ("0", "1+", "2+", "3+")

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


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where one grade ends and the next begins. Intensities have one unit, whatever it is; the others are shares of the outline.

    perceptible: below it there is no staining. faint_below, intense_from: intensity. complete_from: the stained share from which
    a membrane is circumferential. stained_from: the share that is more than a speck.
    """

    perceptible: float
    faint_below: float
    intense_from: float
    complete_from: float
    stained_from: float


def grade_cells(completeness: NDArray[np.floating], intensity: NDArray[np.floating], cuts: Cuts) -> NDArray[np.uint8]:
    """The grade of each cell. completeness: stained share of the membrane, 0..1; intensity: of the DAB where it is stained.

    Complete: faint or moderate is WEAK_TO_MODERATE, intense is INTENSE_COMPLETE. Incomplete: faint is FAINT_INCOMPLETE;
    moderate or intense counts as WEAK_TO_MODERATE (the guideline's basolateral or lateral pattern, 2+).
    """
    stained = (completeness > cuts.stained_from) & (intensity >= cuts.perceptible)
    complete = completeness >= cuts.complete_from
    grades = np.where(stained, Grade.FAINT_INCOMPLETE, Grade.NONE)
    grades = np.where(stained & (complete | (intensity >= cuts.faint_below)), Grade.WEAK_TO_MODERATE, grades)
    grades = np.where(stained & complete & (intensity >= cuts.intense_from), Grade.INTENSE_COMPLETE, grades)
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


def borderline(grades: NDArray[np.uint8]) -> str:
    """A sentence where a share lies so near a tenth that chance among so many cells decides the score; else empty.

    By the 95% interval of a share (Wilson 1927), as if the field's cells were drawn from the tumour's.
    """
    n, scored = grades.size, CLASSES.index(score(grades))
    above = {
        3: ("intense and complete", int((grades == Grade.INTENSE_COMPLETE).sum())),
        2: ("at least weak to moderate", int((grades >= Grade.WEAK_TO_MODERATE).sum())),
        1: ("stained at all", int((grades >= Grade.FAINT_INCOMPLETE).sum())),
    }
    for at, (what, count) in above.items():
        low, high = wilson(count, n)
        # What would be reached from here, or lost: shares of grades further off do not decide.
        if low <= ENOUGH < high and at in (scored, scored + 1):
            return (
                f"{count} of {n} cells ({count / n:.0%}) are {what}, so near a tenth that chance may decide between "
                f"{CLASSES[at - 1]} and {CLASSES[at]}."
            )
    return ""


def wilson(count: int, n: int) -> tuple[float, float]:
    """The 95% interval of a share of `count` of `n`, n > 0."""
    z = 1.96
    share, extra = count / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    half = z * (share * (1 - share) / n + extra / (4 * n)) ** 0.5 / (1 + extra)
    return middle - half, middle + half

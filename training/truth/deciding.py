"""The cells that make a phantom's class what it is, by the ASCO/CAP rule, as masks of both images.

A class is decided by the cells of its own grade: 3+ by intense complete membranes, 2+ by weak to moderate ones, 1+ by faint
incomplete ones. The rule also counts better cells, and some fields need them: where the own grade alone does not carry the
class, the next better grades join until they do (a 2+ by a few intense cells). Only invasive tumour cells that are enough in the
picture to be judged can decide, as in the rule. A field of class 0 has none: what makes it 0 is that nothing is there.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import CLASSES
from her2viewer.scoring.stains import Stain
from training.phantom.pair import Phantom, moved

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Deciding:
    """masks: by stain the deciding cells, membrane and inside, in pixels of its own image, (side, side). cells: how many."""

    masks: dict[Stain, Mask]
    cells: int

    @property
    def area(self) -> float:
        """Their share of the IHC image, 0..1: what a map without any sense of place would score."""
        return float(self.masks[Stain.IHC].mean())


def deciding_grades(grades: NDArray[np.uint8], label: str) -> tuple[int, ...]:
    """The grades whose cells decide. grades: of all cells that count; label: what `rule.score` says of them.

    Empty for class 0. They start at the class's own grade and are as few as give the class by themselves.
    """
    own = CLASSES.index(label)
    if own == 0:
        return ()
    for best in range(own, len(CLASSES)):
        counted = (grades >= own) & (grades <= best)
        if rule.score(np.where(counted, grades, 0).astype(np.uint8)) == label:
            return tuple(range(own, best + 1))
    raise ValueError(f"the rule does not make {label} of these cells")


def deciding_cells(phantom: Phantom) -> Deciding:
    """Of a phantom. The H&E's mask is the same cells where the pair's own misregistration puts them."""
    expression = phantom.expression
    grades = deciding_grades(expression.grade[expression.visible], phantom.label)
    decides = expression.visible & np.isin(expression.grade, grades)
    of_pixel = np.concatenate([[False], decides])[phantom.cells.tumour_id]
    return Deciding({Stain.IHC: of_pixel, Stain.HE: in_he(of_pixel, phantom.shift)}, int(decides.sum()))


def in_he(mask: Mask, shift: NDArray[np.float32]) -> Mask:
    """A mask of the IHC's frame as it lies in the H&E image. shift: as in `Phantom`."""
    return np.asarray(moved(mask.astype(np.float32), shift) >= 0.5, np.bool_)


def on_raster(mask: Mask, side: int) -> Mask:
    """A mask on a coarser raster of the same square: cells of it that are covered by half or more."""
    return np.asarray(cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) >= 0.5, np.bool_)

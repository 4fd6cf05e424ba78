"""The thresholds of a cell's grade, from cells whose grade is known: one half of the phantoms, never the half reported on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import CLASSES, Cuts

_ROUNDS: Final = 4
_GRID: Final = {
    "perceptible": (0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08),
    "faint_below": tuple(np.round(np.geomspace(0.06, 0.4, 18), 3).tolist()),
    "intense_from": tuple(np.round(np.geomspace(0.12, 0.9, 22), 3).tolist()),
    "complete_from": tuple(np.round(np.arange(0.5, 1.0, 0.05), 2).tolist()),
    "stained_from": tuple(np.round(np.arange(0.05, 0.75, 0.05), 2).tolist()),
}


@dataclass(frozen=True, eq=False)
class FieldCells:
    """Cells of one field, and its label. drawn: (n,) the grade of the drawn cell that each is, -1 where it is none."""

    label: str
    completeness: NDArray[np.floating]
    amount: NDArray[np.floating]
    drawn: NDArray[np.int8]

    def of(self, kept: NDArray[np.bool_]) -> "FieldCells":
        """Some of the cells."""
        return replace(self, completeness=self.completeness[kept], amount=self.amount[kept], drawn=self.drawn[kept])

    def grades(self, cuts: Cuts) -> NDArray[np.uint8]:
        return rule.grade_cells(self.completeness, self.amount, cuts)


def quadratic_kappa(truth: NDArray[np.integer], said: NDArray[np.integer], classes: int = 4) -> float:
    """Quadratic weighted kappa (Cohen 1968). truth, said: (n,) 0..classes - 1."""
    table = np.bincount(truth.astype(np.intp) * classes + said.astype(np.intp), minlength=classes**2).reshape(
        classes, classes
    )
    apart = (np.arange(classes)[:, None] - np.arange(classes)) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / max(table.sum(), 1)
    expected = (apart * chance).sum()
    return float(1 - (apart * table).sum() / expected) if expected else float("nan")


def agreement(fields: Sequence[FieldCells], cuts: Cuts) -> tuple[float, float]:
    """Quadratic kappa of the cells that were matched, and of the fields."""
    grades = [field.grades(cuts) for field in fields]
    known = [field.drawn >= 0 for field in fields]
    cells = quadratic_kappa(
        np.concatenate([field.drawn[k] for field, k in zip(fields, known, strict=True)]),
        np.concatenate([grade[k] for grade, k in zip(grades, known, strict=True)]),
    )
    scored = [
        (CLASSES.index(f.label), CLASSES.index(rule.score(g))) for f, g in zip(fields, grades, strict=True) if len(g)
    ]
    return cells, quadratic_kappa(*np.array(scored).T)


def fitted(fields: Sequence[FieldCells], start: Cuts) -> Cuts:
    """The cuts at which cells and fields agree best with the truth (mean of both kappas), one threshold at a time over a grid."""
    best, cuts = sum(agreement(fields, start)), start
    for _ in range(_ROUNDS):
        before = cuts
        for name, values in _GRID.items():
            for value in values:
                tried = replace(cuts, **{name: float(value)})
                if tried.faint_below >= tried.intense_from:
                    continue
                found = sum(agreement(fields, tried))
                if found > best + 1e-6:
                    best, cuts = found, tried
        if cuts == before:
            break
    return cuts

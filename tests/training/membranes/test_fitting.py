"""Thresholds found again from cells that were graded by them."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import Cuts
from training.membranes.fitting import FieldCells, agreement, fitted, quadratic_kappa

TRUE = Cuts(perceptible=0.05, faint_below=0.15, intense_from=0.4, complete_from=0.8, stained_from=0.2)


def fields() -> list[FieldCells]:
    rng = np.random.default_rng(2)
    made = []
    for strength in np.geomspace(0.02, 0.8, 16):
        completeness = rng.beta(4 * strength + 0.5, 0.6, 200)
        amount = strength * rng.lognormal(0, 0.4, 200)
        grade = rule.grade_cells(completeness, amount, TRUE)
        made.append(FieldCells(rule.score(grade), completeness, amount, grade.astype(np.int8)))
    return made


def test_kappa_is_scikit_learn_s() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.integers(0, 4, 300), rng.integers(0, 4, 300)
    assert quadratic_kappa(one, two) == pytest.approx(cohen_kappa_score(one, two, weights="quadratic"))


def test_thresholds_come_back_nearly() -> None:
    start = Cuts(perceptible=0.0, faint_below=0.06, intense_from=0.8, complete_from=0.5, stained_from=0.6)
    known = fields()
    found = fitted(known, start)
    assert sum(agreement(known, found)) > 1.9 > sum(agreement(known, start))
    assert found.intense_from == pytest.approx(TRUE.intense_from, rel=0.15)

"""Two models on the same fields: is the difference more than chance?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from her2viewer.errors import UserError
from training.data.index import CLASSES
from training.evaluation.figures import Figure, Labels, Resampling, kappa


@dataclass(frozen=True, slots=True)
class Comparison:
    """This evaluation less the other one, on the same fields.

    only_this, only_other: fields that one of the two alone scored exactly. p_value: McNemar's exact test, two-sided, of
    these; it takes fields as independent.
    """

    other: str
    fields: int
    accuracy: Figure
    kappa: Figure
    only_this: int
    only_other: int
    p_value: float


def compared(
    truth: Labels, said: Labels, other: Labels, name: str, groups: tuple[str, ...] | None = None, resamples: int = 1000
) -> Comparison:
    """Paired bootstrap of the differences in accuracy and kappa (the same resample of fields for both), and McNemar's test.

    truth, said, other: (n,) class indices, field by field. McNemar 1947, in its exact form: a binomial test of the fields
    on which exactly one of the two is right.
    """
    draw = Resampling(len(truth), groups, resamples)
    gained, lost = int(((said == truth) & (other != truth)).sum()), int(((said != truth) & (other == truth)).sum())
    return Comparison(
        name,
        len(truth),
        draw.figure("difference in accuracy", _exact_difference, truth, said, other),
        draw.figure("difference in quadratic weighted kappa", _kappa_difference, truth, said, other),
        gained,
        lost,
        float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0,
    )


def compared_rows(
    rows: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]],
    name: str,
    groups: tuple[str, ...] | None = None,
    resamples: int = 1000,
) -> Comparison:
    """Two evaluations by their rows (`case_id`, `label`, `said`). Raises UserError where they are not of the same fields."""
    theirs = {row["case_id"]: row for row in others}
    mine = {row["case_id"] for row in rows}
    if set(theirs) != mine:
        raise UserError(
            f"{name} is of other fields: {len(mine & set(theirs))} of {len(mine)} are in both",
            remedy="evaluate both models on the same data and split",
        )
    if relabelled := [row["case_id"] for row in rows if theirs[row["case_id"]]["label"] != row["label"]]:
        raise UserError(
            f"{name} has another label for {relabelled[0]}"
            + (f" and {len(relabelled) - 1} more" if len(relabelled) > 1 else ""),
            remedy="evaluate both models with the same labels",
        )
    kept = [k for k, row in enumerate(rows) if row["said"] is not None and theirs[row["case_id"]]["said"] is not None]
    if not kept:
        raise UserError(f"{name} shares no field that both models scored", remedy="evaluate both models again")
    truth, said = (_indices(rows[k][column] for k in kept) for column in ("label", "said"))
    other = _indices(theirs[rows[k]["case_id"]]["said"] for k in kept)
    return compared(truth, said, other, name, None if groups is None else tuple(groups[k] for k in kept), resamples)


def _indices(names: Any) -> NDArray[np.intp]:
    return np.array([CLASSES.index(name) for name in names], np.intp)


def _exact_difference(truth: Labels, said: Labels, other: Labels) -> float:
    return float((said == truth).mean() - (other == truth).mean())


def _kappa_difference(truth: Labels, said: Labels, other: Labels) -> float:
    return kappa(truth, said) - kappa(truth, other)

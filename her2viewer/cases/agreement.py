"""How far two readings of the same fields agree: scores and labels, a reader and the model. Every figure has an interval."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.rule import wilson

_DRAWS: Final = 2000
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """Two readings of n fields. counts: (classes, classes) int64, the first reading down, the second across; read-only.

    exact, within_one: shares of the fields, intervals after Wilson 1927, None without fields. kappa: quadratic weighted (Cohen
    1968), its interval by drawing the fields again 2,000 times from one seed (Efron and Tibshirani 1993, percentiles): it has no
    width where all agree. None where one class alone was given by both.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    exact: Figure | None
    within_one: Figure | None
    kappa: Figure | None

    @property
    def fields(self) -> int:
        return int(self.counts.sum())

    @classmethod
    def of(cls, classes: Sequence[str], readings: Iterable[tuple[str, str]]) -> "Agreement":
        """classes: in their order; readings: of each field the first and the second. Raises KeyError for a class not named."""
        place = {name: at for at, name in enumerate(classes)}
        counts = np.zeros((len(place), len(place)), np.int64)
        for first, second in readings:
            counts[place[first], place[second]] += 1
        counts.setflags(write=False)
        steps = np.abs(np.subtract.outer(np.arange(len(place)), np.arange(len(place))))
        return cls(tuple(classes), counts, _share(counts, steps == 0), _share(counts, steps <= 1), _kappa(counts))


def quadratic_weighted_kappa(counts: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float64]:
    """1 - observed over expected squared distance. counts: (..., classes, classes). Not a number where nothing was to be told."""
    counts = np.asarray(counts, np.float64)
    size = counts.shape[-1]
    weights = np.subtract.outer(np.arange(size), np.arange(size)).astype(np.float64) ** 2
    total = counts.sum((-2, -1))
    chance = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa: NDArray[np.float64] = 1 - (counts * weights).sum((-2, -1)) * total / (chance * weights).sum((-2, -1))
    return kappa


def _share(counts: NDArray[np.int64], where: NDArray[np.bool_]) -> Figure | None:
    of, hits = int(counts.sum()), int(counts[where].sum())
    return None if of == 0 else Figure(hits / of, *wilson(hits, of))


def _kappa(counts: NDArray[np.int64]) -> Figure | None:
    of = int(counts.sum())
    value = float(quadratic_weighted_kappa(counts)) if of else float("nan")
    if not np.isfinite(value):
        return None
    drawn = np.random.default_rng(_SEED).multinomial(of, counts.ravel() / of, _DRAWS).reshape(_DRAWS, *counts.shape)
    values = quadratic_weighted_kappa(drawn)
    low, high = np.quantile(values[np.isfinite(values)], (0.025, 0.975))
    return Figure(value, float(low), float(high))

"""The figures of an evaluation: plain data, each with its interval, or a word where nothing can be said."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import auc, brier_score_loss, log_loss
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_calibration_error,
    multiclass_cohen_kappa,
    multiclass_f1_score,
)

from her2viewer.scoring.package import SET_SIZE
from training.data.index import CLASSES

BINS: Final = 15
"""Of equal width, for the expected calibration error."""
FEW: Final = 10
"""Hits or misses below which a bootstrap interval is too narrow (of no width without a miss): Wilson's is used."""
FEWEST: Final = 5
"""Independent fields (or slides) below which nothing is resampled."""

Labels = NDArray[np.intp]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its 95% interval. value: None where nothing can be said, and `note` then says why.

    interval: 'bootstrap' (percentile), 'Wilson' or '' where there is none. fields: how many fields it was measured on.
    """

    name: str
    value: float | None
    fields: int
    low: float | None = None
    high: float | None = None
    interval: str = ""
    note: str = ""

    @property
    def reach(self) -> tuple[float, float]:
        """The interval's ends, or the value twice where there is none. Raises ValueError without a value."""
        if self.value is None:
            raise ValueError(f"{self.name}: {self.note}")
        return (self.value, self.value) if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Figures:
    """What an outcome is worth. Shares are 0..1; per-class figures go by class name.

    error_raw, error: expected calibration error (15 bins of equal width) before and after temperature scaling; brier and
    log_loss of the calibrated probabilities. area: mean accuracy over all coverages, fields being left out from the least
    confident on. coverage, set_size: of the conformal set. exact_called: accuracy without the fields of no call. remarks: what a
    reader should know, in sentences.
    """

    fields: int
    exact: Figure
    within_one: Figure
    beyond: Figure
    macro_f1: Figure
    kappa: Figure
    recalls: dict[str, Figure]
    roc_auc: Figure
    roc_aucs: dict[str, Figure]
    error_raw: Figure
    error: Figure
    brier_raw: Figure
    brier: Figure
    log_loss_raw: Figure
    log_loss: Figure
    area: Figure
    exact_at_90: Figure
    coverage: Figure
    coverages: dict[str, Figure]
    set_size: Figure
    set_sizes: dict[str, Figure]
    no_call: Figure
    exact_called: Figure
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON: as nested objects."""
        return asdict(self)


class Scored(Protocol):
    """What figures are taken of: an `Outcome`, or anything that has the same columns."""

    @property
    def probabilities(self) -> Shares: ...
    @property
    def raw(self) -> Shares: ...
    @property
    def truth(self) -> Labels: ...
    @property
    def sets(self) -> NDArray[np.bool_]: ...
    @property
    def no_call(self) -> NDArray[np.bool_]: ...
    @property
    def groups(self) -> tuple[str, ...] | None: ...


def figures_of(outcome: Scored, *, resamples: int = 1000) -> Figures:
    """Every figure of an outcome, with 95% intervals.

    Where each field's slide or patient is known, whole groups are resampled, since fields of one slide are no independent
    cases. Fields whose probabilities are not finite are left out and counted in a remark.
    """
    probabilities, raw, truth = outcome.probabilities, outcome.raw, outcome.truth
    sets, no_call, groups = outcome.sets, outcome.no_call, outcome.groups
    finite = np.isfinite(probabilities).all(axis=1) & np.isfinite(raw).all(axis=1)
    remarks = []
    if lost := int((~finite).sum()):
        remarks.append(f"{lost} of {len(truth)} fields got no finite probabilities and are left out of every figure.")
        probabilities, raw, truth = probabilities[finite], raw[finite], truth[finite]
        sets, no_call = sets[finite], no_call[finite]
        groups = None if groups is None else tuple(np.array(groups)[finite].tolist())
    said = probabilities.argmax(axis=1) if len(truth) else truth
    if absent := [name for c, name in enumerate(CLASSES) if not (truth == c).any()]:
        remarks.append(f"No field is labelled {' or '.join(absent)}: nothing is said of that.")
    draw = Resampling(len(truth), groups, resamples)
    exact, within = said == truth, np.abs(said - truth) <= 1
    has_sets = bool(sets.any())
    covered = sets[np.arange(len(truth)), truth]
    without = "the model has no conformal quantile"
    sizes = sets.sum(axis=1).astype(np.float64)
    return Figures(
        fields=len(truth),
        exact=draw.share("accuracy", exact),
        within_one=draw.share("within one grade", within),
        beyond=draw.share("errors of more than one grade", ~within),
        macro_f1=draw.figure("macro-F1", macro_f1, truth, said),
        kappa=draw.figure("quadratic weighted kappa", kappa, truth, said),
        recalls={name: _of_class(draw, "recall of", c, truth, said == c) for c, name in enumerate(CLASSES)},
        roc_auc=draw.figure("ROC-AUC, one against rest, macro", macro_auc, truth, probabilities),
        roc_aucs={
            name: _auc_figure(f"ROC-AUC of {name}", c, truth, probabilities) for c, name in enumerate(CLASSES)
        },
        error_raw=_plain("expected calibration error before scaling", calibration_error, raw, truth),
        error=_plain("expected calibration error", calibration_error, probabilities, truth),
        brier_raw=_plain("Brier score before scaling", _brier, raw, truth),
        brier=_plain("Brier score", _brier, probabilities, truth),
        log_loss_raw=_plain("negative log-likelihood before scaling", _log_loss, raw, truth),
        log_loss=_plain("negative log-likelihood", _log_loss, probabilities, truth),
        area=_plain("area under the coverage-accuracy curve", lambda p, t: coverage_accuracy(p, t)[2], probabilities, truth),
        exact_at_90=_at_90(probabilities, exact),
        coverage=draw.share("label in the prediction set", covered)
        if has_sets
        else Figure("label in the prediction set", None, len(truth), note=without),
        coverages={
            name: _of_class(draw, "prediction sets holding", c, truth, covered, "" if has_sets else without)
            for c, name in enumerate(CLASSES)
        },
        set_size=draw.figure(SET_SIZE, np.mean, sizes) if has_sets else Figure(SET_SIZE, None, len(truth), note=without),
        set_sizes={
            name: _mean(f"mean set size of {name}", sizes[truth == c] if has_sets else None, without)
            for c, name in enumerate(CLASSES)
        },
        no_call=draw.share("no call", no_call),
        exact_called=wilson("accuracy where a score is called", exact[~no_call]),
        remarks=tuple(remarks),
    )  # fmt: skip


class Resampling:
    """Bootstrap of fields, or of whole groups of them, always from the same seed: two figures see the same resamples."""

    def __init__(self, fields: int, groups: tuple[str, ...] | None = None, resamples: int = 1000) -> None:
        names = np.arange(fields) if groups is None else np.unique(np.array(groups), return_inverse=True)[1]
        self._members = [np.flatnonzero(names == name) for name in range(int(names.max()) + 1)] if fields else []
        self._grouped = groups is not None
        self._resamples = resamples
        self._drawn: list[NDArray[np.intp]] = []

    def interval(self, statistic: Callable[[NDArray[np.intp]], float]) -> tuple[float, float] | None:
        """The 2.5th and 97.5th percentile of a statistic of field indices; None for fewer than five fields or groups.

        Resamples in which the statistic says nothing (NaN) are passed over, up to half of them. Efron and Tibshirani 1993,
        chapter 13.
        """
        if len(self._members) < FEWEST:
            return None
        values = np.array([statistic(rows) for rows in self._resampled()])
        values = values[np.isfinite(values)]
        if len(values) < self._resamples / 2:
            return None
        low, high = np.percentile(values, (2.5, 97.5))
        return float(low), float(high)

    def _resampled(self) -> list[NDArray[np.intp]]:
        if not self._drawn:
            count = len(self._members)
            picks = np.random.default_rng(0).integers(0, count, (self._resamples, count))
            self._drawn = [np.concatenate([self._members[k] for k in row]) for row in picks]
        return self._drawn

    def _reaches(self, table: Shares) -> Shares:
        """(fields, columns) -> (2, columns): the ends of each column's mean."""
        means = np.array([table[rows].mean(axis=0) for rows in self._resampled()])
        return np.asarray(np.percentile(means, (2.5, 97.5), axis=0), np.float64)

    def figure(self, name: str, statistic: Callable[..., float], *data: NDArray[Any]) -> Figure:
        """A statistic of arrays of one row a field, with its interval."""
        if not len(data[0]):
            return Figure(name, None, 0, note="no field")
        value = statistic(*data)
        if not np.isfinite(value):
            return Figure(name, None, len(data[0]), note=UNDEFINED)
        reach = self.interval(lambda rows: statistic(*(column[rows] for column in data)))
        if reach is None:
            return Figure(name, value, len(data[0]), note="too few independent fields for an interval")
        return Figure(name, value, len(data[0]), *reach, "bootstrap")

    def means(self, values: Mapping[str, Shares]) -> dict[str, Figure]:
        """The mean of each of several columns of one row a field, by name, with its interval; all over the same resamples."""
        table = np.stack(list(values.values()), axis=1)
        reaches = self._reaches(table) if len(self._members) >= FEWEST else None
        found = {}
        for k, name in enumerate(values):
            if not len(table):
                found[name] = Figure(name, None, 0, note="no field")
            elif reaches is None:
                note = "too few independent fields for an interval"
                found[name] = Figure(name, float(table[:, k].mean()), len(table), note=note)
            else:
                low, high = reaches[:, k].tolist()
                found[name] = Figure(name, float(table[:, k].mean()), len(table), low, high, "bootstrap")
        return found

    def share(self, name: str, hits: NDArray[np.bool_]) -> Figure:
        """A share of fields: bootstrap, or Wilson where hits or misses are few and no groups are known."""
        n = len(hits)
        if not n:
            return Figure(name, None, 0, note="no field")
        few = min(int(hits.sum()), n - int(hits.sum())) < FEW
        if few or len(self._members) < FEWEST:
            return wilson(name, hits, note="fields of one slide taken as independent" if self._grouped else "")
        reach = self.interval(lambda rows: float(hits[rows].mean()))
        assert reach is not None
        return Figure(name, float(hits.mean()), n, *reach, "bootstrap")


UNDEFINED: Final = "not defined here: one class only"


def wilson(name: str, hits: NDArray[np.bool_], *, note: str = "") -> Figure:
    """A share with Wilson's score interval (1927)."""
    if not len(hits):
        return Figure(name, None, 0, note="no field")
    reach = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return Figure(name, float(hits.mean()), len(hits), float(reach.low), float(reach.high), "Wilson", note)


def kappa(truth: Labels, said: Labels) -> float:
    """Quadratic weighted kappa (Cohen 1968); NaN where all labels are of one class, since it is 0 then whatever is said."""
    if len(np.unique(truth)) < 2:
        return float("nan")
    # torchmetrics here and below, since scikit-learn takes 16 times as long, which a thousand resamples feel.
    found = multiclass_cohen_kappa(
        torch.from_numpy(said), torch.from_numpy(truth), len(CLASSES), weights="quadratic", validate_args=False
    )
    return float(found)


def macro_f1(truth: Labels, said: Labels) -> float:
    """Mean F1 of the classes that are among the labels."""
    of_classes = multiclass_f1_score(
        torch.from_numpy(said), torch.from_numpy(truth), len(CLASSES), average=None, validate_args=False
    )
    return float(of_classes[np.unique(truth)].mean())


def macro_auc(truth: Labels, probabilities: Shares) -> float:
    """Mean area under the ROC curve of each class against the rest, over the classes that are there; NaN for one class."""
    found = [_auc_of(c)(truth, probabilities) for c in np.unique(truth)]
    return float(np.mean(found))


def _auc_of(c: int) -> Callable[[Labels, Shares], float]:
    def of_class(truth: Labels, probabilities: Shares) -> float:
        if (truth == c).all() or not (truth == c).any():
            return float("nan")
        rows = torch.from_numpy(np.ascontiguousarray(probabilities[:, c]))
        return float(binary_auroc(rows, torch.from_numpy(truth == c).long(), validate_args=False))

    return of_class


def _auc_figure(name: str, c: int, truth: Labels, probabilities: Shares) -> Figure:
    value = _auc_of(c)(truth, probabilities) if len(truth) else float("nan")
    if np.isfinite(value):
        return Figure(name, value, len(truth))
    return Figure(name, None, len(truth), note="no field of this label" if not (truth == c).any() else UNDEFINED)


def calibration_error(probabilities: Shares, truth: Labels) -> float:
    """Expected calibration error, l1, of the class that was said (Guo et al. 2017, eq. 3)."""
    return float(
        multiclass_calibration_error(
            torch.from_numpy(probabilities).float(), torch.from_numpy(truth), len(CLASSES), n_bins=BINS
        )
    )


def coverage_accuracy(probabilities: Shares, truth: Labels) -> tuple[Shares, Shares, float]:
    """Share of fields kept, accuracy among them, and the area under that curve as a mean accuracy.

    Fields are kept from the most confident on; those of one confidence together. Both arrays: (steps,), the last at 1.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum((probabilities.argmax(axis=1) == truth)[order])
    kept = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    coverage, accuracy = (kept + 1) / len(truth), hits[kept] / (kept + 1)
    area = auc(coverage, accuracy) / (1 - coverage[0]) if len(kept) > 1 else float(accuracy[0])
    return coverage, accuracy, float(area)


def _at_90(probabilities: Shares, exact: NDArray[np.bool_]) -> Figure:
    n = len(exact)
    kept = np.argsort(-probabilities.max(axis=1), kind="stable")[: int(np.ceil(0.9 * n))] if n else np.arange(0)
    return wilson("accuracy at 90% coverage", exact[kept])


def _of_class(
    draw: Resampling, words: str, c: int, truth: Labels, hits: NDArray[np.bool_], without: str = ""
) -> Figure:
    name = f"{words} {CLASSES[c]}"
    if without:
        return Figure(name, None, int((truth == c).sum()), note=without)
    if not (truth == c).any():
        return Figure(name, None, 0, note="no field of this label")
    return wilson(name, hits[truth == c])


def _mean(name: str, sizes: Shares | None, without: str) -> Figure:
    if sizes is None or not len(sizes):
        return Figure(name, None, 0, note=without if sizes is None else "no field of this label")
    return Figure(name, float(sizes.mean()), len(sizes))


def _plain(name: str, statistic: Callable[[Shares, Labels], float], probabilities: Shares, truth: Labels) -> Figure:
    if not len(truth):
        return Figure(name, None, 0, note="no field")
    return Figure(name, statistic(probabilities, truth), len(truth))


def _brier(probabilities: Shares, truth: Labels) -> float:
    return float(brier_score_loss(truth, probabilities, labels=list(range(len(CLASSES))), scale_by_half=False))


def _log_loss(probabilities: Shares, truth: Labels) -> float:
    return float(log_loss(truth, probabilities, labels=list(range(len(CLASSES)))))

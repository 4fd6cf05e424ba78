"""Measures a model package on labelled pairs, by the viewer's own way from file to probabilities."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score, recall_score
from torchmetrics.functional.classification import multiclass_calibration_error

from her2viewer.cases.case import open_pair
from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from her2viewer.scoring.package import Metric
from her2viewer.scoring.scorer import Scorer
from training.data.index import CLASSES


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a model said of labelled fields. `probabilities`: (n, classes) float64; `truth`, `said`: (n,) class indices."""

    dataset: str
    probabilities: NDArray[np.float64]
    truth: NDArray[np.intp]
    covered: NDArray[np.bool_]
    no_call: NDArray[np.bool_]

    @property
    def said(self) -> NDArray[np.intp]:
        return np.asarray(self.probabilities.argmax(axis=1))


def predict(
    scorer: Scorer, pairs: Sequence[Pair], dataset: str, progress: Callable[[int], None] = lambda done: None
) -> Outcome:
    """Scores labelled pairs one by one, from their files. Raises UserError for one that cannot be read."""
    if not pairs:
        raise UserError(f"there is no pair to evaluate in {dataset}", remedy="name a folder or a split that holds some")
    rows, covered, no_call = [], [], []
    for done, pair in enumerate(pairs, 1):
        with open_pair(pair.he, pair.ihc) as opened:
            prediction = scorer.score(opened.read()).prediction
        rows.append(prediction.probabilities)
        covered.append(pair.label in prediction.prediction_set)
        no_call.append(prediction.no_call is not None)
        progress(done)
    truth = np.array([CLASSES.index(pair.label or "") for pair in pairs])
    return Outcome(dataset, np.array(rows), truth, np.array(covered), np.array(no_call))


def metrics(outcome: Outcome) -> tuple[Metric, ...]:
    """Figures with 95% intervals: Wilson for shares (exact, within one grade, covered), bootstrap for the quadratic kappa."""
    truth, said, n = outcome.truth, outcome.said, len(outcome.truth)
    found = [
        _share("accuracy", said == truth, outcome.dataset),
        _share("within one grade", np.abs(said - truth) <= 1, outcome.dataset),
        _kappa(truth, said, outcome.dataset),
        Metric(dataset=outcome.dataset, name="macro-F1", value=_f1(truth, said), fields=n),
        Metric(dataset=outcome.dataset, name="expected calibration error", value=_calibration_error(outcome), fields=n),
        _share("label in the prediction set", outcome.covered, outcome.dataset),
        _share("no call", outcome.no_call, outcome.dataset),
    ]
    recalls = recall_score(truth, said, labels=range(len(CLASSES)), average=None, zero_division=0)
    for c, name in enumerate(CLASSES):
        if (of_class := truth == c).any():
            share = _share(f"recall of {name}", said[of_class] == c, outcome.dataset)
            assert abs(share.value - recalls[c]) < 1e-9
            found.append(share)
    return tuple(found)


def confusion(outcome: Outcome) -> NDArray[np.intp]:
    """(classes, classes) counts; rows are the labels, columns what the model said."""
    return np.asarray(confusion_matrix(outcome.truth, outcome.said, labels=range(len(CLASSES))))


def _share(name: str, hits: NDArray[np.bool_], dataset: str) -> Metric:
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    return Metric(
        dataset=dataset,
        name=name,
        value=float(hits.mean()),
        low=float(interval.low),
        high=float(interval.high),
        fields=len(hits),
    )


def _kappa(truth: NDArray[np.intp], said: NDArray[np.intp], dataset: str) -> Metric:
    def kappa(t: NDArray[np.intp], s: NDArray[np.intp]) -> float:
        # A resample in which both hold one and the same class has no chance agreement to compare with.
        if len(np.unique(np.concatenate([t, s]))) == 1:
            return 0.0
        return float(cohen_kappa_score(t, s, weights="quadratic", labels=range(len(CLASSES))))

    value, low, high = kappa(truth, said), None, None
    if len(truth) >= 5:
        interval = bootstrap(
            (truth, said), kappa, paired=True, vectorized=False, n_resamples=2000, method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        low, high = float(interval.low), float(interval.high)
    return Metric(dataset=dataset, name="quadratic weighted kappa", value=value, low=low, high=high, fields=len(truth))


def _f1(truth: NDArray[np.intp], said: NDArray[np.intp]) -> float:
    present = sorted(set(truth.tolist()))
    return float(f1_score(truth, said, labels=present, average="macro", zero_division=0))


def _calibration_error(outcome: Outcome) -> float:
    error = multiclass_calibration_error(
        torch.from_numpy(outcome.probabilities).float(), torch.from_numpy(outcome.truth), len(CLASSES), n_bins=15
    )
    return float(error)


def folder_name(path: Path) -> str:
    """What a data set is called where the user gave it no name: its folder's name, never the way to it."""
    return path.resolve().name

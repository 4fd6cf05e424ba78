"""What a model said of labelled fields, by the viewer's own way from file to probabilities, and the figures of its card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import confusion_matrix

from her2viewer.cases.case import open_pair
from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.confidence import calibrated, no_call, prediction_set
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.package import Calibration, Metric
from her2viewer.scoring.prediction import FieldOfView, Prediction
from her2viewer.scoring.scorer import Scorer
from training.data.index import CLASSES
from training.data.search import files_of
from training.evaluation.figures import figures_of

LEAST = 1e-300
"""What a probability of 0 counts as where its logarithm is taken."""


@dataclass(frozen=True, eq=False, slots=True)
class Outcome:
    """What a model said of labelled fields.

    probabilities: (n, classes) float64, calibrated; truth, said: (n,) class indices; sets: (n, classes), which classes the
    conformal set of each field holds (nowhere one: the model has no quantile); no_call: (n,). temperature: what the logits
    were divided by. groups: (n,) slide or patient of each field, or None where it is not known.
    """

    dataset: str
    probabilities: NDArray[np.float64]
    truth: NDArray[np.intp]
    sets: NDArray[np.bool_]
    no_call: NDArray[np.bool_]
    temperature: float = 1.0
    groups: tuple[str, ...] | None = None

    @property
    def said(self) -> NDArray[np.intp]:
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(n,): whether the label is in the conformal set."""
        return np.asarray(self.sets[np.arange(len(self.truth)), self.truth])

    @property
    def raw(self) -> NDArray[np.float64]:
        """(n, classes): the probabilities before temperature scaling.

        T log p equals the logits but for a constant of each field, which softmax does not see (Guo et al. 2017, eq. 9).
        """
        return np.asarray(softmax(log_probabilities(self.probabilities) * self.temperature, axis=1))


def log_probabilities(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, classes) natural logarithms, finite where a probability is 0."""
    return np.asarray(np.log(np.maximum(probabilities, LEAST)))


def outcome_of_logits(
    dataset: str, logits: NDArray[np.floating], truth: NDArray[np.intp], calibration: Calibration
) -> Outcome:
    """The outcome of a network that has not become a package yet. logits: (n, classes); truth: (n,) class indices."""
    probabilities = calibrated(np.asarray(logits, np.float32), calibration.temperature)
    sets = [prediction_set(row, CLASSES, calibration.conformal) for row in probabilities.tolist()]
    unsaid = np.array([no_call(members, CLASSES, ()) is not None for members in sets], bool)
    return Outcome(dataset, probabilities, truth, _as_matrix(sets), unsaid, calibration.temperature)


def predict(
    scorer: Scorer,
    pairs: Sequence[Pair],
    dataset: str,
    progress: Callable[[int], None] = lambda done: None,
    *,
    flips: bool = False,
) -> Outcome:
    """Scores labelled pairs (or the images of one stain) one by one, from their files. Raises as `predictions_of` does."""
    views = predictions_of(scorer, pairs, dataset, progress, flips=flips)
    return outcome_of_predictions(dataset, pairs, views, scorer.package.manifest.calibration)


def predictions_of(
    scorer: Scorer,
    pairs: Sequence[Pair],
    dataset: str,
    progress: Callable[[int], None] = lambda done: None,
    *,
    flips: bool = False,
    look: Callable[[FieldPixels], None] = lambda field: None,
) -> list[list[Prediction]]:
    """The predictions of each field: one, or with `flips` those of its eight orientations, the first as it is.

    look: called with each field as it is read. Raises UserError for no pair, for one that cannot be read, and for one that
    lacks a stain that the model needs.
    """
    if not pairs:
        raise UserError(f"there is no pair to evaluate in {dataset}", remedy="name a folder or a split that holds some")
    manifest = scorer.package.manifest
    if manifest.classes != CLASSES:
        raise UserError(
            f"the model tells {', '.join(manifest.classes)} apart, and the labels are {', '.join(CLASSES)}",
            remedy="choose a model of these classes",
        )
    needed = set(manifest.input.order) - set(manifest.input.optional)
    views = []
    for done, pair in enumerate(pairs, 1):
        if missing := needed - set(files_of(pair)):
            raise UserError(
                f"the model needs the {' and the '.join(stain.caption for stain in sorted(missing))} image as well",
                path=next(iter(files_of(pair).values())),
                remedy="give pairs, or choose a model that was trained to do without it",
            )
        field = read_field(pair)
        look(field)
        evidence = scorer.score_batch(orientations(field) if flips else [field])
        views.append([one.prediction for one in evidence])
        progress(done)
    return views


def outcome_of_predictions(
    dataset: str, pairs: Sequence[Pair], views: Sequence[Sequence[Prediction]], calibration: Calibration
) -> Outcome:
    """The outcome of labelled pairs. Where a field has several views their logits are averaged.

    Temperature and conformal quantile stay those of the package, which were fitted to single views.
    """
    rows = [mean_of_logits(np.array([view.probabilities for view in of_field])) for of_field in views]
    sets = [prediction_set(row.tolist(), CLASSES, calibration.conformal) for row in rows]
    unsaid = [
        no_call(members, CLASSES, of_field[0].checks) is not None for members, of_field in zip(sets, views, strict=True)
    ]
    truth = np.array([CLASSES.index(pair.label or "") for pair in pairs])
    known = [pair.group for pair in pairs if pair.group]
    groups = tuple(known) if len(known) == len(pairs) else None
    return Outcome(dataset, np.array(rows), truth, _as_matrix(sets), np.array(unsaid), calibration.temperature, groups)


def read_field(pair: Pair) -> FieldPixels:
    """The whole of a pair's images, or of the one it has. Raises ImageError, PairError."""
    files = files_of(pair)
    if len(files) == 2:
        with open_pair(*pair.both) as opened:
            return opened.read()
    ((stain, path),) = files.items()
    with open_image(path) as image:
        width, height = image.size
        return FieldPixels({stain: image.read(0, 0, 0, width, height)}, {stain: FieldOfView.whole(image.size)})


def orientations(field: FieldPixels) -> list[FieldPixels]:
    """A field in its eight orientations (the dihedral group of the square), the first as it is; all stains turn together."""
    turned = []
    for mirrored in (False, True):
        for quarters in range(4):
            pixels = {
                stain: np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, quarters))
                for stain, image in field.pixels.items()
            }
            places = {stain: FieldOfView.whole((image.shape[1], image.shape[0])) for stain, image in pixels.items()}
            turned.append(FieldPixels(pixels, places))
    return turned


def mean_of_logits(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, classes) of n views of one field -> (classes,): softmax of the mean of the scaled logits; one view is left as it is."""
    if len(probabilities) == 1:
        return np.asarray(probabilities[0])
    return np.asarray(softmax(log_probabilities(probabilities).mean(axis=0)))


def metrics(outcome: Outcome) -> tuple[Metric, ...]:
    """The figures that a model card shows; those that nothing can be said of are left out."""
    found = figures_of(outcome)
    chosen = [found.exact, found.within_one, found.kappa, found.macro_f1, found.error, found.coverage, found.no_call]
    return tuple(
        Metric(
            dataset=outcome.dataset,
            name=figure.name,
            value=figure.value,
            low=figure.low,
            high=figure.high,
            fields=figure.fields,
        )
        for figure in (*chosen, *found.recalls.values())
        if figure.value is not None
    )


def confusion(outcome: Outcome) -> NDArray[np.intp]:
    """(classes, classes) counts; rows are the labels, columns what the model said. Fields without finite numbers are left out."""
    there = np.isfinite(outcome.probabilities).all(axis=1)
    if not there.any():
        return np.zeros((len(CLASSES), len(CLASSES)), np.intp)
    return np.asarray(confusion_matrix(outcome.truth[there], outcome.said[there], labels=range(len(CLASSES))))


def folder_name(path: Path) -> str:
    """What a data set is called where the user gave it no name: its folder's name, never the way to it."""
    return path.resolve().name


def _as_matrix(sets: Sequence[tuple[str, ...]]) -> NDArray[np.bool_]:
    return np.array([[name in members for name in CLASSES] for members in sets], bool).reshape(-1, len(CLASSES))

"""A model package measured on labelled fields, beside the colour-only baseline: everything that JSON and report tell."""

import datetime
import json
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import sklearn
import torch
import torchmetrics

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.package import ModelManifest
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from training.data.document import write_json
from training.data.index import CLASSES
from training.data.search import files_of
from training.evaluation.baseline import Baseline, dab_density, measured_baseline
from training.evaluation.figures import Figures, figures_of
from training.evaluation.outcome import Outcome, confusion, metrics, outcome_of_predictions, predictions_of
from training.evaluation.paired import Comparison, compared_rows

SCHEMA: Final = "her2viewer.evaluation/1"
RESAMPLES: Final = 1000
BASELINE_WORDS: Final = (
    "The colour-only baseline reads one number off the IHC, the 97th percentile of its DAB optical density against the "
    "image's own background. Its three thresholds were chosen on the labels of these very fields, for each field on all "
    "others, by the least mean absolute error in grades; it has seen this data set's own labels and the network has "
    "not, unless it was trained on them."
)


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """flipped, flipped_figures: with the eight orientations averaged, or None. comparison: with another evaluation, or None.

    stain: the one stain that was given, or None for pairs. split: 'train', 'test' or 'all'.
    """

    manifest: ModelManifest
    pairs: tuple[Pair, ...]
    base: Path
    split: str
    stain: Stain | None
    device: str
    outcome: Outcome
    figures: Figures
    baseline: Baseline
    flipped: Outcome | None = None
    flipped_figures: Figures | None = None
    comparison: Comparison | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know, in sentences."""
        remarks = list(self.figures.remarks)
        if self.baseline.note:
            remarks.append(f"The colour-only baseline says nothing here: {self.baseline.note}.")
        if (other := self.comparison) is not None:
            remarks.append(
                f"Against {other.other} on the same {other.fields} fields: this model alone is exact on {other.only_this}, the "
                f"other alone on {other.only_other}, p {shown_p(other.p_value)} by McNemar's exact test."
            )
        return tuple(remarks)


def shown_p(p_value: float) -> str:
    """With its sign: '= 0.040' or '< 0.001'."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def evaluate(
    scorer: Scorer,
    pairs: Sequence[Pair],
    dataset: str,
    *,
    base: Path,
    split: str,
    stain: Stain | None = None,
    flips: bool = False,
    against: Path | None = None,
    resamples: int = RESAMPLES,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Measures a package on labelled pairs, or on images of one stain; each file is read once.

    base: the folder that the rows' file names start from. against: the JSON of another evaluation of the same fields.
    Raises UserError, and for `against` before anything is scored where it is no such file.
    """
    other = None if against is None else read_evaluation(against)
    density: list[float] = []

    def look(field: FieldPixels) -> None:
        density.append(dab_density(field.pixels[Stain.IHC]) if Stain.IHC in field.pixels else float("nan"))

    views = predictions_of(scorer, pairs, dataset, progress, flips=flips, look=look)
    calibration = scorer.package.manifest.calibration
    outcome = outcome_of_predictions(dataset, pairs, [of_field[:1] for of_field in views], calibration)
    flipped = outcome_of_predictions(f"{dataset}, eight orientations", pairs, views, calibration) if flips else None
    comparison = None
    if other is not None and against is not None:
        model = other["model"]
        name = f"{model['name']} {model['version']} ({against.name})"
        comparison = compared_rows(_said_rows(pairs, outcome), other["rows"], name, outcome.groups, resamples)
    return Evaluation(
        scorer.package.manifest,
        tuple(pairs),
        base,
        split,
        stain,
        scorer.device_title,
        outcome,
        figures_of(outcome, resamples=resamples),
        measured_baseline(np.array(density), outcome.truth, outcome.groups, resamples),
        flipped,
        None if flipped is None else figures_of(flipped, resamples=resamples),
        comparison,
    )


def document(evaluation: Evaluation) -> dict[str, Any]:
    """`evaluation.json`: model, data, every figure with its interval, and a row for each field. No absolute path."""
    manifest, outcome, baseline = evaluation.manifest, evaluation.outcome, evaluation.baseline
    groups = None if outcome.groups is None else len(set(outcome.groups))
    return {
        "schema": SCHEMA,
        "research_use": RESEARCH_USE,
        "model": {
            "name": manifest.name,
            "version": manifest.version,
            "sha256": manifest.weights.sha256,
            "temperature": manifest.calibration.temperature,
            "conformal": None if manifest.calibration.conformal is None else manifest.calibration.conformal.model_dump(),
        },
        "data": {
            "name": outcome.dataset,
            "split": evaluation.split,
            "stain": None if evaluation.stain is None else str(evaluation.stain),
            "fields": len(outcome.truth),
            "labels": label_counts(outcome),
            "groups": groups,
        },
        "made": {
            "utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "device": evaluation.device,
            "resampled": "fields" if groups is None else "groups",
            "versions": versions(),
        },
        "metrics": [metric.model_dump() for metric in metrics(outcome)],
        "confusion": confusion(outcome).tolist(),
        "figures": evaluation.figures.document(),
        "flips": None if evaluation.flipped_figures is None else evaluation.flipped_figures.document(),
        "baseline": {
            "words": BASELINE_WORDS,
            "note": baseline.note,
            **{name: asdict(getattr(baseline, name)) for name in ("exact", "within_one", "beyond", "kappa")},
        },
        "against": None if evaluation.comparison is None else asdict(evaluation.comparison),
        "rows": _rows(evaluation),
    }  # fmt: skip


def write_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Writes `document` as JSON. Raises ExportError where it cannot be written."""
    write_json(path, document(evaluation))


def read_evaluation(path: Path) -> dict[str, Any]:
    """The JSON of an earlier evaluation. Raises UserError where it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        model, rows = found["model"], found["rows"]
        fits = found["schema"] == SCHEMA and all({"case_id", "label", "said"} <= set(row) for row in rows)
        fits = fits and all(row["label"] in CLASSES and row["said"] in (*CLASSES, None) for row in rows)
        fits = fits and {"name", "version"} <= set(model)
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise UserError(
            "this is not the JSON of an evaluation", path=path, remedy="name an evaluation.json of 'training evaluate'"
        )
    return dict(found)


def label_counts(outcome: Outcome) -> dict[str, int]:
    """Fields per label, those of none too."""
    counts = Counter(outcome.truth.tolist())
    return {name: counts[c] for c, name in enumerate(CLASSES)}


def versions() -> dict[str, str]:
    """What the figures were computed with."""
    return {
        "her2viewer": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchmetrics": str(torchmetrics.__version__),
        "scikit-learn": str(sklearn.__version__),
    }


def file_names(pair: Pair, base: Path) -> dict[str, str]:
    """A pair's files as seen from the data folder; of one that lies elsewhere only the last three parts."""
    names = {}
    for stain, path in files_of(pair).items():
        inside = path.resolve().is_relative_to(base.resolve())
        shown = path.resolve().relative_to(base.resolve()) if inside else Path(*path.resolve().parts[1:][-3:])
        names[str(stain)] = shown.as_posix()
    return names


def _said_rows(pairs: Sequence[Pair], outcome: Outcome) -> list[dict[str, Any]]:
    finite = np.asarray(np.isfinite(outcome.probabilities).all(axis=1))
    return [
        {"case_id": pair.case_id, "label": CLASSES[truth], "said": CLASSES[said] if there else None}
        for pair, truth, said, there in zip(pairs, outcome.truth, outcome.said, finite, strict=True)
    ]


def _rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    outcome, flipped, baseline = evaluation.outcome, evaluation.flipped, evaluation.baseline
    rows = []
    for k, said in enumerate(_said_rows(evaluation.pairs, outcome)):
        pair = evaluation.pairs[k]
        row = said | file_names(pair, evaluation.base) | {"group": pair.group, "split": pair.split}
        row |= {
            "probabilities": _named(outcome, k),
            "prediction_set": [name for c, name in enumerate(CLASSES) if outcome.sets[k, c]],
            "no_call": bool(outcome.no_call[k]),
        }
        if flipped is not None:
            row["flips"] = {"said": CLASSES[flipped.said[k]], "probabilities": _named(flipped, k)}
        if np.isfinite(baseline.density[k]):
            thresholded = None if baseline.said is None else CLASSES[baseline.said[k]]
            row["baseline"] = {"dab_density": round(float(baseline.density[k]), 4), "said": thresholded}
        rows.append(row)
    return rows


def _named(outcome: Outcome, k: int) -> dict[str, float] | None:
    row = outcome.probabilities[k]
    return {name: float(p) for name, p in zip(CLASSES, row, strict=True)} if np.isfinite(row).all() else None

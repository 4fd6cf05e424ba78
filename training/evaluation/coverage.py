"""What the prediction sets and the calls are worth: coverage, size and accuracy, measured, and the guide's table of them."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from her2viewer.errors import UserError
from her2viewer.scoring.package import ModelManifest
from training.data.index import CLASSES
from training.evaluation.figures import Figure, Figures, figures_of, wilson
from training.evaluation.outcome import Outcome
from training.files import replacing

SCHEMA: Final = "her2viewer.coverage/1"
TOLERANCE: Final = 0.02
"""How far coverage may be from the level, either way."""
BEGIN: Final = "<!-- measured: written by 'python -m training coverage' -->"
END: Final = "<!-- measured: end -->"


class Coverage:
    """The figures of one data set that tell whether a set and a call can be relied on, each with its 95% interval."""

    def __init__(self, outcome: Outcome, level: float) -> None:
        self.outcome = outcome
        self.dataset = outcome.dataset
        self.level = level
        self.figures: Figures = figures_of(outcome)
        sizes = outcome.sets.sum(axis=1)
        self.sizes: tuple[Figure, ...] = tuple(
            wilson(f"sets of {'one class' if n == 1 else f'{n} classes'}", sizes == n)
            for n in range(1, len(CLASSES) + 1)
        )
        self.gaps: Figure = wilson("sets that leave out a class in between", _gaps(outcome))

    @property
    def verdict(self) -> str:
        """Whether the coverage is within `TOLERANCE` of the level: 'yes', 'no', or what cannot be told from so few."""
        found = self.figures.coverage
        if found.value is None:
            return "not measured"
        low, high = found.reach
        if self.level - TOLERANCE <= low and high <= self.level + TOLERANCE:
            return "yes"
        if high < self.level - TOLERANCE or low > self.level + TOLERANCE:
            return "no"
        within = abs(found.value - self.level) <= TOLERANCE
        return f"{'yes' if within else 'no'} by its value; the interval allows either"

    @property
    def rows(self) -> list[Figure]:
        """In the order of the table."""
        f = self.figures
        per_class = [f.coverages[name] for name in CLASSES]
        return [
            f.coverage, *per_class, f.set_size, *self.sizes, self.gaps, f.no_call, f.exact, f.exact_called, f.error
        ]  # fmt: skip


def _gaps(outcome: Outcome) -> Any:
    """(n,) bool: sets such as {0, 2+}."""
    first = outcome.sets.argmax(axis=1)
    last = outcome.sets.shape[1] - 1 - outcome.sets[:, ::-1].argmax(axis=1)
    return np.asarray(outcome.sets.any(axis=1) & (outcome.sets.sum(axis=1) != last - first + 1))


def in_words(figure: Figure) -> str:
    """'88.3% (84.6% to 91.3%)', or why there is nothing."""
    if figure.value is None:
        return figure.note
    form = ".2f" if figure.name.startswith("mean") else ".3f" if figure.name.endswith("error") else ".1%"
    reach = "" if figure.low is None else f" ({figure.low:{form}} to {figure.high:{form}})"
    return f"{figure.value:{form}}{reach}"


def table(manifest: ModelManifest, measured: Sequence[Coverage]) -> list[str]:
    """Markdown: which model, a row a figure, a column a data set."""
    conformal = manifest.calibration.conformal
    assert conformal is not None, "without sets there is no coverage"
    kind = "each label by itself" if conformal.quantiles else "all labels together"
    lines = [
        f"Model {manifest.identity}, weights {manifest.weights.sha256[:12]}. Sets aim at {conformal.level:.0%} of {kind}; "
        f"calibrated on {conformal.fields} fields ({conformal.data or 'held out of the training data'}). "
        "In brackets the 95% interval.",
        "",
        "| | " + " | ".join(one.dataset for one in measured) + " |",
        "|---" * (len(measured) + 1) + "|",
        "| fields | " + " | ".join(str(one.figures.fields) for one in measured) + " |",
    ]
    for row in zip(*(one.rows for one in measured), strict=True):
        lines.append(f"| {row[0].name} | " + " | ".join(in_words(figure) for figure in row) + " |")
    lines.append(
        f"| within {TOLERANCE * 100:.0f} points of {conformal.level:.0%} | "
        + " | ".join(one.verdict for one in measured)
        + " |"
    )
    return lines


def document(manifest: ModelManifest, measured: Sequence[Coverage]) -> dict[str, Any]:
    """The same for JSON, with the label and the probabilities of every field: enough to calibrate anew."""
    return {
        "schema": SCHEMA,
        "model": {"name": manifest.name, "version": manifest.version, "sha256": manifest.weights.sha256},
        "calibration": manifest.calibration.model_dump(),
        "data": [
            {
                "name": one.dataset,
                "within": one.verdict,
                "figures": [asdict(figure) for figure in one.rows],
                "labels": [CLASSES[c] for c in one.outcome.truth],
                "probabilities": one.outcome.probabilities.tolist(),
            }
            for one in measured
        ],
    }


def write_table(page: Path, lines: Sequence[str]) -> None:
    """Puts the table between the two marks of a page of the guide. Raises UserError where the page has no such place."""
    try:
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
    except (OSError, ValueError) as error:
        raise UserError(
            "there is no place for the table", path=page, remedy=f"give it the lines '{BEGIN}' and '{END}'"
        ) from error
    with replacing(page) as draft:
        draft.write_text("\n".join([before + BEGIN, *lines, END + after]), encoding="utf-8")

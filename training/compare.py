"""Many recipes on one data set, in one table: `comparison.md`, `.csv`, `.json` and `.svg`.

Every recipe is trained on the same parts of the train split and measured once on the same test pairs; nothing is chosen by those.
A comparison that was broken off goes on where it stopped: runs that are done are not done again.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from training.calibration import fitted_calibration
from training.data.cache import Fields, cached_fields
from training.data.index import CLASSES, Index
from training.data.split import Protocol
from training.evaluation.figures import Figure, Figures, figures_of
from training.evaluation.outcome import outcome_of_logits
from training.files import replacing
from training.fit.predict import best_network, cell_side, load_run, predict_logits
from training.fit.run import LOG, Machine, fit
from training.recipes.reading import read_experiment, read_recipe
from training.recipes.recipe import Experiment, Recipe

Say = Callable[[str], None]
SCHEMA = "her2viewer.comparison/1"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a recipe, one of its seeds, their ensemble, or what was distilled from it.

    exact, low, high: share of test pairs scored exactly, with its 95% interval. beyond: share off by more than one grade.
    error_raw, error: expected calibration error before and after temperature scaling. seconds: of one epoch, the median.
    """

    recipe: str
    title: str
    group: str
    input: str
    batch: int
    epochs: int
    exact: float
    low: float
    high: float
    macro_f1: float | None
    kappa: float | None
    beyond: float
    recalls: dict[str, float | None]
    error_raw: float
    error: float
    seconds: float
    fields: int


def compare(
    recipes: Sequence[Path],
    index: Index,
    out: Path,
    *,
    changes: Mapping[str, Any],
    protocol: Protocol = "stratified",
    machine: Machine | None = None,
    say: Say = print,
) -> Iterator[list[Row]]:
    """Trains and measures each recipe in its turn, and yields its rows when it is done.

    changes: settings that come on top of every recipe (epochs, start, precision), None for none. Runs are kept in `out` by
    the recipe's name and seed. Raises UserError as `fit` does, and where the index holds no test pair.
    """
    for path in recipes:
        recipe, experiment = read_recipe(path, **changes), read_experiment(path)
        say(f"{path.stem}: {experiment.title}")
        runs = []
        for seed in range(recipe.seed, recipe.seed + experiment.seeds):
            run = out / f"{path.stem}-{seed}"
            mine = recipe.model_copy(update={"seed": seed})
            fit(index, mine, run, protocol=protocol, machine=machine, resume=True, say=say)
            runs.append(run)
        pupil = out / f"{path.stem}-pupil"
        if experiment.distil:
            fit(index, recipe, pupil, protocol=protocol, machine=machine, teachers=runs, resume=True, say=say)
        yield _rows(path.stem, experiment, recipe, index, runs, pupil if experiment.distil else None)


def _rows(
    name: str, experiment: Experiment, recipe: Recipe, index: Index, runs: Sequence[Path], pupil: Path | None
) -> list[Row]:
    """One row of a recipe with one seed; else one each, of their ensemble, and of its pupil."""
    said = [_logits(run, index, experiment.flips) for run in runs]
    if len(runs) == 1:
        return [_row(name, experiment.title, experiment, recipe, runs[0], said[0])]
    rows = [
        _row(name, f"{experiment.title}, seed {run.name.rsplit('-', 1)[1]}", experiment, recipe, run, logits)
        for run, logits in zip(runs, said, strict=True)
    ]
    # The ensemble's logits are the mean of its members' log probabilities (their geometric mean).
    of_all = _Logits(
        np.mean([log_softmax(one.calibration, axis=1) for one in said], axis=0),
        np.mean([log_softmax(one.test, axis=1) for one in said], axis=0),
        said[0].calibration_truth,
        said[0].test_truth,
    )
    rows.append(_row(name, f"ensemble of {len(runs)} seeds", experiment, recipe, runs[0], of_all))
    if pupil is not None:
        rows.append(
            _row(name, "distilled into one", experiment, recipe, pupil, _logits(pupil, index, experiment.flips))
        )
    return rows


@dataclass(frozen=True, eq=False, slots=True)
class _Logits:
    """What a run says of the calibration part of the train split and of the test split: (n, classes) each, and the truth."""

    calibration: NDArray[np.floating]
    test: NDArray[np.floating]
    calibration_truth: NDArray[np.intp]
    test_truth: NDArray[np.intp]


def _logits(run: Path, index: Index, flips: bool) -> _Logits:
    facts = load_run(run)
    network, _ = best_network(run, facts)
    layout = InputLayout.model_validate(facts["recipe"]["layout"])
    found = []
    # Calibrated on the pairs held out for it, all of the seed's own split; members of an ensemble share no more than these.
    for pairs, members in (
        (index.of("train"), facts["split"]["calibration"]),
        (index.of("test"), range(len(index.of("test")))),
    ):
        fields: Fields = cached_fields(pairs, run.parent / "cache", cell_side(layout), say=lambda text: None)
        members = list(members)
        views = [_Turned(fields, k) for k in range(8)] if flips else [fields]
        logits = np.mean(
            [log_softmax(predict_logits(network, view, members, layout), axis=1) for view in views], axis=0
        )
        truth = np.array([CLASSES.index(pairs[i].label or "") for i in members], np.intp)
        found += [logits, truth]
    return _Logits(found[0], found[2], found[1], found[3])


class _Turned:
    """Fields in one of the eight orientations."""

    def __init__(self, fields: Fields, orientation: int) -> None:
        self._fields, self._turns, self._flip = fields, orientation % 4, orientation >= 4

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        field = np.rot90(self._fields[index], self._turns, (1, 2))
        return np.ascontiguousarray(field[:, :, ::-1] if self._flip else field)

    def stains(self, index: int) -> tuple[Stain, ...]:
        return self._fields.stains(index)


def _row(name: str, title: str, experiment: Experiment, recipe: Recipe, run: Path, said: _Logits) -> Row:
    calibration = fitted_calibration(said.calibration.astype(np.float32), said.calibration_truth)
    figures: Figures = figures_of(outcome_of_logits(title, said.test, said.test_truth, calibration))
    low, high = figures.exact.reach
    with (run / LOG).open(newline="", encoding="utf-8") as file:
        seconds = [float(line["seconds"]) for line in csv.DictReader(file)]
    return Row(
        recipe=name,
        title=title,
        group=experiment.group,
        input=_input_in_words(recipe.layout),
        batch=recipe.batch,
        epochs=len(seconds),
        exact=_told(figures.exact),
        low=low,
        high=high,
        macro_f1=figures.macro_f1.value,
        kappa=figures.kappa.value,
        beyond=_told(figures.beyond),
        recalls={label: figure.value for label, figure in figures.recalls.items()},
        error_raw=_told(figures.error_raw),
        error=_told(figures.error),
        seconds=float(np.median(seconds)),
        fields=figures.fields,
    )


def _told(figure: Figure) -> float:
    """A figure that any test pair tells."""
    assert figure.value is not None
    return figure.value


def _input_in_words(layout: InputLayout) -> str:
    stains = " and ".join(stain.caption.removesuffix(" HER2") for stain in layout.order)
    return f"{layout.width} x {layout.height}, {stains}" + (", grey" if layout.colour == "grayscale" else "")


def write_comparison(rows: Sequence[Row], out: Path, facts: dict[str, str | int | float]) -> None:
    """Writes the four files of a comparison; facts: what all rows share (data, parts, threads), for the reader."""
    document = {"schema": SCHEMA, **facts, "rows": [asdict(row) for row in rows]}
    with replacing(out / "comparison.json") as draft:
        draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    with replacing(out / "comparison.csv") as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        flat = [_flat(row) for row in rows]
        writer.writerow(flat[0])
        writer.writerows(line.values() for line in flat)
    with replacing(out / "comparison.md") as draft:
        draft.write_text("\n".join(markdown(rows, facts)) + "\n", encoding="utf-8")
    _plot(rows, out / "comparison.svg")


def _flat(row: Row) -> dict[str, str | int | float | None]:
    plain = asdict(row)
    recalls = plain.pop("recalls")
    return plain | {f"recall_{name}": recalls[name] for name in CLASSES}


def markdown(rows: Sequence[Row], facts: dict[str, str | int | float]) -> list[str]:
    """The table in Markdown, group by group in the order given, under the facts that all rows share."""
    lines = ["# Comparison of training recipes", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    head = ["recipe", "input", "batch", "epochs", "exact (95% interval)", "macro-F1", "kappa", "beyond one grade"]
    head += [f"recall {name}" for name in CLASSES] + ["calibration error, raw", "and scaled", "s/epoch"]
    lines += ["| " + " | ".join(head) + " |", "|---|---" + "|---:" * (len(head) - 2) + "|"]
    for row in rows:
        cells = [
            row.title,
            row.input,
            str(row.batch),
            str(row.epochs),
            f"{row.exact:.1%} ({row.low:.1%} to {row.high:.1%})",
            *("-" if value is None else f"{value:.3f}" for value in (row.macro_f1, row.kappa)),
            f"{row.beyond:.1%}",
            *("-" if (recall := row.recalls[name]) is None else f"{recall:.0%}" for name in CLASSES),
            f"{row.error_raw:.3f}",
            f"{row.error:.3f}",
            f"{row.seconds:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _plot(rows: Sequence[Row], path: Path) -> None:
    """Exact share and kappa of each row with intervals, read from top to bottom as the table."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 0.28 * len(rows) + 1.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = range(len(rows))
    exact = [100 * row.exact for row in rows]
    reach = [[100 * (row.exact - row.low) for row in rows], [100 * (row.high - row.exact) for row in rows]]
    left.errorbar(exact, list(places), xerr=reach, fmt="o", color="#3b5b7a", ecolor="#9fb3c6", markersize=4, capsize=2)
    left.set_yticks(list(places), [row.title for row in rows])
    left.invert_yaxis()
    left.set_xlabel("exact, % with 95% interval")
    kappas = [np.nan if row.kappa is None else row.kappa for row in rows]
    right.plot(kappas, list(places), "o", color="#7a5b3b", markersize=4)
    right.set_xlabel("quadratic weighted kappa")
    for axes in (left, right):
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    breaks = [k for k in range(1, len(rows)) if rows[k].group != rows[k - 1].group]
    for axes in (left, right):
        for place in breaks:
            axes.axhline(place - 0.5, color="#cccccc", linewidth=0.6)
    with replacing(path) as draft:
        figure.savefig(draft, format="svg", metadata={"Date": None})

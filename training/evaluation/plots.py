"""The plots of a report as SVG: drawn by matplotlib, coloured by the page that they stand in."""

import io
import re
from typing import Any, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve

from training.data.index import CLASSES
from training.evaluation.baseline import Baseline
from training.evaluation.figures import coverage_accuracy
from training.evaluation.outcome import Outcome

INK, QUIET, ACCENT, OTHER = "#010101", "#020202", "#030303", "#040404"
"""Stand-ins, replaced by the page's own colours, so that a plot follows light and dark."""
_PAGE: Final = {INK: "var(--text)", QUIET: "var(--line)", ACCENT: "var(--accent)", OTHER: "var(--other)"}
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "her2viewer",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.grid": True,
    "grid.color": QUIET,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
BINS: Final = 10


def reliability_plot(outcome: Outcome) -> str:
    """Confidence against the share that was right, before and after temperature scaling, in ten bins of equal width."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(3.9, 4.0), layout="constrained")
        axes, counts = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
        for probabilities, colour, marker, name in (
            (outcome.raw, OTHER, "s", "before scaling"),
            (outcome.probabilities, ACCENT, "o", "after scaling"),
        ):
            rows = np.isfinite(probabilities).all(axis=1)
            confidence = np.clip(probabilities[rows].max(axis=1, initial=0), 0, 1)
            right = (probabilities[rows].argmax(axis=1) == outcome.truth[rows]).astype(int)
            if len(right):
                share, mean = calibration_curve(right, confidence, n_bins=BINS)
                axes.plot(mean, share, marker=marker, color=colour, markersize=5, linewidth=1.4, label=name)
        _percent(axes, "y")
        axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), ylabel="scored exactly")
        _legend(axes)
        rows = np.isfinite(outcome.probabilities).all(axis=1)
        counts.hist(
            outcome.probabilities[rows].max(axis=1, initial=0), bins=BINS, range=(0, 1), color=ACCENT, rwidth=0.9
        )
        counts.set(ylabel="fields", xlabel="probability of the score that was given")
        counts.yaxis.get_major_locator().set_params(integer=True, nbins=2)
        _percent(counts, "x")
        return _svg(figure, "reliability")


def coverage_plot(outcome: Outcome, flipped: Outcome | None) -> str:
    """Accuracy over the share of fields that are kept, from the most confident on."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(3.9, 4.0), layout="constrained")
        axes = figure.subplots()
        for one, colour, style, name in (
            (flipped, OTHER, "--", "eight orientations"),
            (outcome, ACCENT, "-", "as scored"),
        ):
            if one is None:
                continue
            rows = np.isfinite(one.probabilities).all(axis=1)
            if rows.any():
                coverage, accuracy, _ = coverage_accuracy(one.probabilities[rows], one.truth[rows])
                marker = "o" if len(coverage) < 30 else ""
                axes.plot(
                    coverage, accuracy, style, color=colour, linewidth=1.6, marker=marker, markersize=4, label=name
                )
        axes.axvline(0.9, color=INK, linewidth=0.8, linestyle=":")
        axes.text(0.89, 0.02, "90%", ha="right", va="bottom")
        axes.set(
            xlim=(0, 1.02), ylim=(-0.03, 1.03), xlabel="fields kept, the most confident first", ylabel="scored exactly"
        )
        _legend(axes)
        _percent(axes, "x")
        _percent(axes, "y")
        return _svg(figure, "coverage")


def density_plot(outcome: Outcome, baseline: Baseline) -> str:
    """Each field's DAB density by its label, filled where the network scored it exactly."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(3.9, 4.0), layout="constrained")
        axes = figure.subplots()
        beside = np.random.default_rng(0).uniform(-0.28, 0.28, len(outcome.truth))
        size = 26 if len(outcome.truth) < 150 else 9
        exact = outcome.said == outcome.truth
        shown = np.isfinite(baseline.density)
        for hit, face, name in ((True, ACCENT, "network exact"), (False, "none", "network wrong")):
            rows = shown & (exact == hit)
            edge = ACCENT if hit else OTHER
            axes.scatter(
                outcome.truth[rows] + beside[rows], baseline.density[rows], s=size, facecolors=face, edgecolors=edge,
                linewidths=1.1, label=name,
            )  # fmt: skip
        axes.set_xticks(range(len(CLASSES)), CLASSES)
        axes.set(xlim=(-0.5, len(CLASSES) - 0.5), xlabel="label", ylabel="DAB optical density, 97th percentile")
        # Straight below 0.1, logarithmic above: 0 and 1+ lie close together, and 3+ reaches ten times as far.
        axes.set_yscale("symlog", linthresh=0.1)
        ticks = [0, 0.05, 0.1, 0.2, 0.5, 1, 2]
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_yticks([], minor=True)
        top = baseline.density[shown].max(initial=0.2)
        axes.set_ylim(min(0.0, float(baseline.density[shown].min(initial=0))), 1.15 * float(top))
        axes.grid(axis="x", visible=False)
        _legend(axes)
        return _svg(figure, "density")


def _legend(axes: Axes) -> None:
    """Above the axes, where it hides nothing; all plots have one, so that they stand in line."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2, borderaxespad=0.2, handlelength=1.4, columnspacing=1.2
        )


def _percent(axes: Axes, which: str) -> None:
    ticks = np.linspace(0, 1, 6)
    (axes.set_xticks if which == "x" else axes.set_yticks)(ticks, [f"{tick:.0%}" for tick in ticks])


def _svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element that takes the page's colours and font; its ids begin with `name`."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", text)
    text = re.sub(r"(font: [^;\"]*?)'DejaVu Sans'[^;\"]*", r"\1system-ui, sans-serif", text)
    for stand_in, colour in _PAGE.items():
        text = text.replace(stand_in, colour)
    return text

"""The three figures of every map as dots with intervals, in the table's order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from training.files import replacing
from training.truth.figures import FIGURES, Truth
from training.truth.maps import DAB, MapName

_QUICK, _FINE, _SLOW, _BASELINE, _CHOSEN = "#3b5b7a", "#4f8a6b", "#7a5b3b", "#8a8a8a", "#b3261e"
_TITLES: Final = {"pointing": "pointing game", "mass": "mass accuracy", "rank": "rank accuracy", "overall": "overall"}


def draw_plot(models: Sequence[tuple[str, Truth]], path: Path) -> None:
    """An SVG with a row of four panels for each model: (title, its figures).

    The chosen map is a star, baselines are squares, slow maps diamonds, those at larger scales triangles.
    """
    heights = [max(len(truth.ordered()), 1) for _, truth in models]
    with rc_context({"svg.hashsalt": "her2viewer", "font.size": 8}):
        canvas = Canvas(figsize=(10, 0.21 * sum(heights) + 0.9 * len(models)), layout="constrained")
        rows = canvas.subfigures(len(models), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (title, truth) in zip(rows, models, strict=True):
            part.suptitle(f"{title}; pairs scored right", fontsize=9)
            lines = truth.ordered()
            for axes, figure in zip(part.subplots(1, len(FIGURES), sharey=True), FIGURES, strict=True):
                for place, line in enumerate(lines):
                    value, (low, high) = line.figures[figure].value, line.figures[figure].reach
                    assert value is not None  # a line has pairs
                    marker, colour = _look(line.name, truth)
                    axes.plot([low, high], [place, place], color=colour, linewidth=1.2, alpha=0.5)
                    axes.plot([value], [place], marker, color=colour, markersize=4)
                    if line.name == MapName(DAB):
                        axes.axvline(value, color=_BASELINE, linewidth=0.6, linestyle=":")
                axes.set_yticks(range(len(lines)), [str(line.name) for line in lines])
                axes.set(xlim=(-0.02, 1.02), ylim=(max(len(lines), 1) - 0.5, -0.5), xlabel=_TITLES[figure])
                axes.set_xticks(np.linspace(0, 1, 5))
                axes.grid(axis="x", color="#dddddd", linewidth=0.6)
                axes.spines[["top", "right", "left"]].set_visible(False)
                axes.tick_params(axis="y", length=0)
        with replacing(path) as draft:
            canvas.savefig(draft, format="svg", metadata={"Date": None})


def _look(name: MapName, truth: Truth) -> tuple[str, str]:
    """Marker and colour: never the colour alone."""
    if name.is_baseline:
        return "s", _BASELINE
    if name.is_slow:
        return "D", _SLOW
    if name.scale > 1:
        return "^", _FINE
    return ("*", _CHOSEN) if name == truth.chosen else ("o", _QUICK)

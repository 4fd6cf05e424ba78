"""One HTML page for a pathologist and a data scientist: self-contained, without script, light and dark."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from her2viewer import RESEARCH_USE
from her2viewer.errors import ExportError
from training.data.index import CLASSES
from training.evaluation.evaluation import BASELINE_WORDS, Evaluation, label_counts, shown_p, versions
from training.evaluation.figures import Figure, Figures
from training.evaluation.outcome import confusion
from training.evaluation.plots import coverage_plot, density_plot, reliability_plot
from training.evaluation.worst import worst_cases
from training.files import replacing

TEMPLATE: Final = Path(__file__).with_name("report.html")
NUMBERS: Final = ("kappa", "macro_f1", "roc_auc", "area")
"""Shown as numbers; the other figures of the first table are shares."""
SHARES: Final = ("exact", "within_one", "beyond", "exact_at_90", "coverage", "no_call")
CALIBRATION: Final = (("error_raw", "error"), ("brier_raw", "brier"), ("log_loss_raw", "log_loss"))


def write_report(evaluation: Evaluation, path: Path) -> None:
    """Writes the page. Raises ExportError where it cannot be written, ImageError where a picture of it cannot be read."""
    text = report(evaluation)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"it cannot be written ({error.strerror or error})",
            path=path,
            remedy="choose a folder with room and the right",
        ) from error


def report(evaluation: Evaluation) -> str:
    """The page as text. Whatever comes from files is escaped."""
    # Autoescape for all: names of files and of data are not trusted. The plots are our own.
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    outcome, figures, baseline = evaluation.outcome, evaluation.figures, evaluation.baseline
    plots = {
        "reliability": Markup(reliability_plot(outcome)),
        "coverage": Markup(coverage_plot(outcome, evaluation.flipped)),
        "density": Markup(density_plot(outcome, baseline)) if np.isfinite(baseline.density).any() else None,
    }
    return page.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        model=evaluation.manifest,
        data=outcome.dataset,
        split=evaluation.split,
        stain=evaluation.stain.caption if evaluation.stain else None,
        groups=None if outcome.groups is None else len(set(outcome.groups)),
        device=evaluation.device,
        research_use=RESEARCH_USE,
        headline=_headline(figures),
        figures=figures,
        columns=["network", *(["network, eight orientations"] if evaluation.flipped_figures else []), "colour alone"],
        worth=_worth(evaluation),
        calibration=_calibration(figures, evaluation.flipped_figures),
        classes=_classes(figures, label_counts(outcome)),
        confusion=_confusion(evaluation),
        names=CLASSES,
        baseline=baseline,
        baseline_words=BASELINE_WORDS,
        comparison=_comparison(evaluation),
        plots=plots,
        worst=worst_cases(evaluation),
        wrong=int(confusion(outcome).sum() - confusion(outcome).trace()),
        versions=versions(),
    )


def report_lines(evaluation: Evaluation) -> list[list[str]]:
    """The first table and the recalls for a terminal: name, then a cell for each column of the report."""
    blank = [""] * (1 + (evaluation.flipped_figures is not None))
    rows = _worth(evaluation) + [
        {"name": figure.name, "cells": [_cell(figure, ".1%"), *(_cell(None, "") for _ in blank)]}
        for figure in evaluation.figures.recalls.values()
    ]
    return [
        [
            row["name"],
            *(" ".join(filter(None, [c["value"], c["interval"] and f"({c['interval']})"])) for c in row["cells"]),
        ]
        for row in rows
    ]


def _headline(figures: Figures) -> str:
    """The one sentence that matters."""
    if figures.exact.value is None:
        return "Nothing was scored."
    fields = "1 field" if figures.fields == 1 else f"{figures.fields:,} fields"
    words = f"Of {fields}, {_count(figures.exact)} scored exactly as labelled and {_count(figures.within_one)} within one grade; "
    if figures.kappa.value is None:
        return words + f"quadratic weighted kappa is {figures.kappa.note}."
    agreement = _signed(f"{figures.kappa.value:.2f}{_reach(figures.kappa, '.2f', ', 95% interval ')}")
    return words + f"quadratic weighted kappa {agreement}."


def _count(figure: Figure) -> str:
    count = round((figure.value or 0) * figure.fields)
    reach = _reach(figure, ".0%", ", 95% interval ")
    return f"{count:,} ({figure.value:.1%}{reach}) {'was' if count == 1 else 'were'}"


def _reach(figure: Figure, form: str, before: str = "") -> str:
    return "" if figure.low is None else f"{before}{figure.low:{form}} to {figure.high:{form}}"


def _signed(text: str) -> str:
    """With the minus sign of typography."""
    return text.replace("-", "\N{MINUS SIGN}")


def _cell(figure: Figure | None, form: str) -> dict[str, str]:
    """What stands in a table: value, interval, the letter of its method, and why there is nothing where there is nothing."""
    if figure is None:
        return {"value": "", "interval": "", "mark": "", "small": ""}
    if figure.value is None:
        return {"value": "\N{EN DASH}", "interval": "", "mark": "", "small": figure.note}
    return {
        "value": _signed(f"{figure.value:{form}}"),
        "interval": _signed(_reach(figure, ".0%" if form.endswith("%") else ".2f")),
        "mark": figure.interval[:1].lower(),
        "small": figure.note,
    }


def _worth(evaluation: Evaluation) -> list[dict[str, Any]]:
    columns: list[Any] = [evaluation.figures]
    if evaluation.flipped_figures is not None:
        columns.append(evaluation.flipped_figures)
    rows = []
    for name in (*SHARES[:3], *NUMBERS, *SHARES[3:]):
        form = ".3f" if name in NUMBERS else ".1%"
        cells = [_cell(getattr(column, name), form) for column in columns]
        cells.append(_cell(getattr(evaluation.baseline, name, None), form))
        rows.append({"name": getattr(evaluation.figures, name).name, "cells": cells})
    sizes = [_cell(column.set_size, ".2f") for column in columns]
    rows.insert(-1, {"name": evaluation.figures.set_size.name, "cells": [*sizes, _cell(None, "")]})
    return rows


def _calibration(figures: Figures, flipped: Figures | None) -> list[dict[str, Any]]:
    rows = []
    for raw, scaled in CALIBRATION:
        cells = [_cell(getattr(figures, raw), ".3f"), _cell(getattr(figures, scaled), ".3f")]
        if flipped is not None:
            cells.append(_cell(getattr(flipped, scaled), ".3f"))
        rows.append({"name": getattr(figures, scaled).name, "cells": cells})
    return rows


def _classes(figures: Figures, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "fields": counts[name],
            "cells": [
                _cell(figures.recalls[name], ".1%"),
                _cell(figures.roc_aucs[name], ".3f"),
                _cell(figures.coverages[name], ".1%"),
                _cell(figures.set_sizes[name], ".2f"),
            ],
        }
        for name in CLASSES
    ]


def _confusion(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row a label; `shade` is the share of the row, for the ground of the cell."""
    rows = []
    for c, counts in enumerate(confusion(evaluation.outcome)):
        total = int(counts.sum())
        cells = [{"count": int(n), "share": n / total if total else 0.0, "exact": c == k} for k, n in enumerate(counts)]
        rows.append({"name": CLASSES[c], "cells": cells, "total": total})
    return rows


def _comparison(evaluation: Evaluation) -> dict[str, Any] | None:
    found = evaluation.comparison
    if found is None:
        return None
    return {
        "other": found.other,
        "fields": found.fields,
        "rows": [
            (figure.name, _cell(figure, form)) for figure, form in ((found.accuracy, "+.1%"), (found.kappa, "+.3f"))
        ],
        "only_this": found.only_this,
        "only_other": found.only_other,
        "p_value": shown_p(found.p_value),
    }

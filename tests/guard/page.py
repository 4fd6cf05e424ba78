"""The guide's page on the checks, as Markdown, from what was counted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from scipy.stats import binomtest

from her2viewer.scoring.guard.report import NO_CALL_CHECKS
from tests.guard.counting import Key, Looked, by_what, figures_of, names_counted, unseen, usual
from tests.guard.wrong import KINDS, SET_ON

MEANT_FOR: Final[Mapping[str, tuple[str, ...]]] = {
    "stains_swapped": ("stains swapped",),
    "he_unlike_he": ("one IHC in both panes", "two IHC"),
    "ihc_unlike_ihc": ("one H&E in both panes", "two H&E"),
    "colourless": ("one image in grey", "pages of text"),
    "no_tissue": ("empty glass in both panes",),
    "not_histology": ("photographs in both panes", "immunofluorescence", "one image inverted"),
    "pen_mark": ("a pen mark on one image",),
    "underexposed": ("one image underexposed",),
    "overexposed": ("one image overexposed",),
    "blurred": ("one image blurred to nothing",),
    "magnified_too_little": ("magnified 8 times too little",),
    "magnified_too_much": ("magnified 8 times too much",),
    "jpeg_blocks": ("one image ruined by JPEG",),
    "different_tissue": ("two tissues", "empty glass beside a good image"),
    "unfamiliar": ("trichrome instead of one stain", "PAS instead of one stain", "a photograph beside a good image"),
}
"""The kinds of wrong input that each check is there for, by which its misses are counted."""


def page(good: Sequence[Looked], wrong: Sequence[Looked], model: str, cost: str, command: str) -> str:
    """The whole page. cost: what the checks take, in words; command: that made the page."""
    caught: Callable[[Looked], bool] = lambda one: bool(one.failed)  # noqa: E731
    fresh, good_fresh = [one for one in wrong if unseen(one)], [one for one in good if one.half == 1]
    lines = [
        "# Checks on the input",
        "",
        "Before a score counts, both images are looked at. A check that fails is said beside the score, with what to do; "
        f'{_listed(sorted(NO_CALL_CHECKS))} end in "no call", because the score then means nothing. `score --explain` '
        "writes all of them with their figures, passed or not.",
        "",
        f"Made by `{command}` with the model {model}, {_asked(good)}. {cost}",
        "",
        "Thresholds were set on one half of the images, and of the wrong inputs on the first half of "
        f"{len(SET_ON)} of the {len(KINDS)} kinds. What they are worth is told by the rest: other photographs, other phantoms, "
        "other real pairs, and kinds that were never looked at. What to measure was chosen with both halves in view for "
        "magnification, PAS and trichrome; where to draw the line, by the first alone. One threshold is an exception: that of "
        "`different_tissue` was set on all twelve BCI pairs, after one set on half of them had warned of four of the other six. "
        "The sections of these four lie too far apart to show the same cells: no threshold lets them pass and stops every "
        "stranger.",
        "",
        "## In one line",
        "",
        f"- Wrong inputs refused or warned of: {_share(wrong, caught)}; of those that had no part in setting thresholds "
        f"{_share(fresh, caught)}; of these, refused (no call): {_share(fresh, lambda one: one.refused)}.",
        f"- Good inputs warned of: {_share(good, caught)}; of those that had no part in setting thresholds "
        f"{_share(good_fresh, caught)}.",
        "",
        "## Wrong inputs",
        "",
        "Set on: kinds whose first half was looked at while thresholds were set.",
        "",
        "| kind | set on | caught, first half | caught, second half | by |",
        "|---|---|---:|---:|---|",
    ]
    for kind, of_kind in by_what(wrong).items():
        first, second = ([one for one in of_kind if one.half == half] for half in (0, 1))
        lines.append(
            f"| {kind} | {'yes' if kind in SET_ON else 'no'} | {_count(first, caught)} | {_count(second, caught)} | "
            f"{names_counted(of_kind)} |"
        )
    lines += [
        "",
        "## Good inputs",
        "",
        "| source | warned of, set on | warned of, not set on | by |",
        "|---|---:|---:|---|",
    ]
    for source, of_source in by_what(good).items():
        first, second = ([one for one in of_source if one.half == half] for half in (0, 1))
        lines.append(f"| {source} | {_count(first, caught)} | {_count(second, caught)} | {names_counted(of_source)} |")
    lines += [
        "",
        "## Each check",
        "",
        "False alarms are counted over images (or pairs) of the good inputs not set on; misses over the "
        "second half of the kinds that the check is there for, whatever else caught them.",
        "",
        "| check | what is measured | good inputs | threshold | false alarms | misses |",
        "|---|---|---|---:|---:|---:|",
    ]
    usual_figures = figures_of(good_fresh)
    for key, figures in usual_figures.items():
        lines.append(_row(key, figures, [one for one in wrong if one.half == 1]))
    return "\n".join(lines) + "\n"


def _asked(good: Sequence[Looked]) -> str:
    if any(made.name == "unfamiliar" for one in good for made in one.report.examined):
        return "whose features the check `unfamiliar` asks"
    return "which knows nothing of its training's features, so that the check `unfamiliar` was not made"


def _row(key: Key, figures: Sequence[tuple[float, float, bool]], wrong: Sequence[Looked]) -> str:
    name, title = key
    meant = [one for one in wrong if one.what in MEANT_FOR.get(name, ())]
    missed = f"{sum(name not in one.failed for one in meant)} of {len(meant)}" if meant else "-"
    thresholds = sorted({threshold for _, threshold, _ in figures})
    alarms = f"{sum(not passed for _, _, passed in figures)} of {len(figures)}"
    limit = " / ".join(f"{threshold:.3g}" for threshold in thresholds)
    return f"| {name} | {title} | {usual(figures)} | {limit} | {alarms} | {missed} |"


def _share(looked: Sequence[Looked], is_so: Callable[[Looked], bool]) -> str:
    if not looked:
        return "none at hand"
    hits = sum(map(is_so, looked))
    reach = binomtest(hits, len(looked)).proportion_ci(method="wilson")
    return f"{hits} of {len(looked)} ({hits / len(looked):.1%}, 95% interval {reach.low:.1%} to {reach.high:.1%})"


def _count(looked: Sequence[Looked], is_so: Callable[[Looked], bool]) -> str:
    return f"{sum(map(is_so, looked))} of {len(looked)}" if looked else "-"


def _listed(names: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"

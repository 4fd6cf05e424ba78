"""The files of a run: `truth.json`, `truth.csv`, `truth.md`, `truth.svg`, and the same table in the user guide."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from her2viewer.errors import ExportError
from her2viewer.scoring.membrane.rule import CLASSES
from her2viewer.scoring.package import ModelManifest
from her2viewer.scoring.stains import Stain
from training.evaluation.figures import Figure
from training.files import replacing
from training.phantom.writing import GENERATOR
from training.truth.figures import ALL, FIGURES, RIGHT, RIVALS, Line, Truth, of_class
from training.truth.judging import RASTER, TOLERANCE_UM
from training.truth.maps import CENTRE, DAB, FREE, SHOWN_FIRST, MapName
from training.truth.plot import draw_plot

SCHEMA: Final = "her2viewer.truth/1"
BEGIN: Final = "<!-- truth: from here to the end mark written by `python -m training truth --guide`; do not edit -->"
END: Final = "<!-- truth: end -->"
PLOT: Final = "truth.svg"


@dataclass(frozen=True, slots=True)
class Measured:
    """A package and its figures."""

    manifest: ModelManifest
    truth: Truth

    @property
    def title(self) -> str:
        layout = self.manifest.input
        stains = " and ".join(stain.caption.removesuffix(" HER2") for stain in layout.order)
        return f"{self.manifest.identity}, input {layout.width} x {layout.height}, {stains}"


def write_report(measured: Sequence[Measured], out: Path, *, seed: int, count: int, guide: Path | None = None) -> None:
    """Writes the four files to `out`.

    guide: a Markdown file whose part between the marks is written anew, with the plot in `pictures` beside it.
    Raises ExportError as `around_part` does, before anything is written.
    """
    around = None if guide is None else around_part(guide)
    document = {
        "schema": SCHEMA,
        "generator": GENERATOR,
        "seed": seed,
        "pairs": count,
        "tolerance_um": TOLERANCE_UM,
        "raster": RASTER,
        "models": [_document(one) for one in measured],
    }
    _replace(out / "truth.json", json.dumps(document, indent=1) + "\n")
    with replacing(out / "truth.csv") as draft, draft.open("w", newline="", encoding="utf-8") as file:
        lines = [_flat(one, line) for one in measured for line in one.truth.lines]
        writer = csv.DictWriter(file, list(dict.fromkeys(column for line in lines for column in line)))
        writer.writeheader()
        writer.writerows(lines)
    draw_plot([(one.title, one.truth) for one in measured], out / PLOT)
    _replace(out / "truth.md", "\n".join(["# Truth of maps", "", *markdown(measured, seed, count, PLOT)]) + "\n")
    if guide is not None and around is not None:
        (guide.parent / "pictures").mkdir(exist_ok=True)
        shutil.copyfile(out / PLOT, guide.parent / "pictures" / PLOT)
        part = "\n".join(["", "", *markdown(measured, seed, count, f"pictures/{PLOT}"), "", ""])
        _replace(guide, part.join(around))


def around_part(guide: Path) -> tuple[str, str]:
    """What stands before and after the part of a Markdown file that this command writes, marks included.

    Raises ExportError where the file cannot be read or has no such part.
    """
    try:
        before, begin, rest = guide.read_text(encoding="utf-8").partition(BEGIN)
    except OSError as error:
        raise ExportError(
            f"it cannot be read ({error.strerror})", path=guide, remedy="name a page that is there"
        ) from error
    _, end, after = rest.partition(END)
    if not end:
        raise ExportError(
            "it has no part that this command writes", path=guide, remedy=f"put in two lines: {BEGIN} and {END}"
        )
    return before + begin, end + after


def markdown(measured: Sequence[Measured], seed: int, count: int, plot: str) -> list[str]:
    """The whole report in Markdown, without a heading of its own. plot: where it lies."""
    lines = [
        f"`python -m training truth --count {count} --seed {seed}`: {count} phantom pairs that no model was trained on. The "
        f"pointing game allows {TOLERANCE_UM:g} um. Intervals are of 95%, by bootstrap over pairs (Wilson's for a pointing game "
        "with few hits or misses).",
        "",
        f"![The three figures of every map]({plot})",
    ]
    for one in measured:
        lines += [
            "",
            f"### {one.title}",
            "",
            *_sentences(one.truth),
            "",
            *_by_figure(one.truth),
            "",
            *_aside(one.truth),
        ]
    return lines


def _sentences(truth: Truth) -> list[str]:
    """What the table comes to, in words that follow from its figures."""
    found = [
        f"{truth.right} of {truth.pairs} pairs were scored right. {truth.judged_right} of those have deciding cells "
        f"(class 0 has none), which cover {truth.area:.0%} of the {_caption(truth.stain)} and {truth.near:.0%} with the "
        "tolerance: what chance gets."
    ]
    best = None if truth.best is None else truth.line(truth.best)
    if best is not None:
        told = [_against(best, rival) for rival in RIVALS if str(rival) in best.less]
        found.append(f"Best of the quick maps: **{best.name}**. By the overall figure it is {'; '.join(told)}.")
    same = {one.name.scale: one.same_score for one in truth.amounts if one.same_score is not None}
    if same:
        told = [f"{share:.0%} of all pairs at {scale} times" for scale, share in sorted(same.items())]
        found.append(f"Seen larger than its input, the model says the same score of {' and of '.join(told)}.")
    if truth.chosen == FREE:
        why = (
            "it comes with the score, and no quick map is better beyond its interval"
            if truth.best != FREE
            else "the best"
        )
    else:
        why = f"better than {FREE}, which comes with the score, beyond its interval"
    found.append(f"To be shown first: **{truth.chosen}** ({why}). The app shows {SHOWN_FIRST} first.")
    return found


def _against(line: Line, rival: MapName) -> str:
    gain = line.less[str(rival)]["overall"]
    low, high = gain.reach
    how = "better than" if low > 0 else "worse than" if high < 0 else "not told apart from"
    return f"{how} {rival} ({_signed(gain)})"


def _by_figure(truth: Truth) -> list[str]:
    lines = [
        f"On the {_caption(truth.stain)}, pairs scored right, the best first:",
        "",
        "| map | pairs | pointing game | mass | rank | overall | overall less DAB density | less centre map |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for line in truth.ordered():
        figures = [_told(line.figures[name]) for name in FIGURES]
        less = [_signed(line.less[rival]["overall"]) if rival in line.less else "" for rival in (DAB, CENTRE)]
        name = (
            f"*{line.name}*"
            if line.name.is_baseline
            else f"**{line.name}**"
            if line.name == truth.chosen
            else str(line.name)
        )
        lines.append(_row([name, str(line.figures["overall"].fields), *figures, *less]))
    return lines


def _aside(truth: Truth) -> list[str]:
    """All pairs, each class, the H&E; how much evidence there is, and where."""
    classes = [of_class(label) for label in CLASSES[1:]]
    other = str(Stain.HE) if truth.stain == str(Stain.IHC) else str(Stain.IHC)
    lines = [
        "The overall figure elsewhere, and how much positive evidence the maps hold:",
        "",
        _row(
            [
                "map",
                "all pairs",
                *classes,
                f"on the {_caption(other)}",
                "evidence on the IHC",
                "blank",
                "evidence in class 0",
            ]
        ),
        "|---|" + "---:|" * (len(classes) + 5),
    ]
    amounts = {one.name: one for one in truth.amounts}
    for line in truth.ordered():
        where = [(ALL, truth.stain), *((pairs, truth.stain) for pairs in classes), (RIGHT, other)]
        cells = [
            "" if (found := truth.line(line.name, pairs, stain)) is None else _told(found.figures["overall"])
            for pairs, stain in where
        ]
        amount = amounts.get(line.name)
        if amount is None:
            cells += ["", "", ""]
        else:
            cells.append("" if amount.ihc_share is None else f"{amount.ihc_share:.0%}")
            cells.append(f"{amount.blank:.0%}")
            cells.append(
                f"{amount.of_zero / amount.of_others:.2f}" if amount.of_zero is not None and amount.of_others else ""
            )
        lines.append(_row([str(line.name), *cells]))
    lines += [
        "",
        "*Evidence on the IHC*: the share of a map's positive evidence there. *Blank*: maps without any. *Evidence in "
        "class 0*: the median of a map's positive evidence over pairs of class 0, where no cell decides, for 1 in the others.",
    ]
    return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _told(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "" if figure.value is None else f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def _signed(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "" if figure.value is None else f"{figure.value:+.2f}"
    return f"{figure.value:+.2f} ({figure.low:+.2f} to {figure.high:+.2f})"


def _caption(stain: str) -> str:
    return Stain(stain).caption.removesuffix(" HER2")


def _document(one: Measured) -> dict[str, Any]:
    manifest = one.manifest
    facts = {"name": manifest.name, "version": manifest.version, "input": [manifest.input.width, manifest.input.height]}
    return facts | asdict(one.truth)


def _flat(one: Measured, line: Line) -> dict[str, Any]:
    """A line of the CSV: every figure with its interval, and the overall one less each rival's."""
    layout = one.manifest.input
    flat: dict[str, Any] = {
        "model": str(one.manifest.identity),
        "input": f"{layout.width} x {layout.height}",
        "method": line.name.method,
        "stage": line.name.stage,
        "stain": line.stain,
        "of": line.pairs,
        "pairs": line.figures["overall"].fields,
    }
    told = dict(line.figures) | {f"overall less {rival}": of_rival["overall"] for rival, of_rival in line.less.items()}
    for name, figure in told.items():
        flat |= {name: figure.value, f"{name} low": figure.low, f"{name} high": figure.high}
    return flat


def _replace(path: Path, text: str) -> None:
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")

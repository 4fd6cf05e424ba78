"""The report of a study: what was scored and what was not, how it agrees with labels, and how it can be made again."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from reportlab.platypus import CondPageBreak, Flowable, PageBreak

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.agreement import Agreement, Figure
from her2viewer.export.contact_sheet import MOST, Look, SheetCase, sheet_tables, shown_in_words
from her2viewer.export.report.model_in_short import model_in_short
from her2viewer.export.report.naming import Naming
from her2viewer.export.report.page import NOT_A_CASE, Paper, Subject, write_report
from her2viewer.export.report.parts import (
    BODY,
    BODY_QUIET,
    GAP,
    LABEL,
    MIDDLE,
    SMALL,
    SMALL_QUIET,
    SMALL_STRONG,
    columns,
    facts,
    heading,
    listed,
    say,
    space,
    title,
)
from her2viewer.export.report.plots import confusion_matrix, histogram, reliability_plot, score_columns
from her2viewer.export.results import ModelRecord, ResultDocument
from her2viewer.export.score_band import probability_words
from her2viewer.scoring.membrane.rule import wilson
from her2viewer.scoring.package import ModelManifest

_BINS: Final = 10
_MOST_LISTED: Final = 300
"""Failures and files left out that are named; a report is no table, and all of them stand in results.csv."""
_MOST_REASONS: Final = 12
_MOST_MODELS: Final = 8
_MATRIX: Final = 204.0
"""Points of the confusion matrix, its names with it."""
NOT_INDEPENDENT: Final = (
    "Intervals are of 95% and take fields for independent; fields of one slide or patient are not, so the true ones are wider."
)


@dataclass(frozen=True, slots=True)
class StudyRow:
    """What a study's report keeps of a row; `error` is empty where it was scored. sha256: of the IHC's bytes."""

    case_id: str
    label: str | None
    error: str = ""
    score: str = ""
    classes: tuple[str, ...] = ()
    probability: float = 0.0
    no_call: str = ""
    checks: tuple[str, ...] = ()
    sha256: str | None = None
    model: ModelRecord | None = None
    device: str = ""
    app_version: str = ""
    utc: datetime | None = None
    aligned: bool = False

    @classmethod
    def of(cls, result: ResultDocument) -> Self:
        """A scored pair."""
        return cls(
            case_id=result.case_id,
            label=result.label,
            score=result.score,
            classes=tuple(result.probabilities),
            probability=result.probabilities[result.score],
            no_call=result.no_call or "",
            checks=tuple(check.name for check in result.checks),
            sha256=result.images.ihc.sha256,
            model=result.model,
            device=f"{result.device}, {result.precision}",
            app_version=result.app_version,
            utc=result.utc,
            aligned=result.alignment is not None,
        )

    @classmethod
    def failed(cls, case_id: str, error: str, label: str | None = None) -> Self:
        """A pair that could not be scored, and why."""
        return cls(case_id, label, error=error or "not scored")


@dataclass(frozen=True, eq=False, slots=True)
class StudyContents:
    """Everything a study's report is made of.

    look: the picture of a case for the contact sheet; left_out: files that made no pair, and why; model: the manifest of the
    model, None where its package is not at hand; how: the command that makes these results again, without places of this machine.
    """

    rows: tuple[StudyRow, ...]
    look: Look = field(default=lambda _: None)
    left_out: tuple[tuple[str, str], ...] = ()
    model: ModelManifest | None = None
    how: str = ""
    title: str = ""

    @property
    def scored(self) -> tuple[StudyRow, ...]:
        return tuple(row for row in self.rows if not row.error)

    @property
    def failures(self) -> tuple[StudyRow, ...]:
        return tuple(row for row in self.rows if row.error)

    @property
    def classes(self) -> tuple[str, ...]:
        """Of all models in the study, in the order in which they come."""
        return tuple(dict.fromkeys(name for row in self.scored for name in row.classes))

    @property
    def labelled(self) -> tuple[StudyRow, ...]:
        """Scored rows whose label is one of the classes."""
        classes = set(self.classes)
        return tuple(row for row in self.scored if row.label in classes)

    @property
    def models(self) -> tuple[ModelRecord, ...]:
        return tuple(dict.fromkeys(row.model for row in self.scored if row.model is not None))


def write_study_report(
    path: Path | str,
    contents: StudyContents,
    *,
    paper: Paper = Paper.A4,
    names: bool = True,
    contact_sheet: int = MOST,
    made: datetime | None = None,
) -> None:
    """Writes the report of a study. Raises ExportError.

    names: whether case ids and file names are shown. contact_sheet: how many cases are shown in small at most; of a larger study
    those that most need a look. Rows are held as they were given, pictures only in small.
    """
    made = (made or datetime.now(UTC)).astimezone(UTC)
    naming, width = Naming(names), paper.width
    story: list[Flowable] = [*_opening(contents, made, width), *_distribution(contents, width)]
    story += _agreement(contents, width)
    story += _confidence(contents, width)
    story += _no_calls(contents, width)
    story += _not_scored(contents, naming, width)
    shown = sheet_cases(contents, naming, contact_sheet)
    if shown:
        story += [
            PageBreak(),
            heading("Contact sheet"),
            say(shown_in_words(len(shown), len(contents.scored)), SMALL_QUIET),
            space(),
            *sheet_tables(shown, contents.look, width),
        ]
    story += [CondPageBreak(220), *model_in_short(contents.models[:_MOST_MODELS], contents.model, width)]
    story += _again(contents, width)
    story += [space(), say(RESEARCH_USE, SMALL_STRONG)]
    write_report(path, story, title="HER2 study report", paper=paper, made=made)


def sheet_cases(contents: StudyContents, naming: Naming, most: int = MOST) -> list[SheetCase]:
    """The cases of the contact sheet: all in their order, or as many as fit of those that most need a look."""
    rows = list(contents.scored)
    if len(rows) > most:
        place = {name: at for at, name in enumerate(contents.classes)}

        def need(row: StudyRow) -> tuple[bool, int, float]:
            apart = abs(place[row.label] - place[row.score]) if row.label in place else 0
            return not row.no_call, -apart, row.probability

        rows = sorted(rows, key=need)[:most]
    return [
        SheetCase(
            row.case_id,
            naming.case(row.case_id, row.sha256),
            row.score,
            "   ".join(
                filter(
                    None,
                    (
                        f"p {probability_words(row.probability)}",
                        f"label {row.label}" if row.label else "",
                        "no call" if row.no_call else "",
                    ),
                )
            ),
            doubt=bool(row.no_call) or (row.label in row.classes and row.label != row.score),
        )
        for row in rows
    ]


def _opening(contents: StudyContents, made: datetime, width: float) -> list[Flowable]:
    rows, scored, labelled = contents.rows, contents.scored, contents.labelled
    model = str(contents.models[0].name) + " " + contents.models[0].version if contents.models else "no model"
    if len(contents.models) > 1:
        model = f"{len(contents.models)} models"
    head = contents.title or f"Study of {len(rows):,} {'pair' if len(rows) == 1 else 'pairs'}"
    calls = [row for row in scored if not row.no_call]
    figures: list[tuple[str, str, str]] = [
        ("Scored", f"{len(scored):,}", f"of {len(rows):,} pairs"),
        ("No call", f"{len(scored) - len(calls):,}", _of(len(scored) - len(calls), len(scored))),
    ]
    if labelled:
        agreement = Agreement.of(contents.classes, _readings(labelled))
        figures.append(("Exact agreement", *_large(agreement.exact)))
        figures.append(("Weighted kappa", *_large(agreement.kappa, share=False)))
    each = (width - 3 * 2 * GAP) / 4
    cells = [
        [say(name, LABEL), say(value, MIDDLE), space(0.75), say(more, SMALL_QUIET)] for name, value, more in figures
    ]
    return [
        Subject(f"Study report · {model}"),
        columns([title(head), say(f"Report made\n{made:%Y-%m-%d %H:%M} UTC", SMALL_QUIET)], [width - 106, 90]),
        say(f"HER2 scores of fields by {model}. {NOT_A_CASE}", BODY_QUIET),
        space(2),
        columns(cells, [each] * len(cells)),
        *([space(), say(_labels_in_words(contents), SMALL_QUIET)] if scored else []),
    ]


def _labels_in_words(contents: StudyContents) -> str:
    known, scored = len(contents.labelled), len(contents.scored)
    if not known:
        return "No label is known for these pairs, so nothing is said here of agreement."
    other = sum(row.label is not None for row in contents.scored) - known
    strange = f" {other:,} labels are none of the model's classes and are left out." if other else ""
    return f"Labels as names or table gave them before scoring, for {known:,} of {scored:,} scored pairs.{strange}"


def _distribution(contents: StudyContents, width: float) -> list[Flowable]:
    scored = contents.scored
    if not scored:
        return [heading("Scores"), say("No pair was scored.", BODY)]
    classes = contents.classes
    counts = Counter(row.score for row in scored)
    labels = Counter(row.label for row in contents.labelled)
    half = (width - 2 * GAP) / 2
    plot = score_columns(
        classes,
        [counts[name] for name in classes],
        [labels[name] for name in classes] if labels else None,
        half,
        112,
    )
    no_calls = Counter(row.score for row in scored if row.no_call)
    rows = [
        (
            name,
            f"{counts[name]:,}",
            _percent(counts[name], len(scored)),
            _interval(counts[name], len(scored)),
            f"{no_calls[name]:,}",
        )
        for name in classes
    ]
    table = listed(
        ("Score", "Fields", "Share", "95% interval", "No call"),
        rows,
        [half * part for part in (0.16, 0.18, 0.18, 0.3, 0.18)],
        right=(1, 2, 3, 4),
    )
    return [heading("Scores"), columns([plot, table], [half, half])]


def _agreement(contents: StudyContents, width: float) -> list[Flowable]:
    labelled = contents.labelled
    if not labelled:
        return []
    classes = contents.classes
    every = Agreement.of(classes, _readings(labelled))
    called = Agreement.of(classes, _readings([row for row in labelled if not row.no_call]))
    rows = [
        ("Fields", f"{every.fields:,}", f"{called.fields:,}"),
        ("Exact agreement", _in_words(every.exact), _in_words(called.exact)),
        ("Within one score", _in_words(every.within_one), _in_words(called.within_one)),
        (
            "Quadratic weighted kappa",
            _in_words(every.kappa, share=False),
            _in_words(called.kappa, share=False),
        ),
    ]
    matrix = confusion_matrix(classes, every.counts.tolist(), _MATRIX)
    rest = width - _MATRIX - 2 * GAP
    table = listed(("", "All scored", "Without no calls"), rows, [rest * part for part in (0.32, 0.34, 0.34)])
    per_class = [
        (
            name,
            f"{int(every.counts[at].sum()):,}",
            _of(int(every.counts[at, at]), int(every.counts[at].sum())),
            _of(int(every.counts[at, max(at - 1, 0) : at + 2].sum()), int(every.counts[at].sum())),
        )
        for at, name in enumerate(classes)
    ]
    by_label = listed(
        ("Label", "Fields", "Scored the same", "Within one"),
        per_class,
        [rest * part for part in (0.14, 0.14, 0.38, 0.34)],
    )
    return [
        CondPageBreak(230),
        heading("Agreement with the labels"),
        columns([matrix, [table, space(1.5), by_label]], [_MATRIX, rest]),
        space(0.5),
        say(NOT_INDEPENDENT, SMALL_QUIET),
    ]


def _confidence(contents: StudyContents, width: float) -> list[Flowable]:
    scored, labelled = contents.scored, contents.labelled
    if not scored:
        return []
    half = (width - 2 * GAP) / 2
    low = 1 / max(2, len(contents.classes))
    counts = [0] * _BINS
    for row in scored:
        counts[min(int(max(row.probability - low, 0) / (1 - low) * _BINS), _BINS - 1)] += 1
    left: list[Flowable] = [
        say("Probability of the score that was given", SMALL_STRONG),
        histogram(counts, low, 1.0, "probability of the score", half, 120),
    ]
    right: list[Flowable] = []
    if labelled:
        right = [
            say("Share scored as labelled, where the probability was so", SMALL_STRONG),
            reliability_plot(reliability_bins(labelled), half, 120),
        ]
    more = "On the dashed line probabilities are right; bars are 95% intervals." if labelled else ""
    return [
        CondPageBreak(165),
        heading("Confidence"),
        columns([left, right], [half, half]),
        *([say(more, SMALL_QUIET)] if more else []),
    ]


def reliability_bins(rows: Iterable[StudyRow], bins: int = _BINS) -> list[tuple[float, int, int]]:
    """(mean probability, how many were scored as labelled, of how many) of each tenth of probability that holds some."""
    held: list[list[StudyRow]] = [[] for _ in range(bins)]
    for row in rows:
        held[min(int(row.probability * bins), bins - 1)].append(row)
    return [
        (sum(row.probability for row in some) / len(some), sum(row.score == row.label for row in some), len(some))
        for some in held
        if some
    ]


def _no_calls(contents: StudyContents, width: float) -> list[Flowable]:
    scored = contents.scored
    if not scored:
        return []
    reasons = Counter(row.no_call for row in scored if row.no_call)
    checks = Counter(name.replace("_", " ") for row in scored for name in dict.fromkeys(row.checks))
    parts: list[Flowable] = [heading("No calls and checks")]
    none = len(scored) - sum(reasons.values())
    parts.append(
        say(
            f"{none:,} of {len(scored):,} scored pairs were called, "
            f"{len(scored) - none:,} were not ({_of(len(scored) - none, len(scored))}).",
            BODY,
        )
    )
    half = (width - 2 * GAP) / 2
    left = _counted("Why there was no call", reasons, half)
    right = _counted("Checks that did not pass", checks, half)
    if left or right:
        parts += [
            space(0.5),
            columns(
                [left or [say("There was no reason not to call.", SMALL)], right or [say("All checks passed.", SMALL)]],
                [half, half],
            ),
        ]
    return parts


def _counted(name: str, counts: Counter[str], width: float) -> list[Flowable]:
    if not counts:
        return []
    rows = [(words, f"{count:,}") for words, count in counts.most_common(_MOST_REASONS)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(_MOST_REASONS))
    if rest:
        rows.append(("others", f"{rest:,}"))
    return [listed((name, "Pairs"), rows, [0.84 * width, 0.16 * width], right=(1,))]


def _not_scored(contents: StudyContents, naming: Naming, width: float) -> list[Flowable]:
    parts: list[Flowable] = []
    place = {id(row): number for number, row in enumerate(contents.rows, 1)}
    failures = [
        (naming.case(row.case_id, row.sha256, place[id(row)]), naming.words(row.error)) for row in contents.failures
    ]
    left_out = [
        (naming.file(name) or f"file {number}", naming.words(why))
        for number, (name, why) in enumerate(contents.left_out, 1)
    ]
    parts += _named("Not scored", f"{len(failures):,} pairs could not be scored:", "Pair", failures, width)
    parts += _named("Left out", f"{len(left_out):,} files made no pair:", "File", left_out, width)
    if not parts and contents.rows:
        parts = [heading("Not scored"), say("Every pair was scored.", BODY)]
    return parts


def _named(name: str, words: str, what: str, rows: Sequence[tuple[str, str]], width: float) -> list[Flowable]:
    if not rows:
        return []
    parts: list[Flowable] = [
        heading(name),
        say(words, BODY),
        space(0.5),
        listed((what, "Why"), rows[:_MOST_LISTED], [0.34 * width, 0.66 * width]),
    ]
    if len(rows) > _MOST_LISTED:
        parts.append(say(f"and {len(rows) - _MOST_LISTED:,} more, which stand in results.csv.", SMALL_QUIET))
    return parts


def _again(contents: StudyContents, width: float) -> list[Flowable]:
    scored = contents.scored
    times = [row.utc for row in scored if row.utc is not None]
    when = f"{min(times):%Y-%m-%d %H:%M} to {max(times):%Y-%m-%d %H:%M} UTC" if times else ""
    devices = "; ".join(dict.fromkeys(row.device for row in scored))
    versions = ", ".join(dict.fromkeys(row.app_version for row in scored))
    rows = [
        ("Command", contents.how),
        ("Scored", when),
        ("Where", devices),
        ("App", f"HER2 Viewer {versions}; this report by {__version__}" if versions else f"HER2 Viewer {__version__}"),
        ("Images", "each by the SHA-256 of its bytes, in the columns he_sha256 and ihc_sha256 of results.csv"),
    ]
    return [
        heading("To make it again"),
        facts(rows, width),
        say("The same images, model and app give the same probabilities, to 1e-5 on a CPU.", SMALL),
    ]


def _readings(rows: Iterable[StudyRow]) -> list[tuple[str, str]]:
    return [(row.label or "", row.score) for row in rows]


def _large(found: Figure | None, *, share: bool = True) -> tuple[str, str]:
    if found is None:
        return "–", "cannot be told"
    form: Callable[[float], str] = (lambda value: f"{value:.0%}") if share else (lambda value: f"{value:.2f}")
    return form(found.value), f"95% interval {form(found.low)} to {form(found.high)}"


def _in_words(found: Figure | None, *, share: bool = True) -> str:
    if found is None:
        return "cannot be told"
    form = ".1%" if share else ".3f"
    return f"{found.value:{form}} ({found.low:{form}} to {found.high:{form}})"


def _percent(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "–"


def _interval(count: int, of: int) -> str:
    if not of:
        return "–"
    low, high = wilson(count, of)
    return f"{low:.1%} to {high:.1%}"


def _of(count: int, of: int) -> str:
    """'12 of 30, 40%'; a dash where there is nothing to share out."""
    return f"{count:,} of {of:,}, {count / of:.0%}" if of else "–"

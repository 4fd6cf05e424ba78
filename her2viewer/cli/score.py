"""`her2viewer score`: from the words of the command line to a run, told on the terminal as it goes."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from her2viewer import RESEARCH_USE
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow
from her2viewer.batch.run import BatchSummary, run_batch
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.pairing import Pair, Pairing, ihc_alone, pair_files, pair_folders, pairs_from, with_unique_ids
from her2viewer.cli.choices import Device, Precision
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ExportError, PackageError, PairError, UserError
from her2viewer.export.overlay import OverlayStyle
from her2viewer.export.results import ResultDocument
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.methods import INPUT, METHODS, STAGE_SHOWN_FIRST
from her2viewer.scoring.package import ModelPackage, bundled_package, open_package

_NAMED_AT_MOST: Final = 5
REPORT: Final = "report.pdf"

LeftOut = tuple[tuple[str, str], ...]
"""Names of files that made no pair, and why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the command line. Either `places`, or `ihc` and, unless it is alone, `he`."""

    places: tuple[Path, ...]
    he: Path | None
    ihc: Path | None
    out: Path
    overlay: bool
    style: OverlayStyle
    target: str | None
    stage: str | None
    method: str
    against: str | None
    explain: bool
    device: Device
    precision: Precision
    model: Path | None
    resume: bool
    align: bool = False
    report: bool = False


def score_pairs(asked: Asked) -> int:
    """Scores what was asked for and returns the exit status. Raises UserError where nothing could start."""
    terminal = Terminal()
    pairs, root, unused = _pairs(asked, terminal)
    _check_report(asked)
    package = open_model(asked.model)
    _check_map(asked, package)
    options = BatchOptions(
        out=asked.out,
        overlay=asked.overlay,
        style=asked.style,
        target=asked.target,
        stage=asked.stage or METHODS[asked.method].nearest(STAGE_SHOWN_FIRST),
        method=asked.method,
        against=asked.against,
        explain=asked.explain,
        resume=asked.resume,
        model=package.manifest.identity,
        root=root,
        coverage=coverage(package),
        align=asked.align,
    )
    # Before the network is loaded: a folder that cannot be written is said at once.
    writer = BatchWriter(options)
    scorer = open_scorer(package, asked.device, asked.precision)
    terminal.notices((*scorer.notices, *cautions(package)))
    try:
        summary, rows = _run(pairs, scorer, options, writer, terminal)
    except ExportError as error:
        terminal.remark(f"Error: {error} What was written stands; the same command with --resume goes on.")
        return 1
    _report(summary, rows, len(pairs), asked.out, terminal)
    if asked.report and summary.files:
        from her2viewer.batch.reports import ReportOptions, study_report

        study_report(asked.out, asked.out / REPORT, ReportOptions(model=asked.model), unused)
        terminal.say(f"Report written to {asked.out}: {REPORT}.")
    return 1 if summary.failed or summary.cancelled else 0


def open_model(folder: Path | None) -> ModelPackage:
    """The package asked for, or the one that ships. Raises PackageError."""
    return bundled_package() if folder is None else open_package(folder)


def open_scorer(package: ModelPackage, device: Device, precision: Precision) -> FieldScorer:
    """Loads torch and the weights. Raises PackageError."""
    from her2viewer.scoring.scorer import Scorer

    return Scorer.open(package, device, precision)


def cautions(package: ModelPackage) -> tuple[str, ...]:
    """The model's own sentence on why not to rely on it, where it has one."""
    return (package.manifest.caution,) if package.manifest.caution else ()


def coverage(package: ModelPackage) -> float | None:
    """The share of fields whose true score the model's prediction sets are to hold, or None where it gives no sets."""
    conformal = package.manifest.calibration.conformal
    return None if conformal is None else conformal.level


def lines_of(result: ResultDocument) -> list[str]:
    """A result in words: the score, its probabilities, and what speaks against it."""
    probabilities = ", ".join(f"{name} {value:.3f}" for name, value in result.probabilities.items())
    lines = [f"{result.case_id}: {result.score} ({probabilities})"]
    if result.prediction_set:
        lines.append(f"  prediction set: {', '.join(result.prediction_set)}")
    if result.no_call is not None:
        lines.append(f"  no call: {result.no_call}")
    lines += [f"  check: {check.message}" for check in result.checks if check.message != result.no_call]
    if result.alignment is not None:
        lines.append(f"  alignment: {result.alignment.words}")
    return [
        *lines,
        f"  {result.model.name} {result.model.version} on {result.device}. Field-level prediction. {RESEARCH_USE}",
    ]


def _pairs(asked: Asked, terminal: Terminal) -> tuple[tuple[Pair, ...], Path | None, LeftOut]:
    """The pairs, the folder that their files are named from, and what made no pair."""
    if asked.ihc is not None and asked.he is None:
        if asked.ihc.is_dir():
            raise PairError(
                "is a folder of IHC images without their H&E",
                path=asked.ihc,
                remedy="give one file by --ihc, or --he too",
            )
        return (ihc_alone(asked.ihc),), None, ()
    if asked.he is not None and asked.ihc is not None:
        if not (asked.he.is_dir() and asked.ihc.is_dir()):
            return (pair_files(asked.he, asked.ihc),), None, ()
        pairings = [pair_folders(asked.he, asked.ihc)]
        places = [asked.he.resolve(), asked.ihc.resolve()]
    else:
        pairings = [pairs_from(place) for place in asked.places]
        places = [place.resolve() if place.is_dir() else place.resolve().parent for place in asked.places]
    for pairing in pairings:
        _tell_left_out(pairing, terminal)
    pairs = with_unique_ids(dict.fromkeys(pair for pairing in pairings for pair in pairing.pairs))
    return pairs, _common(places), tuple(one for pairing in pairings for one in left_out(pairing))


def left_out(pairing: Pairing) -> LeftOut:
    """The files of a search that made no pair, by name, and why."""
    return (
        *((path.name, reason) for path, reason in pairing.refused),
        *((path.name, "it has no partner") for path in pairing.unpaired),
    )


def _check_report(asked: Asked) -> None:
    """Raises ExportError where the report would replace a file, before hours of work are done for it."""
    if asked.report and not asked.resume and (asked.out / REPORT).exists():
        raise ExportError("a file of this name is there already", path=asked.out / REPORT, remedy="move it away first")


def _common(places: list[Path]) -> Path | None:
    try:
        return Path(os.path.commonpath(places))
    except ValueError:  # on two drives of Windows
        return None


def _tell_left_out(pairing: Pairing, terminal: Terminal) -> None:
    for path, reason in pairing.refused:
        terminal.remark(f"Left out: {path.name}: {reason}.")
    if pairing.unpaired:
        names = ", ".join(path.name for path in pairing.unpaired[:_NAMED_AT_MOST])
        more = len(pairing.unpaired) - _NAMED_AT_MOST
        terminal.remark(f"Without a partner: {names}{f' and {more} more' if more > 0 else ''}.")


def _check_map(asked: Asked, package: ModelPackage) -> None:
    """Raises UserError for a map that this model or method does not have."""
    classes = package.manifest.classes
    for option, name in (("--class", asked.target), ("--against", asked.against)):
        if name is not None and name not in classes:
            raise PackageError(
                f"the model knows no class {name!r}", remedy=f"name one of {', '.join(classes)} with {option}"
            )
    if asked.against is not None and asked.target is None:
        raise UserError(
            "--against does not say against which class", remedy="name the class whose evidence is wanted with --class"
        )
    if asked.against is not None and asked.against == asked.target:
        raise UserError(
            f"class {asked.target} cannot be set against itself", remedy="name another class with --against"
        )
    offered = METHODS[asked.method].stages
    if asked.stage is not None and asked.stage not in offered:
        stages = "leave --stage out" if offered == (INPUT,) else f"name one of {', '.join(offered)} with --stage"
        raise UserError(f"{asked.method} has no map at {asked.stage}", remedy=stages)


def _run(
    pairs: tuple[Pair, ...], scorer: FieldScorer, options: BatchOptions, writer: BatchWriter, terminal: Terminal
) -> tuple[BatchSummary, list[BatchRow]]:
    rows: list[BatchRow] = []
    with terminal.bar("Scoring", len(pairs)) as bar, _until_interrupted() as interrupted:

        def on_row(row: BatchRow) -> None:
            rows.append(row)
            if row.error is not None:
                terminal.remark(f"Failed: {row.pair.case_id}: {row.error}")
            terminal.notices(scorer.notices)
            bar.step()

        summary = run_batch(pairs, scorer, options, on_row, interrupted, writer=writer)
    return summary, rows


@contextmanager
def _until_interrupted() -> Iterator[Callable[[], bool]]:
    """Within it Ctrl+C asks the run to end well, and a second Ctrl+C ends it at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def stop(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _report(summary: BatchSummary, rows: list[BatchRow], total: int, out: Path, terminal: Terminal) -> None:
    results = [row.result for row in rows if row.result is not None]
    if total == 1 and results:
        for line in lines_of(results[0]):
            terminal.say(line)
    elif results:
        counts = Counter(result.score for result in results)
        scores = ", ".join(f"{name}: {counts[name]}" for name in results[0].probabilities)
        kept = f" ({summary.resumed} of them before)" if summary.resumed else ""
        calls = sum(result.no_call is not None for result in results)
        doubts = f" No call for {calls} of them." if calls else ""
        terminal.say(f"Scored {summary.scored} of {total} pairs{kept}. {scores}.{doubts}")
        terminal.say(f"Field-level predictions. {RESEARCH_USE}")
    if summary.files:
        terminal.say(f"Written to {out}: {', '.join(path.name for path in summary.files)} and one JSON per pair.")
    if summary.failed:
        terminal.remark(f"{summary.failed} of {total} pairs failed; each row says why.")
    if summary.cancelled:
        terminal.remark(f"Stopped after {len(rows)} of {total} pairs; the same command with --resume goes on.")

"""`her2viewer score`: from the words of the command line to a run, told on the terminal as it goes."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from her2viewer import RESEARCH_USE
from her2viewer.batch.engines.address import LOCAL, SchedulerAddress, engine_of
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow
from her2viewer.batch.run import BatchSummary, run_batch
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.pairing import Pair, Pairing, ihc_alone, pair_files, pair_folders, with_unique_ids
from her2viewer.cases.pseudonyms import Pseudonyms
from her2viewer.cases.rule import Rule, pairs_by
from her2viewer.cli.choices import Device, Precision
from her2viewer.cli.terminal import Terminal
from her2viewer.errors import ClusterError, ExportError, PackageError, PairError, UserError
from her2viewer.export.key_file import write_key
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
    no_names: bool = False
    key_file: Path | None = None
    rule: Rule = Rule.AUTO
    pattern: str = ""
    engine: str = LOCAL
    report: bool = False


@dataclass(slots=True)
class _Tally:
    """What is told at the end of a run. Rows themselves are not held: there may be millions."""

    counts: Counter[str] = field(default_factory=Counter)
    classes: tuple[str, ...] = ()
    calls: int = 0
    rows: int = 0
    last: ResultDocument | None = None

    def add(self, row: BatchRow) -> None:
        self.rows += 1
        if row.result is not None:
            self.last = row.result
            self.classes = tuple(row.result.probabilities)
            self.counts[row.result.score] += 1
            self.calls += row.result.no_call is not None


def score_pairs(asked: Asked) -> int:
    """Scores what was asked for and returns the exit status. Raises UserError where nothing could start."""
    terminal = Terminal()
    scheduler = engine_of(asked.engine)
    pairs, root, unused = _pairs(asked, terminal)
    _check_key(asked)
    _check_report(asked)
    names = Pseudonyms() if asked.no_names else None
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
        root=None if asked.no_names else root,
        coverage=coverage(package),
        align=asked.align,
    )
    # Before the network is loaded: a folder that cannot be written is said at once.
    writer = BatchWriter(options)
    tally = _Tally()
    try:
        with _engine(scheduler, asked, package, pairs, names, writer, options, terminal) as run:
            try:
                summary = _run(run, len(pairs), tally, terminal)
                if names is not None and asked.key_file is not None:
                    write_key(asked.key_file, names.given, root)
                    terminal.say(f"Which name became which: {asked.key_file}. Keep it apart from the results.")
            except (ExportError, ClusterError) as error:
                terminal.remark(f"Error: {error} What was written stands; the same command with --resume goes on.")
                return 1
    except UserError:
        writer.release()
        raise
    _report(summary, tally, len(pairs), asked.out, terminal)
    if asked.report and summary.files:
        from her2viewer.batch.reports import ReportOptions, study_report

        study_report(asked.out, asked.out / REPORT, ReportOptions(model=asked.model), unused)
        terminal.say(f"Report written to {asked.out}: {REPORT}.")
    return 1 if summary.failed or summary.cancelled else 0


_Run = Callable[[Callable[[BatchRow], None], Callable[[], bool]], BatchSummary]
"""A run that only waits to be told whom to tell of rows, and who may cancel it."""


@contextmanager
def _engine(
    scheduler: SchedulerAddress | None,
    asked: Asked,
    package: ModelPackage,
    pairs: tuple[Pair, ...],
    names: Pseudonyms | None,
    writer: BatchWriter,
    options: BatchOptions,
    terminal: Terminal,
) -> Iterator[_Run]:
    """The engine that was named, ready to begin. Raises PackageError and ClusterError where it cannot."""
    named: Iterable[Pair] = pairs if names is None else names.all(pairs)
    if scheduler is None:
        scorer = open_scorer(package, asked.device, asked.precision)
        terminal.notices((*scorer.notices, *cautions(package)))

        def here(on_row: Callable[[BatchRow], None], cancelled: Callable[[], bool]) -> BatchSummary:
            def told(row: BatchRow) -> None:
                on_row(row)
                terminal.notices(scorer.notices)

            return run_batch(named, scorer, options, told, cancelled, writer=writer)

        yield here
        return
    from her2viewer.batch.engines.cluster import connected
    from her2viewer.batch.engines.cluster_run import check_workers, run_on_cluster
    from her2viewer.batch.engines.order import Order

    order = Order.of(package, asked.device, asked.precision, options)
    with connected(scheduler) as cluster:
        check_workers(cluster, order, pairs[0] if pairs else None)
        terminal.notices(cautions(package))
        yield lambda on_row, cancelled: run_on_cluster(
            cluster, named, order, writer, on_row, cancelled, terminal.notices
        )


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
        pairings = [pairs_by(asked.rule, place, pattern=asked.pattern) for place in asked.places]
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


def _check_key(asked: Asked) -> None:
    """Raises ExportError for a key that would lie with what it opens, or replace another."""
    if asked.key_file is None:
        return
    if asked.key_file.resolve().is_relative_to(asked.out.resolve()):
        raise ExportError(
            "the key would lie with the results, whose names it tells", path=asked.key_file, remedy="choose another folder for it"
        )
    if asked.key_file.exists() and not asked.resume:
        raise ExportError("a file of this name is there already", path=asked.key_file, remedy="choose another name for the key")


def _run(run: _Run, total: int, tally: _Tally, terminal: Terminal) -> BatchSummary:
    with terminal.bar("Scoring", total) as bar, _until_interrupted() as interrupted:

        def on_row(row: BatchRow) -> None:
            tally.add(row)
            if row.error is not None:
                terminal.remark(f"Failed: {row.pair.case_id}: {row.error}")
            bar.step()

        return run(on_row, interrupted)


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


def _report(summary: BatchSummary, tally: _Tally, total: int, out: Path, terminal: Terminal) -> None:
    if total == 1 and tally.last is not None:
        for line in lines_of(tally.last):
            terminal.say(line)
    elif tally.counts:
        scores = ", ".join(f"{name}: {tally.counts[name]}" for name in tally.classes)
        kept = f" ({summary.resumed} of them before)" if summary.resumed else ""
        doubts = f" No call for {tally.calls} of them." if tally.calls else ""
        terminal.say(f"Scored {summary.scored} of {total} pairs{kept}. {scores}.{doubts}")
        terminal.say(f"Field-level predictions. {RESEARCH_USE}")
    if summary.files:
        terminal.say(f"Written to {out}: {', '.join(path.name for path in summary.files)} and one JSON per pair.")
    if summary.failed:
        terminal.remark(f"{summary.failed} of {total} pairs failed; each row says why.")
    if summary.cancelled:
        terminal.remark(f"Stopped after {tally.rows} of {total} pairs; the same command with --resume goes on.")

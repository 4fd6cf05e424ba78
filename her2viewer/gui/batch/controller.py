"""Many pairs, fed one at a time: while the network works on one, the next is read; what the user asks for goes in between."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from her2viewer.batch.encode import encode
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, ReadPair, guarded, read_pair, scored_row
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.doubts import doubts
from her2viewer.cases.manifest import manifest_text
from her2viewer.cases.pair import Pair, Pairing
from her2viewer.cases.pseudonyms import Pseudonyms
from her2viewer.cases.rule import Rule, pairs_by
from her2viewer.errors import UserError
from her2viewer.export.files import write_atomic
from her2viewer.gui.bench import Bench
from her2viewer.gui.lanes import Context, Lanes, Progress
from her2viewer.gui.store import Store


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """How a run ended: pairs done of all, how many of them failed, and the tables. `error` is what stopped it, if anything."""

    done: int
    total: int
    failed: int
    seconds: float
    files: tuple[Path, ...]
    error: UserError | None = None


class BatchView(Protocol):
    """What shows a batch."""

    def show_pairing(self, pairing: Pairing) -> None: ...

    def show_doubts(self, doubts: Mapping[str, str]) -> None: ...

    def show_list_saved(self, path: Path) -> None: ...

    def show_trouble(self, error: UserError) -> None: ...

    def show_paused(self, *, paused: bool) -> None: ...

    def show_started(self, total: int) -> None: ...

    def show_working(self, pair: Pair) -> None: ...

    def show_row(self, row: BatchRow, done: int, total: int, seconds: float) -> None: ...

    def show_ended(self, end: BatchEnd) -> None: ...


@dataclass(slots=True)
class _Run:
    """What a run has come to. Lives on the window's thread."""

    pairs: Sequence[Pair]
    options: BatchOptions
    writer: BatchWriter
    started: float
    next: int = 0
    reading: bool = False
    ready: ReadPair | None = None
    scoring: bool = False
    written: int = 0
    failed: int = 0
    stopped: bool = False
    paused: bool = False
    halted: float = 0.0
    error: UserError | None = None
    names: Pseudonyms | None = None
    shown: dict[str, Pair] = field(default_factory=dict)
    """Pairs under way, as they are shown, by what they are called in what is written."""


class BatchController:
    """One batch at a time. Cancelling it means to stop feeding it: what was begun is finished and written."""

    def __init__(self, store: Store, lanes: Lanes, bench: Bench) -> None:
        self._store = store
        self._lanes = lanes
        self._bench = bench
        self._view: BatchView | None = None
        self._run: _Run | None = None
        self._starting = False

    def attach(self, view: BatchView) -> None:
        """Who shows it."""
        self._view = view

    @property
    def running(self) -> bool:
        return self._run is not None or self._starting

    def look(self, first: Path, second: Path | None = None, rule: Rule = Rule.AUTO, pattern: str = "") -> None:
        """Looks for pairs in a folder or table, or in two folders (H&E, IHC); then for what is odd about them."""
        assert self._view is not None
        view = self._view

        def show(pairing: Pairing) -> None:
            view.show_pairing(pairing)
            self.doubt(pairing.pairs)

        self._lanes.files.drop("batch doubts")
        self._lanes.files.submit(
            "batch look", lambda _: pairs_by(rule, first, second, pattern), show, failed=view.show_trouble
        )

    def doubt(self, pairs: Sequence[Pair]) -> None:
        """Looks at names and headers of pairs; the view is told what is odd."""
        assert self._view is not None
        view = self._view
        self._lanes.files.submit("batch doubts", lambda context: doubts(pairs, context.token.check), view.show_doubts)

    def save_list(self, pairs: Sequence[Pair], path: Path) -> None:
        """Writes pairs as a table that opens again."""
        assert self._view is not None
        view = self._view

        def work(_: Context) -> Path:
            with write_atomic(path) as file:
                file.write(manifest_text(pairs, path.parent).encode("utf-8-sig", "surrogateescape"))
            return path

        self._lanes.files.submit("batch list", work, view.show_list_saved, failed=view.show_trouble)

    def pause(self) -> None:
        """Feeds no more for now; what was begun is finished and written."""
        run = self._run
        if run is not None and not run.stopped and not run.paused:
            run.paused, run.halted = True, time.perf_counter()
            assert self._view is not None
            self._view.show_paused(paused=True)
            self._tell()

    def go_on(self) -> None:
        """After a pause."""
        run = self._run
        if run is not None and run.paused:
            run.paused = False
            run.started += time.perf_counter() - run.halted  # a pause is no work
            assert self._view is not None
            self._view.show_paused(paused=False)
            self._tell()
            self._step()

    def start(self, pairs: Sequence[Pair], options: BatchOptions, *, no_names: bool = False) -> None:
        """Makes the folder of results and begins. no_names: pseudonyms stand in what is written; names stay on screen."""
        if self.running or not pairs:
            return
        assert self._view is not None
        self._starting = True
        self._lanes.files.submit(
            "batch begin",
            lambda _: BatchWriter(options),
            lambda writer: self._begin(
                _Run(tuple(pairs), options, writer, time.perf_counter(), names=Pseudonyms() if no_names else None)
            ),
            failed=self._on_not_started,
        )

    def cancel(self) -> None:
        """Stops feeding. The pairs that are being worked on are finished and stay."""
        if self._run is not None:
            self.go_on()
            self._run.stopped = True
            self._step()

    def close(self) -> None:
        """Once the lanes have ended: lets go of the folder. What was kept stays; the tables are made when it is gone on with."""
        run, self._run = self._run, None
        if run is not None:
            run.writer.release()

    def _on_not_started(self, error: UserError) -> None:
        self._starting = False
        assert self._view is not None
        self._view.show_trouble(error)

    def _begin(self, run: _Run) -> None:
        self._starting = False
        self._run = run
        assert self._view is not None
        self._view.show_started(len(run.pairs))
        self._tell()
        self._step()

    def _step(self) -> None:
        """Hands out what can be begun, or ends the run where nothing is left under way."""
        run = self._run
        if run is None:
            return
        if run.ready is not None and not run.scoring:
            self._score(run, run.ready)
            run.ready = None
        if not (run.stopped or run.paused or run.reading or run.ready) and run.next < len(run.pairs):
            self._read(run, run.pairs[run.next])
            run.next += 1
        if run.stopped:
            run.ready = None
        under_way = run.reading or run.scoring or run.ready is not None
        # What was dropped when the run was stopped is neither under way nor written.
        if not under_way and (run.stopped or run.next == len(run.pairs)):
            self._lanes.files.submit(
                "batch end", lambda _: run.writer.close(), self._on_closed, failed=self._on_unwritable
            )

    def _read(self, run: _Run, pair: Pair) -> None:
        run.reading = True
        assert self._view is not None
        self._view.show_working(pair)

        def work() -> ReadPair | BatchRow:
            named = pair if run.names is None else run.names.of(pair)
            run.shown[named.case_id] = pair
            return guarded(named, lambda: run.writer.finished(named) or read_pair(named, align=run.options.align))

        self._lanes.files.submit("batch read", lambda _: work(), self._on_read)

    def _on_read(self, found: ReadPair | BatchRow) -> None:
        run = self._run
        assert run is not None
        run.reading = False
        if isinstance(found, BatchRow):
            self._write(run, found)
        else:
            run.ready = found
        self._step()

    def _score(self, run: _Run, read: ReadPair) -> None:
        run.scoring = True
        bench = self._bench

        def work() -> BatchRow:
            return scored_row(read, bench.scorer.score(read.pixels), bench.scorer, run.options)

        self._lanes.inference.submit("batch score", lambda _: guarded(read.pair, work), self._on_scored)

    def _on_scored(self, row: BatchRow) -> None:
        run = self._run
        assert run is not None
        run.scoring = False
        self._write(run, row)
        self._step()

    def _write(self, run: _Run, row: BatchRow) -> None:
        # Each has a topic of its own: of these none replaces another. The lane keeps their order.
        topic = f"batch write {row.pair.case_id}"
        self._lanes.files.submit(
            topic, lambda _: run.writer.add(encode(row, run.options)), self._on_written, failed=self._on_unwritable
        )

    def _on_written(self, row: BatchRow) -> None:
        run = self._run
        if run is None:
            return
        run.written += 1
        run.failed += row.result is None
        assert self._view is not None
        row = replace(row, pair=run.shown.pop(row.pair.case_id, row.pair))
        self._view.show_row(row, run.written, len(run.pairs), time.perf_counter() - run.started)
        self._tell()

    def _on_unwritable(self, error: UserError) -> None:
        """A full disk for one pair is full for the next: the run ends, what was written stays."""
        run = self._run
        if run is None:
            return
        run.stopped = True
        if run.error is None:
            run.error = error
            self._step()
        else:
            self._on_closed(())

    def _on_closed(self, files: tuple[Path, ...]) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        assert self._view is not None
        seconds = time.perf_counter() - run.started
        self._view.show_ended(BatchEnd(run.written, len(run.pairs), run.failed, seconds, files, run.error))
        self._tell()

    def _tell(self) -> None:
        run = self._run
        progress = None
        if run is not None:
            paused = ", paused" if run.paused else ""
            progress = Progress(run.written, len(run.pairs), f"Batch {run.written} of {len(run.pairs)}{paused}")
        self._store.change(batch=progress)

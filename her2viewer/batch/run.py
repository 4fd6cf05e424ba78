"""A whole run: every core takes pairs from file to bytes, while what is done is written. Memory stays flat."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from her2viewer.batch.encode import EncodedRow, encode
from her2viewer.batch.machine import cores as cores_here
from her2viewer.batch.machine import most_pixels
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, ReadPair, guarded, read_pair, scored_row
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.pair import Pair
from her2viewer.errors import Cancelled, ExportError, UserError
from her2viewer.imaging.opening import probe
from her2viewer.scoring.cores import cores_each
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.field_scorer import FieldScorer, Twinned
from her2viewer.scoring.watching import never

GROUP: Final = 4
"""Pairs that go through the network together."""
AHEAD: Final = 2
"""Groups that wait, or whose rows are being written, beside those that are worked on."""
_LOOK_SECONDS: Final = 0.1
"""How often a run that waits looks whether it is cancelled."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """How a run ended. `scored` counts the `resumed` ones; `files` are the tables."""

    scored: int
    failed: int
    resumed: int
    cancelled: bool
    seconds: float
    files: tuple[Path, ...]


class RowSink(Protocol):
    """Where rows go: a folder (`BatchWriter`), or back to the machine that sent the pairs. For who calls what see there."""

    def finished(self, pair: Pair) -> BatchRow | None: ...

    def add(self, encoded: EncodedRow) -> BatchRow: ...

    def close(self) -> tuple[Path, ...]: ...


@dataclass(frozen=True, slots=True)
class _Group:
    """Pairs that are worked on together, and how many pixels they hold in memory."""

    pairs: tuple[Pair, ...]
    pixels: int


def run_batch(
    pairs: Iterable[Pair],
    scorer: FieldScorer,
    options: BatchOptions,
    on_row: Callable[[BatchRow], None] = lambda row: None,
    cancelled: Callable[[], bool] = never,
    *,
    writer: RowSink | None = None,
    cores: int | None = None,
) -> BatchSummary:
    """Scores the pairs and writes each as it comes; `on_row` is told in their order, in this thread.

    A pair that fails costs its row and nothing else. After `cancelled` says so, what was begun is dropped and the tables
    are written of what is there. Raises ExportError where results cannot be written; those written stay. `writer`
    is one made beforehand of the same options. `cores`: how many to use; all unless given.
    """
    return _Run(scorer, options, on_row, cancelled, writer or BatchWriter(options), cores or cores_here()).go(pairs)


class _Run:
    def __init__(
        self,
        scorer: FieldScorer,
        options: BatchOptions,
        on_row: Callable[[BatchRow], None],
        cancelled: Callable[[], bool],
        writer: RowSink,
        cores: int,
    ) -> None:
        self._scorer = scorer
        self._options = options
        self._on_row = on_row
        self._cancelled = cancelled
        self._writer = writer
        self._cores = cores
        self._scorers: SimpleQueue[FieldScorer] = SimpleQueue()
        self._told: SimpleQueue[BatchRow | _Group | BaseException] = SimpleQueue()
        self._stopping = threading.Event()
        self._broken = False  # a row could not be written
        self._most_pixels = most_pixels()
        self._pixels = self._groups = 0
        self._scored = self._failed = self._resumed = 0

    def go(self, pairs: Iterable[Pair]) -> BatchSummary:
        started = time.perf_counter()
        try:
            cancelled = self._through(pairs)
        except BaseException:
            with suppress(ExportError):  # the first error is the one to tell
                self._writer.close()
            raise
        files = self._writer.close()
        seconds = time.perf_counter() - started
        return BatchSummary(self._scored, self._failed, self._resumed, cancelled, seconds, files)

    def _through(self, pairs: Iterable[Pair]) -> bool:
        """All pairs, or those until it was cancelled, which it returns. Nothing runs any more then."""
        count = len(pairs) if isinstance(pairs, Sized) else None
        # A few pairs are worked on by as many threads, each of which then has more cores.
        workers = self._cores if count is None else min(self._cores, max(count, 1))
        most = GROUP if count is None else min(max(count // (2 * workers), 1), GROUP)
        if self._options.explain:  # seconds each
            most = 1
        for one in _scorers(self._scorer, workers):
            self._scorers.put(one)
        groups, waiting, cancelled = self._grouped(pairs, most, self._most_pixels // (workers + AHEAD)), None, False
        with cores_each(max(self._cores // workers, 1)):
            pool = ThreadPoolExecutor(workers, thread_name_prefix="pair")
            writing = ThreadPoolExecutor(1, thread_name_prefix="write")
            try:
                while not (cancelled := self._cancelled()):
                    waiting = waiting or next(groups, None)
                    if waiting is not None and self._has_room(waiting, workers + AHEAD):
                        self._pixels += waiting.pixels
                        self._groups += 1
                        writing.submit(self._write, waiting, pool.submit(self._work, waiting))
                        waiting = None
                    elif self._groups:
                        self._hear(_LOOK_SECONDS)
                    else:
                        break
            finally:
                self._stopping.set()
                pool.shutdown(wait=True, cancel_futures=True)
                writing.shutdown(wait=True)
        while self._groups:
            self._hear(0)
        return cancelled

    def _grouped(self, pairs: Iterable[Pair], most: int, most_pixels: int) -> Iterator[_Group]:
        """At most so many pairs and pixels together, or one pair."""
        group: list[Pair] = []
        held = 0
        for pair in pairs:
            pixels = _pixels(pair)
            if group and (len(group) == most or held + pixels > most_pixels):
                yield _Group(tuple(group), held)
                group, held = [], 0
            group.append(pair)
            held += pixels
        if group:
            yield _Group(tuple(group), held)

    def _has_room(self, group: _Group, most: int) -> bool:
        """What is larger than all the room is worked on alone."""
        return self._groups < most and (not self._groups or self._pixels + group.pixels <= self._most_pixels)

    def _work(self, group: _Group) -> list[EncodedRow]:
        """In a thread of the pool: from files to bytes. Shorter than the group where the run was stopped meanwhile."""
        found: list[ReadPair | BatchRow] = []
        for pair in group.pairs:
            if self._stopping.is_set():
                return []
            found.append(guarded(pair, partial(self._read, pair), raising=(ExportError,)))
        evidence = self._evidence([one for one in found if isinstance(one, ReadPair)])
        rows: list[EncodedRow] = []
        found.reverse()
        while found and not self._stopping.is_set():
            one = found.pop()  # its pixels are let go of before the next is drawn
            try:
                row = one if isinstance(one, BatchRow) else self._row(one, next(evidence))
            except Cancelled:
                break
            rows.append(encode(row, self._options))
        return rows

    def _read(self, pair: Pair) -> ReadPair | BatchRow:
        return self._writer.finished(pair) or read_pair(pair, align=self._options.align)

    def _evidence(self, read: list[ReadPair]) -> Iterator[Evidence | None]:
        """In one pass; None for each where that fails, so that each is tried alone and only the one at fault fails."""
        together: list[Evidence] | BatchRow = []
        if read:
            with self._one_scorer() as scorer:
                together = guarded(read[0].pair, lambda: scorer.score_batch([one.pixels for one in read]))
        return iter([None] * len(read) if isinstance(together, BatchRow) else together)

    def _row(self, read: ReadPair, evidence: Evidence | None) -> BatchRow:
        """Raises Cancelled."""
        with self._one_scorer() as scorer:
            return guarded(
                read.pair,
                lambda: scored_row(read, evidence or scorer.score(read.pixels), scorer, self._options, self._is_cancelled),
            )

    @contextmanager
    def _one_scorer(self) -> Iterator[FieldScorer]:
        """One that no other thread uses meanwhile."""
        scorer = self._scorers.get()
        try:
            yield scorer
        finally:
            self._scorers.put(scorer)

    def _is_cancelled(self) -> bool:
        return self._stopping.is_set() or self._cancelled()

    def _write(self, group: _Group, working: Future[list[EncodedRow]]) -> None:
        """In the writing thread, in the order of the pairs."""
        try:
            for encoded in working.result():
                if self._broken:
                    break
                self._told.put(self._writer.add(encoded))
        except CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 told in the caller's thread, which ends the run
            self._broken = True
            self._stopping.set()
            self._told.put(error)
        self._told.put(group)

    def _hear(self, seconds: float) -> None:
        """Waits so long for news of a row or a group. Raises what went wrong with either."""
        try:
            news = self._told.get(timeout=seconds)
        except Empty:
            return
        if isinstance(news, BaseException):
            raise news
        if isinstance(news, _Group):
            self._pixels -= news.pixels
            self._groups -= 1
            return
        self._scored += news.result is not None
        self._failed += news.result is None
        self._resumed += news.resumed
        self._on_row(news)


def _scorers(scorer: FieldScorer, count: int) -> Iterator[FieldScorer]:
    """So many, each for a thread; or the one that there is, for which threads then wait."""
    yield scorer
    if isinstance(scorer, Twinned):
        for _ in range(count - 1):
            yield scorer.twin()


def _pixels(pair: Pair) -> int:
    """Level-0 pixels of both images, from their headers; 0 where they cannot be told."""
    try:
        sizes = [probe(path).size for path in (pair.he, pair.ihc) if path is not None]
    except UserError:
        return 0
    return sum(width * height for width, height in sizes)

"""A whole run: the next pairs are read and the last ones written while the network works. Memory stays flat."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from her2viewer.batch.encode import EncodedRow, encode
from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import BatchRow, ReadPair, guarded, read_pair, scored_row
from her2viewer.batch.writer import BatchWriter
from her2viewer.cases.pair import Pair
from her2viewer.errors import Cancelled, ExportError, UserError
from her2viewer.imaging.opening import probe
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.watching import never

READERS: Final = 2
ENCODERS: Final = 2
BATCH: Final = 8
AHEAD: Final = READERS + BATCH
"""Pairs that are being read or wait for the network."""

IN_MEMORY_PIXELS: Final = 120_000_000
"""Of all pairs between reading and written; a pair above it is worked on alone. At 3 bytes, twice while it is read."""


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


@dataclass(slots=True)
class _InWork:
    """A pair on its way, and how many pixels it holds in memory."""

    pair: Pair
    pixels: int
    future: Future[ReadPair | BatchRow]


def run_batch(
    pairs: Iterable[Pair],
    scorer: FieldScorer,
    options: BatchOptions,
    on_row: Callable[[BatchRow], None] = lambda row: None,
    cancelled: Callable[[], bool] = never,
    *,
    writer: RowSink | None = None,
) -> BatchSummary:
    """Scores the pairs and writes each as it comes; `on_row` is told in their order, in this thread.

    A pair that fails costs its row and nothing else. After `cancelled` says so, what was begun is dropped and the tables
    are written of what is there. Raises ExportError where results cannot be written; those written stay. `writer`
    is one made beforehand of the same options.
    """
    return _Run(scorer, options, on_row, cancelled, writer or BatchWriter(options)).go(pairs)


class _Run:
    def __init__(
        self,
        scorer: FieldScorer,
        options: BatchOptions,
        on_row: Callable[[BatchRow], None],
        cancelled: Callable[[], bool],
        writer: RowSink,
    ) -> None:
        self._scorer = scorer
        self._options = options
        self._on_row = on_row
        self._cancelled = cancelled
        self._writer = writer
        self._reading: deque[_InWork] = deque()
        self._writing: deque[tuple[int, Future[BatchRow]]] = deque()
        self._pixels = 0
        self._scored = self._failed = self._resumed = 0

    def go(self, pairs: Iterable[Pair]) -> BatchSummary:
        started = time.perf_counter()
        source = iter(pairs)
        waiting: deque[tuple[Pair, int]] = deque()
        readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        encoders = ThreadPoolExecutor(ENCODERS, thread_name_prefix="encode")
        writers = ThreadPoolExecutor(1, thread_name_prefix="write")
        stopped = False
        try:
            while True:
                stopped = stopped or self._cancelled()
                if stopped:
                    break
                self._feed(source, waiting, readers)
                if self._reading:
                    try:
                        for pixels, row in self._score(self._take()):
                            encoding = encoders.submit(encode, row, self._options)
                            self._writing.append((pixels, writers.submit(self._write, encoding)))
                    except Cancelled:
                        stopped = True
                    self._settle(BATCH)
                elif self._writing:
                    self._settle(len(self._writing) - 1)
                else:
                    break
            self._settle(0)
        except BaseException:
            for pool in (readers, writers, encoders):
                pool.shutdown(wait=True, cancel_futures=True)
            with suppress(ExportError):  # the first error is the one to tell
                self._writer.close()
            raise
        readers.shutdown(wait=True, cancel_futures=True)
        encoders.shutdown(wait=True)
        writers.shutdown(wait=True)
        files = self._writer.close()
        seconds = time.perf_counter() - started
        return BatchSummary(self._scored, self._failed, self._resumed, stopped, seconds, files)

    def _feed(self, source: Iterator[Pair], waiting: deque[tuple[Pair, int]], readers: ThreadPoolExecutor) -> None:
        """Hands out pairs to be read, as far as there is room."""
        while len(self._reading) < AHEAD:
            if not waiting:
                pair = next(source, None)
                if pair is None:
                    return
                waiting.append((pair, _pixels(pair)))
            pair, pixels = waiting[0]
            if self._pixels and self._pixels + pixels > IN_MEMORY_PIXELS:
                return
            waiting.popleft()
            self._pixels += pixels
            self._reading.append(_InWork(pair, pixels, readers.submit(self._read, pair)))

    def _read(self, pair: Pair) -> ReadPair | BatchRow:
        """In a reading thread."""
        return guarded(pair, lambda: self._writer.finished(pair) or read_pair(pair, align=self._options.align))

    def _write(self, encoding: Future[EncodedRow]) -> BatchRow:
        """In the writing thread, in the order of the rows."""
        return self._writer.add(encoding.result())

    def _take(self) -> list[tuple[_InWork, ReadPair | BatchRow]]:
        """The next pair, waited for, and those after it that are read already."""
        first = self._reading.popleft()
        taken = [(first, first.future.result())]
        while self._reading and len(taken) < BATCH and self._reading[0].future.done():
            work = self._reading.popleft()
            taken.append((work, work.future.result()))
        return taken

    def _score(self, taken: list[tuple[_InWork, ReadPair | BatchRow]]) -> Iterator[tuple[int, BatchRow]]:
        """The rows of what was read, in its order, with the pixels each holds. Raises Cancelled."""
        read = [(work, found) for work, found in taken if isinstance(found, ReadPair)]
        evidence = self._evidence([found for _, found in read])
        for work, found in taken:
            if isinstance(found, BatchRow):
                yield work.pixels, found
            else:
                yield work.pixels, self._row(found, evidence[id(found)])

    def _evidence(self, read: list[ReadPair]) -> dict[int, Evidence | None]:
        """In one pass; None for all where that fails, so that each is tried alone and only the one at fault fails."""
        if not read:
            return {}
        together = guarded(read[0].pair, lambda: self._scorer.score_batch([found.pixels for found in read]))
        if isinstance(together, BatchRow):
            return dict.fromkeys(map(id, read))
        return dict(zip(map(id, read), together, strict=True))

    def _row(self, read: ReadPair, evidence: Evidence | None) -> BatchRow:
        return guarded(
            read.pair,
            lambda: scored_row(
                read, evidence or self._scorer.score(read.pixels), self._scorer, self._options, self._cancelled
            ),
        )

    def _settle(self, most: int) -> None:
        """Waits until at most so many rows are still to be written, and tells of those that are, in their order."""
        while len(self._writing) > most or (self._writing and self._writing[0][1].done()):
            pixels, future = self._writing.popleft()
            row = future.result()
            self._pixels -= pixels
            self._count(row)
            self._on_row(row)

    def _count(self, row: BatchRow) -> None:
        self._scored += row.result is not None
        self._failed += row.result is None
        self._resumed += row.resumed


def _pixels(pair: Pair) -> int:
    """Level-0 pixels of both images, from their headers; 0 where they cannot be told."""
    try:
        sizes = [probe(path).size for path in (pair.he, pair.ihc) if path is not None]
    except UserError:
        return 0
    return sum(width * height for width, height in sizes)

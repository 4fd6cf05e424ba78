"""A batch whose pairs are scored by the workers of a Dask cluster; rows are kept on this machine, each once, as they come."""

import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from her2viewer.batch.encode import EncodedRow
from her2viewer.batch.engines.cluster import Cluster
from her2viewer.batch.engines.on_worker import Outcome, examine, score_items
from her2viewer.batch.engines.order import Item, Order
from her2viewer.batch.engines.stream import Answer, GivenUp, WorkStream
from her2viewer.batch.row import BatchRow
from her2viewer.batch.run import BatchSummary
from her2viewer.batch.writer import BatchWriter, Kept
from her2viewer.cases.pair import Pair
from her2viewer.errors import Cancelled, ClusterError, ExportError
from her2viewer.scoring.watching import never, unheard

Work = Callable[[Order, Sequence[Item]], Answer[Outcome]]


def check_workers(cluster: Cluster, order: Order, pair: Pair | None) -> None:
    """Asks every worker whether it can do the work, `pair` being one of it. Raises ClusterError, naming the first that cannot."""
    seen = str(pair.ihc.resolve()) if pair is not None and pair.ihc.is_file() else None
    place = order.model
    for worker, said in cluster.ask(examine, order.app_version, place.folder, place.fingerprint, seen).items():
        if isinstance(said, Exception):
            said = f"has no HER2 Viewer, or another version of it ({type(said).__name__})"
        if said is not None:
            raise ClusterError(
                f"the worker {worker} {said}",
                remedy="install the same version on all machines, and put images and model where all see them under one path",
            )


def run_on_cluster(
    cluster: Cluster,
    pairs: Iterable[Pair],
    order: Order,
    writer: BatchWriter,
    on_row: Callable[[BatchRow], None] = lambda row: None,
    cancelled: Callable[[], bool] = never,
    on_notices: Callable[[Sequence[str]], None] = unheard,
    *,
    work: Work = score_items,
) -> BatchSummary:
    """As `run_batch`, but that `on_row` is told in the order in which rows come; in the tables they stand in that of the pairs.

    pairs: gone through only as fast as the work is done; the workers find their files under the same paths. Raises ClusterError
    where the cluster is lost or cannot do the work, and ExportError; the rows that came stand, in the tables too.
    """
    return _Run(cluster, order, writer, on_row, cancelled, on_notices, work).go(pairs)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A pair on its way, as it is named here: its place among all, and what is kept of it from an earlier run."""

    place: int
    pair: Pair
    kept: Kept | None


class _Run:
    def __init__(
        self,
        cluster: Cluster,
        order: Order,
        writer: BatchWriter,
        on_row: Callable[[BatchRow], None],
        cancelled: Callable[[], bool],
        on_notices: Callable[[Sequence[str]], None],
        work: Work,
    ) -> None:
        self._writer = writer
        self._on_row = on_row
        self._stream: WorkStream[_Sent, Item, Outcome] = WorkStream(
            cluster, functools.partial(work, order), cancelled, on_notices
        )
        self._scored = self._failed = self._resumed = 0

    def go(self, pairs: Iterable[Pair]) -> BatchSummary:
        started = time.perf_counter()
        stopped = False
        outcomes = self._stream.outcomes(self._items(pairs))
        try:
            with closing(outcomes):
                for some in outcomes:
                    self._keep([(_encoded(sent, outcome), sent.place) for sent, outcome in some])
        except Cancelled:
            stopped = True
        except BaseException:
            with suppress(ExportError):  # the first error is the one to tell
                self._writer.close()
            raise
        files = self._writer.close()
        return BatchSummary(self._scored, self._failed, self._resumed, stopped, time.perf_counter() - started, files)

    def _items(self, pairs: Iterable[Pair]) -> Iterator[tuple[_Sent, Item]]:
        for place, pair in enumerate(pairs, start=1):
            kept = self._writer.kept(pair)
            yield _Sent(place, pair, kept), Item(_absolute(pair), None if kept is None else kept.hashes)

    def _keep(self, rows: Sequence[tuple[EncodedRow, int]]) -> None:
        for row in self._writer.add_all(rows):
            self._scored += row.result is not None
            self._failed += row.result is None
            self._resumed += row.resumed
            self._on_row(row)


def _encoded(sent: _Sent, outcome: Outcome | GivenUp) -> EncodedRow:
    """The row as it is to be written here, with the pair as it is named here."""
    pair = sent.pair
    if isinstance(outcome, GivenUp):
        return _failed(
            pair,
            f"{outcome.workers} workers ended while they scored this pair, most often for want of memory; look into a worker's "
            "log, or score it alone on a machine with more memory.",
        )
    if outcome.encoded is None:
        assert sent.kept is not None
        return EncodedRow(sent.kept.row, ())
    here = all(path.is_file() for path in (pair.he, pair.ihc) if path is not None)
    if outcome.unseen and here:
        names = pair.in_other_words(" and ".join(outcome.unseen))
        return _failed(
            pair, f"{names}: the worker does not see it; put the images where all machines find them under one path."
        )
    row = outcome.encoded.row
    return EncodedRow(BatchRow(pair, row.result, row.error, row.seconds), outcome.encoded.files)


def _failed(pair: Pair, words: str) -> EncodedRow:
    return EncodedRow(BatchRow(pair, None, words, 0.0), ())


def _absolute(pair: Pair) -> Pair:
    """As the workers find it."""
    return replace(pair, he=None if pair.he is None else pair.he.absolute(), ihc=pair.ihc.absolute())

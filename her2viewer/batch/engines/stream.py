"""Work handed out to a Dask cluster, a bounded window at a time; what comes of it, as it comes.

Some items travel as one task, so that a task lasts about `TASK_SECONDS` whatever an item takes: the scheduler needs some
milliseconds for a task, and is one process. What a task held when its worker died is done again by another worker, by Dask. Where
the workers die of a task again and again, Dask gives it up; each of its items is then tried alone, with nothing else on the
cluster, so that only the one at fault is given up.
"""

import itertools
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from her2viewer.batch.engines.cluster import Cluster
from her2viewer.errors import Cancelled, ClusterError
from her2viewer.scoring.watching import never, unheard

TASK_SECONDS: Final = 0.5
ITEMS_AT_MOST: Final = 16
AHEAD: Final = 3
"""Tasks a worker thread: one is worked on, one waits beside it, one is on its way."""

WATCH_SECONDS: Final = 2.0
LONELY_SECONDS: Final = 60.0
"""How long a run waits where there is no worker."""

_POLL_SECONDS: Final = 0.2
_SMOOTHING: Final = 0.3

_Tag = TypeVar("_Tag")
_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The workers died of this item, so many one after the other."""

    workers: int


@dataclass(frozen=True, slots=True)
class Answer(Generic[_Outcome]):
    """What a task comes back with: an outcome an item, in their order, the seconds it took, and what the user should know."""

    outcomes: tuple[_Outcome, ...]
    seconds: float
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Task(Generic[_Tag, _Item]):
    items: tuple[tuple[_Tag, _Item], ...]
    alone: bool


class WorkStream(Generic[_Tag, _Item, _Outcome]):
    """One run's work on a cluster. work: imported by name on the workers, and given some items; an item's tag stays here."""

    def __init__(
        self,
        cluster: Cluster,
        work: Callable[[Sequence[_Item]], Answer[_Outcome]],
        cancelled: Callable[[], bool] = never,
        on_notices: Callable[[Sequence[str]], None] = unheard,
    ) -> None:
        self._cluster = cluster
        self._work = work
        self._cancelled = cancelled
        self._on_notices = on_notices
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()
        self._under_way: dict[Any, _Task[_Tag, _Item]] = {}
        self._suspects: deque[tuple[_Tag, _Item]] = deque()
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._fetched: queue.SimpleQueue[tuple[Any, Answer[_Outcome] | BaseException]] = queue.SimpleQueue()
        self._item_seconds: float | None = None
        self._threads = cluster.threads
        self._watched = self._last_worker = time.monotonic()

    def outcomes(self, items: Iterable[tuple[_Tag, _Item]]) -> Generator[list[tuple[_Tag, _Outcome | GivenUp]], None, None]:
        """Each item's tag with what came of it, some together, as they come, each once.

        Closing the generator drops what is under way. Raises Cancelled, and ClusterError where the cluster is lost, has no
        worker left or cannot do the work.
        """
        source = iter(items)
        threading.Thread(target=self._fetch, name="fetch", daemon=True).start()
        try:
            while True:
                self._feed(source)
                if not self._under_way:
                    return
                for task, answer in self._arrivals():
                    if isinstance(answer, Answer):
                        self._learn(task, answer)
                        yield [(tag, outcome) for (tag, _), outcome in zip(task.items, answer.outcomes, strict=True)]
                    elif (deaths := self._cluster.deaths(answer)) is None:
                        raise self._cluster.explained(answer)
                    elif task.alone:
                        yield [(task.items[0][0], GivenUp(deaths))]
                    else:
                        self._suspects.extend(task.items)
                if self._cancelled():
                    raise Cancelled
        finally:
            self._done.put(None)
            self._cluster.drop(list(self._under_way))

    def _feed(self, source: Iterator[tuple[_Tag, _Item]]) -> None:
        """Hands out as much as there is room for; one suspect alone, once everything else is back."""
        if self._suspects:
            if not self._under_way:
                self._submit(_Task((self._suspects.popleft(),), alone=True))
            return
        while len(self._under_way) < AHEAD * max(1, self._threads):
            items = tuple(itertools.islice(source, self._task_size()))
            if not items:
                return
            self._submit(_Task(items, alone=False))

    def _submit(self, task: _Task[_Tag, _Item]) -> None:
        key = f"her2viewer-{self._run}-{next(self._numbers)}"
        future = self._cluster.submit(key, self._work, [item for _, item in task.items])
        self._under_way[future] = task
        future.add_done_callback(self._done.put)

    def _task_size(self) -> int:
        if self._item_seconds is None:
            return 1
        return max(1, min(ITEMS_AT_MOST, round(TASK_SECONDS / max(self._item_seconds, 1e-6))))

    def _learn(self, task: _Task[_Tag, _Item], answer: Answer[_Outcome]) -> None:
        self._on_notices(answer.notices)
        seconds = answer.seconds / len(task.items)
        before = seconds if self._item_seconds is None else self._item_seconds
        self._item_seconds = before + _SMOOTHING * (seconds - before)

    def _arrivals(self) -> list[tuple[_Task[_Tag, _Item], Answer[_Outcome] | BaseException]]:
        """What has come in; waits a moment for the first, and looks after the cluster. Raises ClusterError."""
        self._watch()
        arrived: list[tuple[_Task[_Tag, _Item], Answer[_Outcome] | BaseException]] = []
        with_wait = True
        while True:
            try:
                future, answer = self._fetched.get(timeout=_POLL_SECONDS) if with_wait else self._fetched.get_nowait()
            except queue.Empty:
                return arrived
            with_wait = False
            arrived.append((self._under_way.pop(future), answer))

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._watched < WATCH_SECONDS:
            return
        self._watched = now
        self._threads = self._cluster.count_threads()
        if self._threads:
            self._last_worker = now
        elif now - self._last_worker > LONELY_SECONDS:
            raise ClusterError(
                f"no worker of {self._cluster.name} has answered for {LONELY_SECONDS:.0f} seconds",
                remedy="start workers, and see into their logs why they ended",
            )

    def _fetch(self) -> None:
        """In a thread of its own: brings what is done to this machine, several at a time."""
        while True:
            ready = [self._done.get()]
            while not self._done.empty():
                ready.append(self._done.get())
            ended = None in ready
            for future, answer in self._cluster.gather([future for future in ready if future is not None]):
                self._fetched.put((future, answer))
            if ended:
                return

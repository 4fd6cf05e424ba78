"""Threads that fetch tiles for the panes: what is wanted most first, what is no longer wanted not at all.

A lane does one job after another in the order they were asked for. A pane that moves wants something else ten times a second,
so here an asker says all that it wants, in order, each time it wants something else; what has not been begun is forgotten.
"""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot

from her2viewer.errors import UserError
from her2viewer.gui.precedence import stand_behind_window
from her2viewer.imaging.tile_cache import TileCache

THREADS: Final = 2
CACHE_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, eq=False, slots=True)
class Errand:
    """One thing to fetch. `work` runs on a worker thread; what it returns is not written again."""

    key: Hashable
    work: Callable[[], Any]


class Asker:
    """Who wants things fetched. `took(key, result)` and `refused(key, error)` are called on the window's thread.

    `refused` is told of bugs too (any exception that is no UserError), which `Fetching.crashed` reports.
    """

    def __init__(self, took: Callable[[Any, Any], None], refused: Callable[[Any, Exception], None]) -> None:
        self.took = took
        self.refused = refused
        self.generation = 0
        self.waiting: deque[Errand] = deque()
        self.under_way: set[Hashable] = set()


class Fetching(QObject):
    """A few worker threads, started when something is wanted and ended when nothing is. Lives on the window's thread.

    `crashed` carries the exception of an errand that met a bug.
    """

    crashed = Signal(object)
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None, threads: int = THREADS) -> None:
        super().__init__(parent)
        self.cache: Final = TileCache(CACHE_BYTES)
        """What was read, of all images, as it is in the files."""
        self._most = threads
        self._lock = threading.Lock()
        self._askers: deque[Asker] = deque()
        self._threads: set[threading.Thread] = set()
        self._names = itertools.count(1)
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def want(self, asker: Asker, errands: Sequence[Errand]) -> None:
        """All that an asker wants from now on, the most wanted first. What is under way is not begun again."""
        with self._lock:
            if self._closed:
                return
            asker.waiting = deque(errand for errand in errands if errand.key not in asker.under_way)
            if asker not in self._askers:
                self._askers.append(asker)
            waiting = sum(len(one.waiting) for one in self._askers)
            for _ in range(min(self._most - len(self._threads), waiting)):
                thread = threading.Thread(target=self._work, name=f"tiles-{next(self._names)}")
                self._threads.add(thread)
                thread.start()

    def drop(self, asker: Asker) -> None:
        """Forgets all that an asker wanted; what is under way for it will not arrive."""
        with self._lock:
            asker.waiting.clear()
            asker.under_way.clear()
            asker.generation += 1

    def close(self, seconds: float = 0.5) -> bool:
        """Forgets everything, and waits for what is under way. Returns whether that ended in time."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._arrived.disconnect(self._deliver)
            for asker in self._askers:
                asker.waiting.clear()
            threads = list(self._threads)
        deadline = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _work(self) -> None:
        """On a worker thread, until nothing is wanted."""
        stand_behind_window()
        while (taken := self._take()) is not None:
            asker, generation, errand = taken
            try:
                arrival = _Arrival(asker, generation, errand.key, result=errand.work())
            except Exception as error:  # noqa: BLE001 - whatever is raised is data for the window, and ends no thread
                arrival = _Arrival(asker, generation, errand.key, error=error)
            self._arrived.emit(arrival)

    def _take(self) -> tuple[Asker, int, Errand] | None:
        """The next errand, the askers taking turns; None ends the thread."""
        with self._lock:
            for _ in range(len(self._askers)):
                self._askers.rotate(-1)
                asker = self._askers[-1]
                if asker.waiting:
                    errand = asker.waiting.popleft()
                    asker.under_way.add(errand.key)
                    return asker, asker.generation, errand
            self._askers.clear()
            self._threads.discard(threading.current_thread())
            return None

    @Slot(object)
    def _deliver(self, arrival: "_Arrival") -> None:
        """On the window's thread."""
        asker = arrival.asker
        with self._lock:
            if self._closed or arrival.generation != asker.generation:
                return
            asker.under_way.discard(arrival.key)
        if arrival.error is None:
            asker.took(arrival.key, arrival.result)
            return
        asker.refused(arrival.key, arrival.error)
        if not isinstance(arrival.error, UserError):
            self.crashed.emit(arrival.error)


@dataclass(frozen=True, eq=False, slots=True)
class _Arrival:
    """What crosses from a worker."""

    asker: Asker
    generation: int
    key: Hashable
    result: Any = None
    error: Exception | None = None

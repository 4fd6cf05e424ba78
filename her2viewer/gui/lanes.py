"""Work off the window's thread: one lane, one worker thread, results back on the window's thread as plain data.

A lane runs its jobs one after another. The window submits what the user asked for as it is asked; a batch is fed one item at
a time, the next only after the last came back, so what the user asks for in between waits for one item at most.
"""

import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from her2viewer.errors import Cancelled, UserError
from her2viewer.gui.precedence import stand_behind_window

_Result = TypeVar("_Result")


class CancelToken:
    """Asks work to stop. The work looks at it between steps; nothing is ever killed."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raises Cancelled where the user asked for the work to stop."""
        if self._event.is_set():
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come: `done` of `total` steps (0 of 0 where that is not known) and what it is doing."""

    done: int = 0
    total: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What work is given to speak with: its token and a way to say how far it is. Both may be used on the worker thread."""

    token: CancelToken
    progress: Callable[[Progress], None]


@dataclass(frozen=True, eq=False, slots=True)
class Job(Generic[_Result]):
    """One submitted piece of work. `number` is its generation: of a topic only the newest is listened to."""

    number: int
    topic: str
    work: Callable[[Context], _Result]
    then: Callable[[_Result], None]
    failed: Callable[[UserError], None]
    cancelled: Callable[[], None]
    progressed: Callable[[Progress], None]
    token: CancelToken = field(default_factory=CancelToken)


def _ignore(*_: object) -> None:
    """The listener of who does not want to know."""


class Lane(QObject):
    """One worker thread and its queue. Lives on the window's thread; only `_work` runs on the worker.

    `busy_changed` follows whether any job is waited for; `crashed` carries the exception of a job that met a bug (the job's
    `failed` listener is called as well, so that nothing is left waiting).
    """

    busy_changed = Signal(bool)
    crashed = Signal(object)
    _arrived = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=stand_behind_window)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[Job[Any], Future[None]]] = {}
        self._newest: dict[str, int] = {}
        self._closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def submit(
        self,
        topic: str,
        work: Callable[[Context], _Result],
        then: Callable[[_Result], None] = _ignore,
        *,
        failed: Callable[[UserError], None] = _ignore,
        cancelled: Callable[[], None] = _ignore,
        progressed: Callable[[Progress], None] = _ignore,
    ) -> CancelToken:
        """Queues work. Its listeners are called on the window's thread, one of `then`, `failed`, `cancelled` once.

        A newer job of the same topic replaces an older one: that one is told to stop and none of its listeners is called.
        """
        job = Job(next(self._numbers), topic, work, then, failed, cancelled, progressed)
        if self._closed:
            job.token.cancel()
            return job.token
        self.drop(topic)
        self._newest[topic] = job.number
        was_busy = self.busy
        self._waiting[job.number] = (job, self._executor.submit(self._work, job))
        if not was_busy:
            self.busy_changed.emit(True)
        return job.token

    def drop(self, topic: str) -> None:
        """Stops listening to a topic and asks its work to stop."""
        newest = self._newest.pop(topic, None)
        if newest in self._waiting:
            job, future = self._waiting[newest]
            job.token.cancel()
            if future.cancel():  # it had not begun: there will be no arrival
                del self._waiting[newest]
                if not self.busy:
                    self.busy_changed.emit(False)

    def close(self, seconds: float = 3.0) -> bool:
        """Drops everything queued, asks the running job to stop and waits for it. Returns whether it did in time."""
        if self._closed:
            return True
        self._closed = True
        self._arrived.disconnect(self._deliver)
        running = []
        for job, future in self._waiting.values():
            job.token.cancel()
            if not future.cancel():
                running.append(future)
        self._waiting.clear()
        self._newest.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + seconds
        finished = not wait(running, timeout=max(0.0, deadline - time.monotonic())).not_done
        if finished:
            self._executor.shutdown(wait=True)
        return finished

    def _work(self, job: Job[Any]) -> None:
        """On the worker thread. Every way to end becomes an arrival."""
        if job.token.cancelled:
            self._arrived.emit(_Arrival(job, error=Cancelled()))
            return
        context = Context(job.token, lambda progress: self._arrived.emit(_Arrival(job, progress=progress)))
        try:
            arrival = _Arrival(job, result=job.work(context))
        except Exception as error:  # noqa: BLE001 - whatever a job raises is data for the window, and ends no thread
            arrival = _Arrival(job, error=error)
        self._arrived.emit(arrival)

    @Slot(object)
    def _deliver(self, arrival: "_Arrival") -> None:
        """On the window's thread."""
        if self._closed:  # it was posted before the lane closed
            return
        job = arrival.job
        stale = self._newest.get(job.topic) != job.number
        if arrival.progress is not None:
            if not stale and not job.token.cancelled:
                job.progressed(arrival.progress)
            return
        self._waiting.pop(job.number, None)
        if not stale:
            del self._newest[job.topic]
        if not self.busy:
            self.busy_changed.emit(False)
        _announce(arrival, stale)
        if arrival.error is not None and not isinstance(arrival.error, (UserError, Cancelled)):
            self.crashed.emit(arrival.error)


def _announce(arrival: "_Arrival", stale: bool) -> None:
    """Calls the one listener that an ended job has to call; none where nobody waits for it any more."""
    job = arrival.job
    if stale:
        return
    match arrival.error:
        case None if job.token.cancelled:
            job.cancelled()
        case None:
            job.then(arrival.result)
        case Cancelled():
            job.cancelled()
        case UserError() as error:
            job.failed(error)
        case error:
            job.failed(
                UserError(
                    f"something went wrong that should not have ({type(error).__name__})", remedy="see the report"
                )
            )


@dataclass(frozen=True, eq=False, slots=True)
class _Arrival:
    """What crosses from the worker: progress, or how a job ended."""

    job: Job[Any]
    result: Any = None
    error: Exception | None = None
    progress: Progress | None = None


class Lanes:
    """The two lanes of the app: the network's, and that of reading and writing files."""

    def __init__(self) -> None:
        self.inference = Lane("inference")
        self.files = Lane("files")

    def close(self) -> bool:
        """Closes both; at most three seconds together. Returns whether both ended in time."""
        started = time.monotonic()
        first = self.files.close(1.5)
        second = self.inference.close(max(0.0, 3.0 - (time.monotonic() - started)))
        return first and second

"""The library in a lane of its own: answers come back on the window's thread, and no write is lost with the window."""

import threading
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject

from her2viewer.cases.library.library import Library
from her2viewer.cases.library.rescue import Rescue, rescue
from her2viewer.errors import LibraryError, UserError
from her2viewer.gui.lanes import Lane

_Result = TypeVar("_Result")

OPENING_SECONDS: Final = 8.0
"""How long another lane waits for a library that is being opened: one that another process holds takes five."""


def _ignore(*_: object) -> None:
    """The listener of who does not want to know."""


class Keeper(QObject):
    """Holds the library. `write` and `ask` do nothing where it could not be opened: the window says so once, and goes on."""

    def __init__(self, path: Path, failed: Callable[[UserError], None]) -> None:
        super().__init__()
        self.path: Final = path
        self.lane = Lane("library")
        self._failed = failed
        self._library: Library | None = None
        self._settled = threading.Event()
        self._unwritten: deque[Callable[[Library], Any]] = deque()
        self._numbers = count()

    def open(self, then: Callable[[], None], failed: Callable[[UserError], None]) -> None:
        """Opens or makes the library; first of all that the lane does."""
        self.lane.submit("open", lambda _: self._open(), lambda _: then(), failed=failed)

    def rescue(self, then: Callable[[Rescue], None], failed: Callable[[UserError], None]) -> None:
        """Sets a damaged library aside and opens its last copy, or a new one."""

        def work(_: object) -> Rescue:
            done = rescue(self.path)
            self._open()
            return done

        self.lane.submit("open", work, then, failed=failed)

    def ask(
        self,
        topic: str,
        work: Callable[[Library], _Result],
        then: Callable[[_Result], object] = _ignore,
        failed: Callable[[UserError], None] | None = None,
    ) -> None:
        """Asks it something; a newer question of a topic takes the place of an older one."""

        def asked(_: object) -> _Result | None:
            return work(self._library) if self._library is not None else None

        def came(result: _Result | None) -> None:
            if result is not None:
                then(result)

        self.lane.submit(topic, asked, came, failed=failed or self._failed)

    def write(self, work: Callable[[Library], _Result], then: Callable[[_Result], object] = _ignore) -> None:
        """Writes, in the order of the calls. What is not yet written when the window closes is written then."""
        self._unwritten.append(work)

        def written(_: object) -> _Result | None:
            return self._write(work)

        def came(result: _Result | None) -> None:
            if result is not None:
                then(result)

        self.lane.submit(f"write {next(self._numbers)}", written, came, failed=self._failed)

    def waited(self) -> Library | None:
        """For other lanes: the library, once it is there; None where it cannot be opened."""
        self._settled.wait(OPENING_SECONDS)
        return self._library

    def close(self) -> None:
        """Writes what is not yet written, and closes the library. Raises LibraryError."""
        ended = self.lane.close(3.0)
        self._settled.set()
        library, self._library = self._library, None
        if library is None or not ended:  # a write that hangs holds the file; it ends with the process
            return
        try:
            while self._unwritten:
                self._unwritten.popleft()(library)
        finally:
            library.close()

    def _open(self) -> None:
        try:
            self._library = Library(self.path)
        finally:
            self._settled.set()

    def _write(self, work: Callable[[Library], _Result]) -> _Result | None:
        """In the lane. A write that fails is not tried again at the end."""
        library = self._library
        try:
            return work(library) if library is not None else None
        finally:
            self._unwritten.remove(work)


def kept_or_none(keeper: Keeper, work: Callable[[Library], _Result]) -> _Result | None:
    """In another lane: what the library answers; None where it cannot be asked."""
    library = keeper.waited()
    if library is None:
        return None
    try:
        return work(library)
    except LibraryError:
        return None

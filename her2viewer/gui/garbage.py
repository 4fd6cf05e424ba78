"""Cyclic garbage is collected on the window's thread alone.

Python collects wherever its count of new objects runs over, so a worker may come to destroy a dialog that was closed. An object
of Qt's that is destroyed off its own thread ends the app or blocks it for good: the worker holds a mutex of Qt's and waits for
the interpreter, and the window the other way round.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

from her2viewer.gui.state import ModelPhase, State
from her2viewer.gui.store import Store

EVERY_MS: Final = 500

THRESHOLDS: Final = (700, 4, 4)
"""A collection is due beyond so many new objects, and so many collections of the generation before. Python's own numbers are
700, 10 and 10. Once the modules are put aside a collection of all that came since takes no time, and images that hang in a cycle
go sooner."""


class GarbageCollection(QObject):
    """Python's own collection is off from here on; this one looks twice a second whether there is enough to collect."""

    def __init__(self, parent: QObject) -> None:
        """What is there by now (modules, above all) stays, and is not looked through again."""
        super().__init__(parent)
        gc.disable()
        gc.freeze()
        timer = QTimer(self)
        timer.setInterval(EVERY_MS)
        timer.timeout.connect(collect_due)
        timer.start()


def collect_due() -> int | None:
    """Collects the generation that is due by now, and returns it; None where nothing is due.

    On the window's thread. (`gc.get_count` counts on while collection is disabled.)
    """
    due = None
    for generation, (count, limit) in enumerate(zip(gc.get_count(), THRESHOLDS, strict=True)):
        if count <= limit:
            break
        due = generation
    if due is not None:
        gc.collect(due)
    return due


def put_modules_aside(store: Store) -> None:
    """Once the first model is there, and torch's modules with it, what is there stays and is not looked through again.

    A whole collection looks at every object: with torch's among them it stops the window for 75 ms, without them for 5. Once an
    app and not for every window, since of what was put aside nothing is found that becomes garbage later.
    """

    def look(_: State, new: State) -> None:
        if new.model.phase is ModelPhase.READY:
            store.stop_listening(look)
            gc.freeze()

    store.listen(look)

"""Cyclic garbage is collected on the window's thread alone.

Python collects wherever its count of new objects runs over, so a worker may come to destroy a dialog that was closed. An object
of Qt's that is destroyed off its own thread ends the app or blocks it for good: the worker holds a mutex of Qt's and waits for
the interpreter, and the window the other way round.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

EVERY_MS: Final = 500


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
    """Collects the generation that Python itself would by now, and returns it; None where nothing is due.

    On the window's thread. (`gc.get_count` counts on while collection is disabled.)
    """
    due = None
    for generation, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
        if count <= limit:
            break
        due = generation
    if due is not None:
        gc.collect(due)
    return due

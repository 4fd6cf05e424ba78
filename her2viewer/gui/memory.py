"""What the app no longer needs goes back to the system."""

import ctypes
import sys
from typing import Final

from PySide6.QtCore import QObject, QTimer

_M_ARENA_MAX: Final = -8
"""glibc's malloc.h."""

ARENAS: Final = 2
EVERY_MS: Final = 5_000


def share_few_arenas() -> bool:
    """Lets all threads allocate from two arenas. Before any thread is started; False where there is no glibc.

    glibc gives nearly every thread an arena of its own, and each keeps what was freed in it: after 1,000 moves on two slides
    tiles and pictures that were long gone held 260 of 520 MB. With two arenas it is 300 MB in all, and moving is no slower.
    """
    libc = _glibc()
    return libc is not None and bool(libc.mallopt(_M_ARENA_MAX, ARENAS))


class FreedMemory(QObject):
    """Gives back every few seconds what is free in the arenas. Takes 6 to 12 ms after much moving, 0.3 where there is nothing."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        libc = _glibc()
        if libc is None:
            return
        timer = QTimer(self)
        timer.setInterval(EVERY_MS)
        timer.timeout.connect(lambda: libc.malloc_trim(0))
        timer.start()


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None

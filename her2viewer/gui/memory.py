"""What the app no longer needs goes back to the system."""

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8
"""glibc's malloc.h."""

ARENAS: Final = 2


def share_few_arenas() -> bool:
    """Lets all threads allocate from two arenas. Before any thread is started; False where there is no glibc.

    glibc gives nearly every thread an arena of its own, and each keeps what was freed in it: after 1,000 moves on two slides
    tiles and pictures that were long gone held 260 of 520 MB. With two arenas it is 300 MB in all, and moving is no slower.
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, ARENAS))
    except (OSError, AttributeError):  # musl, for one
        return False

"""The window's thread goes first: who gets a processor, and the interpreter, when a worker wants it too."""

import os
import sys
import threading
from typing import Final

BEHIND: Final = 7
"""How much nicer a worker is than the window. A worker that holds the interpreter and is kept from a processor by another program
keeps the window waiting, so no more than that."""

SWITCH_S: Final = 0.001
"""How long the window waits for a worker's Python code before it gets the interpreter; Python's own 5 ms are a third of a frame,
and a frame may have to wait several times."""


def put_window_first() -> None:
    """Once, when the app starts."""
    sys.setswitchinterval(SWITCH_S)


def stand_behind_window() -> None:
    """At the beginning of a worker thread. Threads that it starts (OpenMP's, torch's) stand behind the window as well.

    Linux has a nice value for each thread. Elsewhere threads are left alone: `setpriority` would be for the whole process.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        behind = min(os.getpriority(os.PRIO_PROCESS, os.getpid()) + BEHIND, 19)
        if os.getpriority(os.PRIO_PROCESS, thread) < behind:
            os.setpriority(os.PRIO_PROCESS, thread, behind)

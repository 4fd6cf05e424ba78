"""Whether there is a screen to open a window on. Imports no Qt: without a screen Qt would end the process."""

import os
import sys


def no_display() -> str | None:
    """Why no window can be opened, with what can be done instead, or None where one can."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return (
        "There is no display to open a window on. Without one, use 'her2viewer demo --out DIR' to see the bundled pair "
        "scored, or 'her2viewer score --help' to score your own images."
    )

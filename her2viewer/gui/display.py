"""What has to be settled before Qt is imported: whether there is a screen, and torch's libraries. Imports no Qt."""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path


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


def load_torch_libraries_first() -> None:
    """Windows only: torch's c10.dll does not load once Qt's libraries are there (pytorch issue 166628); torch itself can wait."""
    if sys.platform != "win32":
        return
    spec = find_spec("torch")
    library = Path(spec.origin).parent / "lib" / "c10.dll" if spec is not None and spec.origin else None
    if library is not None and library.is_file():
        ctypes.CDLL(str(library))

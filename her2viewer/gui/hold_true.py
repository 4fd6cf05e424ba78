"""A fault of PySide6 6.12.0 under Python 3.11, kept from ending the app.

Every `Signal.emit()` of that version gives away a reference to `True` that it does not own. After some ten thousand of them
nobody seems to need `True` any more and Python ends with "bool_dealloc: deallocating True or False". PySide6 6.11.3 is free of
it, and from Python 3.12 on `True` cannot be let go of (PEP 683). This does for Python 3.11 what 3.12 does for itself.
"""

import ctypes
import sys

MORE_THAN_EVER_NEEDED = 1 << 40


def hold_true() -> None:
    """Makes `True` immortal where it is not. Harmless, and done once a process."""
    if sys.version_info >= (3, 12) or sys.getrefcount(True) > MORE_THAN_EVER_NEEDED // 2:
        return
    # An object of CPython begins with its reference count.
    ctypes.c_ssize_t.from_address(id(True)).value += MORE_THAN_EVER_NEEDED

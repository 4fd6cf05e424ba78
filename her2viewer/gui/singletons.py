"""A fault of PySide6 6.12.0 under Python 3.11, kept from ending the app.

That version gives away references to `None` and `True` that it does not own: one with every `Signal.emit()`, one with every
call of many a setter (measured; 6.11.3 gives away none). From Python 3.12 on these objects cannot be let go of (PEP 683) and
nobody notices; under 3.11, after some ten thousand calls, Python ends with "bool_dealloc: deallocating True or False". This
does for 3.11 what 3.12 does for itself.
"""

import ctypes
import sys
from typing import Final

_MORE_THAN_EVER_NEEDED: Final = 1 << 40


def hold_singletons() -> None:
    """Makes the singletons immortal where they are not. Harmless, and done once a process."""
    if sys.version_info >= (3, 12):
        return
    for one in (None, True, False, NotImplemented, Ellipsis):
        if sys.getrefcount(one) < _MORE_THAN_EVER_NEEDED // 2:
            # An object of CPython begins with its reference count.
            ctypes.c_ssize_t.from_address(id(one)).value += _MORE_THAN_EVER_NEEDED

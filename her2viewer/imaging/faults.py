"""How the decoders say that a picture cannot be opened, whatever library noticed it.

Decoders know no path: they raise `Unreadable`, and `opening` turns it into the `ImageError` that names the file.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

# Third-party noise, settled once for the process because both settings are global and a per-call switch
# (`warnings.catch_warnings`) is not safe across threads. What matters of it reaches the user as an `ImageError`:
# OpenCV prints decoder trouble to stderr; Pillow warns of odd metadata tags, which we read ourselves; tifffile logs
# them as errors, hundreds for one damaged file.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

EXPORT_AGAIN = "get a fresh copy of the file or export it again"
SAVE_AS_PNG = "save it as an 8-bit RGB PNG or TIFF and open that"


class Unreadable(Exception):
    """A picture that cannot be opened: `what` is wrong and the `remedy`, as in `her2viewer.errors.UserError`."""

    def __init__(self, what: str, remedy: str = EXPORT_AGAIN) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what, remedy)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Around work on whole pictures: running out of memory becomes `Unreadable`."""
    try:
        yield
    except MemoryError as error:
        raise Unreadable(
            "needs more memory than is free", "close other images or programs, or export a smaller picture"
        ) from error


@contextmanager
def decoding(kind: str) -> Iterator[None]:
    """Around calls into a decoder: whatever it raises on hostile bytes becomes `Unreadable`.

    Decoders promise no family of exceptions (Pillow and tifffile raise some fifteen types on damaged files), so this one
    place catches them all. Keep the block around it small: our own mistakes must not hide in it.
    """
    try:
        with enough_memory():
            yield
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"the {kind} data are damaged, incomplete or of a kind not supported") from error

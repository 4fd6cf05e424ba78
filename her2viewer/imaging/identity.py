"""Whether two sources show one and the same picture."""

import hashlib
from pathlib import Path

from her2viewer.errors import ImageError
from her2viewer.imaging.source import ImageSource


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hex, read as a stream. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def same_picture(a: ImageSource, b: ImageSource) -> bool:
    """Whether two sources, open or closed, hold the same bytes.

    Hashes only where picture size, format and length of the files agree, so that two different slides never cost
    reading gigabytes. False where a slide that would have to be hashed cannot be read any more: looking at it says so.
    """
    if (a.size, a.format) != (b.size, b.format):
        return False
    try:
        if a.path.samefile(b.path):
            return True
        if a.path.stat().st_size != b.path.stat().st_size:
            return False
    except OSError:  # a flat picture knows its hash without its file
        pass
    try:
        return a.sha256 == b.sha256
    except ImageError:
        return False

"""JSON files from elsewhere, read within bounds: a file of any size or make is read, or refused in a sentence."""

from pathlib import Path
from typing import Final

from her2viewer.errors import AnnotationError

MOST_BYTES: Final = 128 * 2**20
"""A million points are 20 MB as this app writes them, and more with line breaks."""
MOST_CONTAINERS: Final = 4_000_000
MOST_VALUES: Final = 12_000_000
"""Lists and objects, and commas: what decides how much memory the parsed file takes, about 1 GB at most."""

_SMALLER: Final = "export fewer objects to it, for example those of one region"


def read_json_bytes(path: Path | str) -> bytes:
    """The file's bytes without a byte-order mark, small enough to be parsed. Raises AnnotationError.

    Brackets are counted before anything is parsed: 128 MB of '[[],[],' would take 3 GB as Python lists.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise AnnotationError(
            f"it cannot be read ({reason})", path=path, remedy="check the name and the drive"
        ) from error
    if len(data) > MOST_BYTES:
        raise AnnotationError(f"it is larger than {MOST_BYTES // 2**20} MB", path=path, remedy=_SMALLER)
    if data.count(b"[") + data.count(b"{") > MOST_CONTAINERS or data.count(b",") > MOST_VALUES:
        raise AnnotationError("it holds too many objects and points", path=path, remedy=_SMALLER)
    return data.removeprefix(b"\xef\xbb\xbf")

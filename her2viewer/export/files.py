"""Files are written whole or not at all, under names that every system takes."""

import errno
import hashlib
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from her2viewer.errors import ExportError

# Windows forbids these in names, POSIX the slash alone; lone surrogates stand for bytes that are not UTF-8.
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
# Windows opens the device whatever follows the first full stop ('NUL.csv').
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_LONGEST: Final = 120
"""Bytes of UTF-8; most systems stop at 255, and callers add endings."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT}) if hasattr(errno, "EDQUOT") else frozenset({errno.ENOSPC})
DRAFTS: Final = ".her2viewer-*.tmp"
"""What files are called until they are whole."""

# Some network shares know no fsync; there is nothing more that could be done for the bytes.
_NO_FSYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


@contextmanager
def write_atomic(path: Path | str) -> Iterator[BinaryIO]:
    """A binary file to write into, which takes the place of `path` when the block ends well.

    The bytes go to a temporary name in the same folder and reach the disk before the name is given over. Whatever is
    raised, what stood at `path` stays and the temporary file is removed. Raises ExportError for any OSError, also one
    raised inside the block.
    """
    path = Path(path)
    draft = path.parent / DRAFTS.replace("*", secrets.token_hex(8))
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        # Not tempfile: its files are readable by their owner alone, and results are shared.
        with draft.open("xb") as file:
            yield file
            file.flush()
            _to_disk(file)
        draft.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    except ValueError as error:
        if "\0" not in str(path):  # not the name's fault, so a bug
            raise
        raise _unwritable(path, OSError(errno.ENAMETOOLONG, "")) from error
    finally:
        with suppress(OSError, ValueError):
            draft.unlink(missing_ok=True)


def _to_disk(file: BinaryIO) -> None:
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise


def _unwritable(path: Path, error: OSError) -> ExportError:
    match error:
        case OSError(errno=code) if code in _FULL:
            what, remedy = "the disk is full", "free some space or choose another folder, then export again"
        case IsADirectoryError():
            what, remedy = "a folder has this name", "choose another name"
        case FileNotFoundError() | NotADirectoryError():
            what, remedy = (
                "the folder for it is not there",
                "create the folder, or check that its drive is connected, then export again",
            )
        case PermissionError():
            what, remedy = (
                "it cannot be written (no right to, or another program has it open)",
                "close it there or choose another folder, then export again",
            )
        case OSError(errno=errno.EROFS):
            what, remedy = "the drive can only be read", "choose another folder"
        case OSError(errno=errno.ENAMETOOLONG):
            what, remedy = "no file can have this name", "choose a shorter name"
        case _:
            reason = error.strerror or type(error).__name__
            what, remedy = f"it cannot be written ({reason})", "check the drive or network, then export again"
    return ExportError(what, path=path, remedy=remedy)


def safe_name(case_id: str) -> str:
    """A file name for a case, without suffix, that Windows, macOS and Linux take; a plain case id is its own name.

    A changed name ends in eight digits of a hash of the case id, so that 'a/b' and 'a:b' stay two files.
    """
    plain = unicodedata.normalize("NFC", case_id)
    name = _FORBIDDEN.sub("_", plain).rstrip(" .").lstrip(" ")
    if name.startswith(".") or _DEVICE.match(name):
        name = f"_{name}"
    if name == plain and name and len(name.encode()) <= _LONGEST:
        return name
    digits = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    short = name.encode()[: _LONGEST - 9].decode(errors="ignore").rstrip(" .")
    return f"{short or 'case'}-{digits}"

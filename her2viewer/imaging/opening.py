"""The one door: `open_image` turns any file into an image source or one clear `ImageError`."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from her2viewer.errors import ImageError
from her2viewer.imaging.faults import Unreadable
from her2viewer.imaging.flat import CODECS, open_flat
from her2viewer.imaging.header import DEFAULT_MAX_PIXELS, Header
from her2viewer.imaging.slide_opening import SlideOpener
from her2viewer.imaging.sniffing import HEAD_BYTES, sniff
from her2viewer.imaging.source import ImageSource

_FORMATS: Final = "PNG, JPEG, TIFF, BMP, WebP or a whole slide"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file's header says: the format in its content and (width, height) in level-0 pixels, upright."""

    path: Path
    format: str
    size: tuple[int, int]


class Opener(Protocol):
    """One way of opening files. `kind` is `sniff`'s name for the content, None where it has none.

    `probe` and `open` raise Unreadable; `file` is open for reading, at any position, and closed after the call.
    """

    def claims(self, path: Path, file: BinaryIO, kind: str | None) -> bool: ...

    def probe(self, path: Path, file: BinaryIO, kind: str | None) -> Header: ...

    def open(self, path: Path, file: BinaryIO, kind: str | None, max_pixels: int) -> ImageSource: ...


class FlatOpener:
    """Pictures that are decoded whole."""

    def claims(self, path: Path, file: BinaryIO, kind: str | None) -> bool:
        return kind in CODECS

    def probe(self, path: Path, file: BinaryIO, kind: str | None) -> Header:
        header = CODECS[str(kind)].read_header(file)
        if header.width < 1 or header.height < 1:
            raise Unreadable(f"the header says {header.width} x {header.height} pixels")
        return header

    def open(self, path: Path, file: BinaryIO, kind: str | None, max_pixels: int) -> ImageSource:
        return open_flat(path, file, str(kind), max_pixels, path.stat().st_size)


OPENERS: Final[list[Opener]] = [SlideOpener(), FlatOpener()]
"""Asked in order; the first that claims a file opens it. Whole slides go before flat pictures: many are TIFF inside."""


def open_image(path: Path | str, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> ImageSource:
    """Opens an image by its content, whatever its name; close it when done (it is a context manager).

    Pixels come as 8-bit sRGB by the table in `imaging.colour`. `max_pixels` is tested on the header, before anything is
    decoded, and bounds flat pictures only. Raises ImageError for everything that can be wrong with a file.
    """
    path = Path(path)
    with _opened(path) as (file, opener, kind):
        return opener.open(path, file, kind, max_pixels)


def probe(path: Path | str) -> Probe:
    """Format and size from the header alone, in about a millisecond. A file that probes may still be damaged further on.

    Raises ImageError.
    """
    path = Path(path)
    with _opened(path) as (file, opener, kind):
        header = opener.probe(path, file, kind)
        return Probe(path, header.format, header.size)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, Opener, str | None]]:
    """The file, who opens it, and what it is; everything that goes wrong inside names the file."""
    try:
        status = _status(path)
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable("is a folder, not an image", "choose a file inside it")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise Unreadable("is a device or pipe, not an image file", "choose an image file")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            kind = sniff(head)
            for opener in OPENERS:
                if opener.claims(path, file, kind):
                    yield file, opener, kind
                    return
            raise _unsupported(head, kind)
    except Unreadable as error:
        raise ImageError(error.what, path=path, remedy=error.remedy) from error
    except OSError as error:
        raise _unreachable(path, error) from error


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except ValueError as error:  # a zero byte in the name
        raise OSError(errno.ENAMETOOLONG, "no such name") from error


def _unsupported(head: bytes, kind: str | None) -> Unreadable:
    if not head:
        return Unreadable("the file is empty", "copy or export it again")
    remedy = "save the picture as PNG or TIFF and open that"
    if kind == "text":
        return Unreadable("holds text, not an image", f"choose an image file ({_FORMATS})")
    if kind is None:
        return Unreadable("is not an image of a known format", remedy)
    return Unreadable(f"is a file of the format {kind}, which cannot be opened", remedy)


def _unreachable(path: Path, error: OSError) -> ImageError:
    """Trouble of the file system."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            what, remedy = "there is no such file", "check the name, and that the drive is connected"
        case PermissionError():
            what, remedy = "this user has no right to read the file", "ask for the right, or copy it to your own folder"
        case OSError(errno=errno.ENAMETOOLONG):
            what, remedy = "no file can have this name", "check the name"
        case _:
            reason = error.strerror or type(error).__name__
            what, remedy = f"the file cannot be read ({reason})", "check the drive or network, then try again"
    return ImageError(what, path=path, remedy=remedy)

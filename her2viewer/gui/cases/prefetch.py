"""The next pair, opened ahead: turning the page then costs no reading. Everything but `wanted` runs in the files lane."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from her2viewer.gui.pane.pyramid import read_overview
from her2viewer.imaging.opening import probe
from her2viewer.imaging.source import ImageSource

MOST_PIXELS: Final = 64_000_000
"""A picture with more is not opened ahead: decoded it is 3 bytes a pixel, and two are held at most."""

Stamp = tuple[int, int]
"""Length in bytes and time of the last change (ns)."""

_NO_STAMP: Final = (-1, -1)


class PrefetchingOpener:
    """Opens images, from the shelf where one was opened ahead. At most two stand on it; others are closed."""

    def __init__(self, opener: Callable[[Path], ImageSource]) -> None:
        self._opener = opener
        self._shelf: dict[Path, tuple[Stamp, ImageSource]] = {}
        self._stamps: dict[Path, Stamp] = {}

    def __call__(self, path: Path) -> ImageSource:
        """Opens a file. Raises ImageError."""
        stamp = _stamp(path)
        ahead = self._shelf.pop(path, None)
        if ahead is not None and ahead[0] != stamp:
            ahead[1].close()
            ahead = None
        source = ahead[1] if ahead is not None else self._opener(path)
        self._stamps[path] = stamp
        return source

    def stamp(self, path: Path) -> Stamp:
        """Of a file as it was when it was opened last; may be asked for on any thread."""
        return self._stamps.get(path, _NO_STAMP)

    def ahead(self, path: Path, keep: Sequence[Path]) -> None:
        """Opens a file ahead and closes what stands on the shelf beside `keep`. Raises ImageError."""
        for other in [held for held in self._shelf if held not in keep]:
            self._shelf.pop(other)[1].close()
        if path in self._shelf:
            return
        stamp = _stamp(path)
        width, height = probe(path).size
        if width * height > MOST_PIXELS:
            return
        source = self._opener(path)
        read_overview(source)  # the levels below are made on the first reading
        self._shelf[path] = (stamp, source)

    @property
    def held(self) -> tuple[Path, ...]:
        """What stands on the shelf."""
        return tuple(self._shelf)

    def close(self) -> None:
        """Closes what was never asked for."""
        for _, source in self._shelf.values():
            source.close()
        self._shelf.clear()


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except (OSError, ValueError):  # opening it says what is wrong
        return _NO_STAMP
    return status.st_size, status.st_mtime_ns

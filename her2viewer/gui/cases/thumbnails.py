"""Thumbnails of cases: made in the files lane, one at a time, for the rows that are seen, and kept within a limit."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from her2viewer.errors import UserError
from her2viewer.gui.lanes import Lane
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.opening import probe
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.imaging.thumbnail import shrunk, thumbnail

SIDE: Final = 96
"""Pixels of the longer side: 44 logical pixels in the list, at 200% too."""

MOST_KEPT: Final = 1000
"""Pictures of at most 96 x 96 x 3 bytes: 28 MB."""

MOST_PIXELS: Final = 64_000_000
"""A flat picture with more is not decoded for a thumbnail; it gets one when it is opened."""

_FLAT: Final = frozenset({"PNG", "JPEG", "BMP", "WebP"})


class Thumbnails(QObject):
    """`made` says whose thumbnail is there now; `refused` whose cannot be made, and why (path, UserError)."""

    made = Signal(object)
    refused = Signal(object, object)

    def __init__(self, files: Lane, opener: Callable[[Path], ImageSource], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files = files
        self._opener = opener
        self._kept: OrderedDict[Path, QImage | None] = OrderedDict()
        self._wanted: list[Path] = []
        self._at_hand: dict[Path, RGBImage] = {}
        self._under_way: Path | None = None

    def get(self, path: Path) -> QImage | None:
        """What there is of a file now."""
        if path in self._kept:
            self._kept.move_to_end(path)
        return self._kept.get(path)

    def want(self, paths: Sequence[Path]) -> None:
        """These are seen now, from the top; what was wanted before and is not seen any more is not made."""
        self._wanted = list(paths)
        self._step()

    def take(self, image: OpenedImage) -> None:
        """The thumbnail of an image that stands in a pane costs no reading."""
        if self._kept.get(image.source.path) is None:
            self._at_hand[image.source.path] = image.overview
            self._step()

    def _step(self) -> None:
        """Begins the next one. One is in the lane at any time, so that what the user asks for waits for one at most."""
        if self._under_way is not None:
            return
        if self._at_hand:
            path, overview = self._at_hand.popitem()
            self._begin(path, lambda: shrunk(overview, SIDE))
            return
        self._wanted = [path for path in self._wanted if path not in self._kept]
        if self._wanted:
            wanted = self._wanted.pop(0)
            self._begin(wanted, lambda: read_thumbnail(self._opener, wanted))

    def _begin(self, path: Path, work: Callable[[], RGBImage | None]) -> None:
        self._under_way = path
        self._files.submit(
            "thumbnail",
            lambda _: work(),
            lambda pixels: self._on_made(path, pixels),
            failed=lambda error: self._on_failed(path, error),
        )

    def _on_made(self, path: Path, pixels: RGBImage | None) -> None:
        self._keep(path, _image(pixels) if pixels is not None else None)
        self.made.emit(path)
        self._step()

    def _on_failed(self, path: Path, error: UserError) -> None:
        self._keep(path, None)
        self.refused.emit(path, error)
        self._step()

    def _keep(self, path: Path, image: QImage | None) -> None:
        self._under_way = None
        self._kept[path] = image
        self._kept.move_to_end(path)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def read_thumbnail(opener: Callable[[Path], ImageSource], path: Path) -> RGBImage | None:
    """In the files lane: a file's thumbnail, (h, w, 3) uint8; None where it is too large to be decoded for that.

    Raises ImageError.
    """
    header = probe(path)
    if header.format in _FLAT and header.size[0] * header.size[1] > MOST_PIXELS:
        return None
    with opener(path) as source:
        return thumbnail(source, SIDE)


def _image(pixels: RGBImage) -> QImage:
    height, width = pixels.shape[:2]
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()

"""Whole slides as image sources: windows of any level, whatever the file stores."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

import numpy as np
from PIL import ImageCms

from her2viewer.errors import ImageError
from her2viewer.imaging import icc
from her2viewer.imaging.faults import Unreadable, enough_memory
from her2viewer.imaging.header import DEFAULT_MAX_PIXELS
from her2viewer.imaging.identity import file_sha256
from her2viewer.imaging.level_plan import LARGEST_EXACT_FACTOR, plan, read_averaged, read_sampled
from her2viewer.imaging.source import Level, PixelSize, RGBImage
from her2viewer.imaging.stored import StoredPyramid

_WHITE: Final = 255


class Slide:
    """An `ImageSource` over the pyramid in a slide's file; levels that the file lacks are averaged when they are read.

    Nothing is read before it is asked for, and nothing is kept: `tile_cache` does that. Safe to read from several
    threads at once. `close` frees the file as soon as no read runs.
    """

    def __init__(self, path: Path, stored: StoredPyramid) -> None:
        facts = stored.facts
        self.path = path
        self.format: str = facts.format
        self.mpp: PixelSize | None = facts.mpp
        self.properties: Mapping[str, str] = MappingProxyType(dict(facts.properties))
        self.associated: tuple[str, ...] = facts.associated
        self._plan = plan(stored.levels)
        self.levels: tuple[Level, ...] = tuple(planned.level for planned in self._plan)
        self.size = (self.levels[0].width, self.levels[0].height)
        self._transform, notes = _colour_transform(facts.icc)
        if any(planned.factor > LARGEST_EXACT_FACTOR for planned in self._plan):
            notes += ("the file holds no small copy of the picture: colours of the far overview are sampled",)
        self.notes: tuple[str, ...] = (*facts.notes, *notes)
        self._stored: StoredPyramid | None = stored
        self._readers = 0
        self._closed = False
        self._lock = threading.Lock()
        self._hash_lock = threading.Lock()
        self._sha256: str | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, lower-case hex; where a slide is many files, of the one that was opened.

        Computed when first asked for, which takes as long as reading the whole file. Raises ImageError.
        """
        with self._hash_lock:
            if self._sha256 is None:
                try:
                    self._sha256 = file_sha256(self.path)
                except OSError as error:
                    raise self._unreachable(error) from error
            return self._sha256

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """(h, w, 3) uint8 sRGB of a level's pixels from (x, y); outside is white. Contiguous and the caller's own.

        Raises ImageError where the file is damaged there or cannot be read any more (other windows may still be read), and
        for more than 400 million pixels. Raises ValueError for a level that is not there, a negative size, and after `close`.
        """
        if not 0 <= level < len(self.levels) or w < 0 or h < 0:
            raise ValueError(f"level {level}, {w} x {h} pixels cannot be read; there are {len(self.levels)} levels")
        if w * h > DEFAULT_MAX_PIXELS:
            raise ImageError(
                f"{w:,} x {h:,} pixels of a slide are more than can be held at once",
                path=self.path,
                remedy="choose a smaller field, or a lower magnification",
            )
        width, height = self.levels[level].width, self.levels[level].height
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        with self._reading() as stored:
            if left >= right or top >= bottom:
                return np.full((h, w, 3), _WHITE, np.uint8)
            pixels = self._inside(stored, level, left, top, right - left, bottom - top)
        if pixels.shape[:2] == (h, w):
            return pixels
        out = np.full((h, w, 3), _WHITE, np.uint8)
        out[top - y : bottom - y, left - x : right - x] = pixels
        return out

    def associated_image(self, name: str) -> RGBImage:
        """One of `associated`, (h, w, 3) uint8. Raises ImageError where it is damaged, KeyError for another name."""
        if name not in self.associated:
            raise KeyError(name)
        with self._reading() as stored:
            return stored.associated_image(name)

    def close(self) -> None:
        """Closes the file. A read that has begun in another thread still ends well."""
        with self._lock:
            self._closed = True
            idle = self._stored if self._readers == 0 else None
            if idle is not None:
                self._stored = None
        if idle is not None:
            idle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _inside(self, stored: StoredPyramid, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        planned = self._plan[level]
        read = partial(stored.read, planned.stored)
        if planned.factor == 1:
            pixels = read(x, y, w, h)
        else:
            shrink = read_averaged if planned.factor <= LARGEST_EXACT_FACTOR else read_sampled
            pixels = shrink(read, stored.levels[planned.stored], planned.factor, x, y, w, h)
        return pixels if self._transform is None else icc.convert(pixels, self._transform)

    @contextmanager
    def _reading(self) -> Iterator[StoredPyramid]:
        """The pyramid, which stays open meanwhile; what goes wrong names the file."""
        with self._lock:
            if self._closed or self._stored is None:
                raise ValueError(f"{self.path.name} is closed")
            stored = self._stored
            self._readers += 1
        try:
            with enough_memory():
                yield stored
        except Unreadable as error:
            raise ImageError(error.what, path=self.path, remedy=error.remedy) from error
        except OSError as error:
            raise self._unreachable(error) from error
        finally:
            with self._lock:
                self._readers -= 1
                last = self._closed and self._readers == 0 and self._stored is not None
                if last:
                    self._stored = None
            if last:
                stored.close()

    def _unreachable(self, error: OSError) -> ImageError:
        return ImageError(
            f"the slide cannot be read any more ({error.strerror or type(error).__name__})",
            path=self.path,
            remedy="check that its drive is connected, then open it again",
        )


def _colour_transform(profile: bytes | None) -> tuple[ImageCms.ImageCmsTransform | None, tuple[str, ...]]:
    """The way to sRGB and the note for it. None where the pixels are sRGB or say nothing."""
    if profile is None:
        return None, ()
    try:
        transform = icc.transform_to_srgb(profile, 3)
    except icc.UnfitProfile:
        return None, ("the embedded colour profile does not fit the picture and was not used",)
    return transform, () if transform is None else ("converted from RGB to sRGB by the embedded colour profile",)

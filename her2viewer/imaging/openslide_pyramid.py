"""Slides by OpenSlide: SVS, NDPI, MRXS, SCN, BIF, Philips, DICOM, CZI and plain pyramids of TIFF tiles.

Import this only once a file may be a slide: it loads the library.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import openslide
from PIL import Image

from her2viewer.imaging.faults import EXPORT_AGAIN, Unreadable
from her2viewer.imaging.level_plan import COARSEST_SIDE, LARGEST_EXACT_FACTOR, blocks, whole_downsample
from her2viewer.imaging.pixel_size import checked_size, trusted_resolution
from her2viewer.imaging.source import Level, PixelSize, RGBImage
from her2viewer.imaging.stored import Facts, StoredPyramid

_BLOCK_SIDE: Final = 2048
_THUMBNAIL: Final = "thumbnail"
_SAME_SHAPE: Final = 0.01
_FORMATS: Final = {
    "aperio": "Aperio SVS",
    "dicom": "DICOM",
    "generic-tiff": "tiled TIFF",
    "hamamatsu": "Hamamatsu NDPI",
    "leica": "Leica SCN",
    "mirax": "3DHISTECH MRXS",
    "philips": "Philips TIFF",
    "trestle": "Trestle TIFF",
    "ventana": "Ventana BIF",
    "zeiss": "Zeiss CZI",
}
# OpenSlide takes these makers' scale from the resolution tags, which printers' programs fill in as well.
_SCALE_BY_RESOLUTION: Final = frozenset({"generic-tiff", "trestle"})
# Their levels are nothing but pages of tiles, which can be read without OpenSlide.
_PLAIN_TILES: Final = frozenset({"aperio", "generic-tiff"})
# The first that a file has.
_COMMON: Final = {
    "Vendor": (openslide.PROPERTY_NAME_VENDOR,),
    "Objective power": (openslide.PROPERTY_NAME_OBJECTIVE_POWER,),
    "Scanner": (
        "aperio.ScanScope ID",
        "leica.device-model",
        "dicom.ManufacturerModelName",
        "philips.DICOM_MANUFACTURERS_MODEL_NAME",
        "tiff.Model",
    ),
    "Scanned": (
        "aperio.Date",
        "leica.creation-date",
        "mirax.GENERAL.SLIDE_CREATIONDATETIME",
        "hamamatsu.Created",
        "dicom.AcquisitionDateTime",
        "philips.DICOM_ACQUISITION_DATETIME",
        "tiff.DateTime",
    ),
    "Barcode": (openslide.PROPERTY_NAME_BARCODE,),
}


@dataclass(frozen=True, slots=True)
class _Region:
    """A window to be asked for: (x, y) in level-0 pixels, (width, height) in the level's."""

    place: tuple[int, int]
    level: int
    size: tuple[int, int]

    def __call__(self, slide: openslide.OpenSlide) -> Image.Image:
        return slide.read_region(self.place, self.level, self.size)


class OpenSlidePyramid:
    """A `StoredPyramid` read by OpenSlide, cropped to the scanned area where the file says it (as QuPath crops).

    OpenSlide is asked for whole level-0 pixels. Where a level is not smaller by a whole number it therefore answers with
    pixels moved by up to half a level-0 pixel and interpolated. `tiles`, where it reads the same levels, gives the pixels
    instead: as they are stored, and in a third of the time.
    """

    def __init__(self, path: Path, tiles: Callable[[], StoredPyramid] | None = None) -> None:
        """`tiles` opens a reader of the pages of tiles in the file. Raises Unreadable."""
        self._path = path
        self._lock = threading.Lock()
        self._slide: openslide.OpenSlide | None = _opened(path)
        with _in_words():
            said = dict(self._slide.properties)
            self._vendor = said.get(openslide.PROPERTY_NAME_VENDOR, "")
            self._origin, size = _scanned_area(said, self._slide.dimensions)
            self._downsamples = self._slide.level_downsamples
            self._stored_sizes = self._slide.level_dimensions
            self.levels: tuple[Level, ...] = (*self._levels(size), *self._thumbnail_level(size))
            self.facts = self._facts(said)
        self._tiles = self._tile_reader(tiles)

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """As `StoredPyramid.read`."""
        if level == len(self._downsamples):
            return self.associated_image(_THUMBNAIL)[y : y + h, x : x + w].copy()
        if self._tiles is not None:
            return self._tiles.read(level, x, y, w, h)
        out = np.empty((h, w, 3), np.uint8)
        downsample = self._downsamples[level]
        for left, top, width, height in blocks(x, y, w, h, _BLOCK_SIDE):
            place = (self._origin[0] + round(left * downsample), self._origin[1] + round(top * downsample))
            picture = self._ask(_Region(place, level, (width, height)))
            out[top - y : top - y + height, left - x : left - x + width] = _over_white(picture)
        return out

    def associated_image(self, name: str) -> RGBImage:
        """As `StoredPyramid.associated_image`."""
        return _over_white(self._ask(lambda slide: slide.associated_images[name]))

    def close(self) -> None:
        """Closes the file."""
        if self._slide is not None:
            self._slide.close()
        if self._tiles is not None:
            self._tiles.close()

    def _ask(self, question: Callable[[openslide.OpenSlide], Image.Image]) -> Image.Image:
        """OpenSlide answers nothing more once it has met an error, to no thread: it is then opened afresh.

        The second try has a handle of its own, so that a place that is damaged costs no other thread its answer. A handle
        that failed is closed by the last thread that still holds it.
        """
        with self._lock:
            slide = self._slide = self._slide or _opened(self._path)
        try:
            return question(slide)
        except openslide.OpenSlideError:
            with self._lock:
                if self._slide is slide:
                    self._slide = None
        fresh = _opened(self._path)
        with _in_words():
            picture = question(fresh)
        with self._lock:
            self._slide = self._slide or fresh
        return picture

    def _levels(self, size: tuple[int, int]) -> Iterator[Level]:
        cropped = size != self._stored_sizes[0]
        for (width, height), downsample in zip(self._stored_sizes, self._downsamples, strict=True):
            if cropped:
                width, height = (
                    max(1, min(round(side / downsample), full))
                    for side, full in zip(size, (width, height), strict=True)
                )
                yield Level(width, height, downsample)
            else:
                yield Level(width, height, whole_downsample(size, width, height, downsample))

    def _thumbnail_level(self, size: tuple[int, int]) -> Iterator[Level]:
        """The stored thumbnail as the last level, where without it nobody could see the whole slide within a second."""
        assert self._slide is not None
        thumbnail = self._slide.associated_images.get(_THUMBNAIL)
        smallest = self._stored_sizes[-1]
        if thumbnail is None or max(smallest) <= LARGEST_EXACT_FACTOR * COARSEST_SIDE:
            return
        width, height = thumbnail.size
        if abs(width * size[1] / (height * size[0]) - 1) < _SAME_SHAPE and 2 * width < smallest[0]:
            yield Level(width, height, size[0] / width)

    def _facts(self, said: Mapping[str, str]) -> Facts:
        assert self._slide is not None
        mpp, notes = _scale(said, self._vendor)
        profile = self._slide.color_profile
        return Facts(
            format=_FORMATS.get(self._vendor, self._vendor),
            mpp=mpp,
            notes=notes,
            properties=_properties(said),
            associated=tuple(self._slide.associated_images),
            icc=profile.tobytes() if profile is not None else None,
        )

    def _tile_reader(self, opener: Callable[[], StoredPyramid] | None) -> StoredPyramid | None:
        if opener is None or self._vendor not in _PLAIN_TILES:
            return None
        try:
            reader = opener()
        except Unreadable:  # a compression that OpenSlide alone reads
            return None
        if [(level.width, level.height) for level in reader.levels] == list(self._stored_sizes):
            return reader
        reader.close()
        return None


def _opened(path: Path) -> openslide.OpenSlide:
    """Raises Unreadable, and OSError where the file is not there any more."""
    path.stat()
    try:
        return openslide.OpenSlide(path)
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise Unreadable("is no whole slide of a kind that can be opened") from error
    except openslide.OpenSlideError as error:
        raise Unreadable("the slide is damaged, incomplete or of a kind not supported") from error


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except openslide.OpenSlideError as error:
        raise Unreadable("a part of the slide is damaged or missing and cannot be shown", EXPORT_AGAIN) from error


def _over_white(picture: Image.Image) -> RGBImage:
    pixels = np.asarray(picture)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[..., 3:]
        if alpha.min() < 255:
            opacity = alpha.astype(np.uint16)
            colours = pixels[..., :3].astype(np.uint16)
            return ((colours * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB).astype(np.uint8, copy=False)
    return np.array(picture.convert("RGB"))


def _scanned_area(said: Mapping[str, str], size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """((x, y), (width, height)) in OpenSlide's level-0 pixels; all of them where the file says none, or nonsense."""
    names = ("BOUNDS_X", "BOUNDS_Y", "BOUNDS_WIDTH", "BOUNDS_HEIGHT")
    try:
        x, y, width, height = (int(said[getattr(openslide, f"PROPERTY_NAME_{name}")]) for name in names)
    except (KeyError, ValueError):
        return (0, 0), size
    inside = 0 <= x < x + width <= size[0] and 0 <= y < y + height <= size[1]
    return ((x, y), (width, height)) if inside else ((0, 0), size)


def _scale(said: Mapping[str, str], vendor: str) -> tuple[PixelSize | None, tuple[str, ...]]:
    try:
        x, y = (float(said[name]) for name in (openslide.PROPERTY_NAME_MPP_X, openslide.PROPERTY_NAME_MPP_Y))
    except (KeyError, ValueError):
        return None, ()
    if vendor in _SCALE_BY_RESOLUTION:
        return trusted_resolution(x, y), ()
    return checked_size(x, y, _FORMATS.get(vendor, vendor))


def _properties(said: Mapping[str, str]) -> dict[str, str]:
    common = {name: next((said[key] for key in keys if said.get(key)), "") for name, keys in _COMMON.items()}
    common["Vendor"] = "" if common["Vendor"] == "generic-tiff" else _FORMATS.get(common["Vendor"], common["Vendor"])
    own = {key: value for key, value in said.items() if value and not key.startswith("openslide.")}
    return {**{name: value for name, value in common.items() if value}, **own}

"""Flat pictures: one file, one picture, held decoded in memory with its smaller levels."""

import hashlib
import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Self

import cv2
import numpy as np

from her2viewer.imaging import bmp_webp, jpeg, png, tiff
from her2viewer.imaging.colour import Raster, to_srgb
from her2viewer.imaging.faults import enough_memory
from her2viewer.imaging.header import Header, check_file_size, check_limit
from her2viewer.imaging.source import Level, PixelSize, RGBImage

_SMALLEST_SIDE: Final = 512
_WHITE: Final = 255


@dataclass(frozen=True, slots=True)
class Codec:
    """One format: its header from a stream without decoding, and its picture from the file's bytes."""

    read_header: Callable[[BinaryIO], Header]
    decode: Callable[[bytes], Raster]


CODECS: Final[dict[str, Codec]] = {
    "PNG": Codec(png.read_header, png.decode),
    "JPEG": Codec(jpeg.read_header, jpeg.decode),
    "TIFF": Codec(tiff.read_header, tiff.decode),
    "BMP": Codec(bmp_webp.read_bmp_header, bmp_webp.decode_bmp),
    "WebP": Codec(bmp_webp.read_webp_header, bmp_webp.decode_webp),
}


class FlatImage:
    """An `ImageSource` over a picture in memory.

    Level k halves level k-1; each of its pixels is the mean of exactly 2 x 2, so that it covers level-0 pixels
    [2^k i, 2^k (i + 1)) and `downsample` is exactly 2^k. An odd side repeats its last row or column for that. Levels
    are made when first read, while those that are there already are read on. Safe to read from several threads at once.
    """

    properties: Mapping[str, str] = MappingProxyType({})
    associated: tuple[str, ...] = ()

    def __init__(
        self,
        path: Path,
        image: RGBImage,
        *,
        kind: str,
        sha256: str,
        mpp: PixelSize | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """`image` is (h, w, 3) uint8 sRGB and belongs to the source from here on."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"(h, w, 3) uint8 expected, got {image.shape} {image.dtype}")
        self.path = path
        self.format = kind
        self.sha256 = sha256
        self.mpp = mpp
        self.notes = notes
        self.size = (image.shape[1], image.shape[0])
        self.levels = _levels(*self.size)
        image.flags.writeable = False
        self._pixels: tuple[RGBImage, ...] | None = (image,)
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """(h, w, 3) uint8 sRGB of a level's pixels from (x, y); outside is white. Contiguous and the caller's own.

        Raises ValueError for a level that is not there, a negative size, and after `close`.
        """
        if not 0 <= level < len(self.levels) or w < 0 or h < 0:
            raise ValueError(f"level {level}, {w} x {h} pixels cannot be read; there are {len(self.levels)} levels")
        pixels = self._level(level)
        height, width = pixels.shape[:2]
        left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
        inside = left < right and top < bottom
        if inside and (right - left, bottom - top) == (w, h):
            return pixels[top:bottom, left:right].copy()
        out = np.full((h, w, 3), _WHITE, np.uint8)
        if inside:
            out[top - y : bottom - y, left - x : right - x] = pixels[top:bottom, left:right]
        return out

    def associated_image(self, name: str) -> RGBImage:
        """There is none. Raises KeyError."""
        raise KeyError(name)

    def close(self) -> None:
        """Frees the pixels. A read that has begun in another thread still ends well."""
        with self._lock:
            self._pixels = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _level(self, level: int) -> RGBImage:
        pixels = self._made()
        if len(pixels) <= level:
            with self._making:
                while len(pixels := self._made()) <= level:
                    half = _halved(pixels[-1])
                    with self._lock:
                        if self._pixels is not None:
                            self._pixels = (*self._pixels, half)
        return pixels[level]

    def _made(self) -> tuple[RGBImage, ...]:
        with self._lock:
            if self._pixels is None:
                raise ValueError(f"{self.path.name} is closed")
            return self._pixels


def open_flat(path: Path, file: BinaryIO, kind: str, max_pixels: int, size: int) -> FlatImage:
    """Reads `file` (of `size` bytes) once and decodes it. Raises Unreadable."""
    check_file_size(size, max_pixels)
    codec = CODECS[kind]
    check_limit(codec.read_header(file), max_pixels)
    file.seek(0)
    with enough_memory():
        data = file.read()
    # Once more on the bytes that are decoded: the file may have been replaced between the two.
    header = codec.read_header(io.BytesIO(data))
    check_limit(header, max_pixels)
    raster = codec.decode(data)
    with enough_memory():
        image, notes = to_srgb(raster)
    return FlatImage(path, image, kind=kind, sha256=hashlib.sha256(data).hexdigest(), mpp=raster.mpp, notes=notes)


def _levels(width: int, height: int) -> tuple[Level, ...]:
    levels = [Level(width, height, 1.0)]
    while max(width, height) > _SMALLEST_SIDE:
        width, height = (width + 1) // 2, (height + 1) // 2
        levels.append(Level(width, height, levels[-1].downsample * 2))
    return tuple(levels)


def _halved(image: RGBImage) -> RGBImage:
    """An odd side's last row or column is done by itself: filling up a picture of a gigabyte by one would copy it."""
    height, width = image.shape[:2]
    half = _shrunk(image[: height // 2 * 2, : width // 2 * 2])
    if width % 2:
        last = image[: height // 2 * 2, -1:].repeat(2, axis=1)
        half = np.concatenate([half, _shrunk(last)], axis=1)
    if height % 2:
        last = np.pad(image[-1:], ((0, 1), (0, width % 2), (0, 0)), mode="edge")
        half = np.concatenate([half, _shrunk(last)], axis=0)
    half.flags.writeable = False
    return half


def _shrunk(even: RGBImage) -> RGBImage:
    height, width = even.shape[0] // 2, even.shape[1] // 2
    if not (height and width):
        return np.empty((height, width, 3), np.uint8)
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

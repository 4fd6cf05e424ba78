"""Slides that are pages of TIFF tiles: read tile by tile, each decoded by the same rules as a flat TIFF.

A tile is put behind its page's own tags, which makes it a small TIFF, or behind its page's JPEG tables, which makes it a
JPEG, and goes through that format's `decode` and the table in `imaging.colour`.
"""

import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import tifffile

from her2viewer.imaging import jpeg, tiff
from her2viewer.imaging.colour import to_srgb
from her2viewer.imaging.faults import SAVE_AS_PNG, Unreadable, decoding
from her2viewer.imaging.level_plan import whole_downsample
from her2viewer.imaging.pixel_size import pixel_size, trusted_resolution
from her2viewer.imaging.source import Level, PixelSize, RGBImage
from her2viewer.imaging.stored import Facts

_WIDTH, _LENGTH, _OFFSETS, _ROWS, _COUNTS, _PLANAR, _ICC = 256, 257, 273, 278, 279, 284, 34675
_PATCHED: Final = (_LENGTH, _ROWS, _COUNTS)
# What a decoder must know of a tile: bits, compression, photometric, fill order, samples, planes, predictor, palette,
# extra samples, sample format, largest value, JPEG tables, and YCbCr's coefficients, subsampling, positioning and range.
_KEPT: Final = (258, 259, 262, 266, 277, _PLANAR, 281, 317, 320, 338, 339, 347, 529, 530, 531, 532)
_LONG: Final = 4

# None, LZW, JPEG, deflate (two numbers) and PackBits.
_COMPRESSIONS: Final = frozenset({1, 5, 7, 8, 32946, 32773})
_JPEG, _YCBCR = 7, 6
_BITS: Final = frozenset({8, 16})
_MAX_SEGMENT_PIXELS: Final = 4096 * 4096
_SOI: Final = b"\xff\xd8"
# Adobe's marker says whether three channels are YCbCr (1) or RGB (0); TIFF says it in a tag, and its JPEGs say nothing.
_ADOBE: Final = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"

_KEPT_BYTES: Final = 16 * 2**20
_WHITE: Final = 255
_ASSOCIATED: Final = ("label", "macro", "thumbnail")


@dataclass(frozen=True, eq=False)
class _Page:
    """One picture as stored. A segment is a tile or a strip: (height, width) pixels, in rows of `columns`.

    `offsets` and `counts`: where each segment's bytes are. `head`: what is put before them to make a file; in that of a
    TIFF the numbers at `patched` (rows, rows again, bytes) are the segment's own, a JPEG has none.
    """

    width: int
    height: int
    segment: tuple[int, int]
    tiled: bool
    offsets: np.ndarray
    counts: np.ndarray
    planes: int
    head: bytes
    patched: tuple[int, ...]
    byteorder: str

    @property
    def columns(self) -> int:
        return -(-self.width // self.segment[1])

    def rows_of(self, index: int) -> int:
        """Rows of pixels in a segment: tiles are filled up at the lower edge, strips end there."""
        return self.segment[0] if self.tiled else min(self.segment[0], self.height - index * self.segment[0])

    @property
    def rows(self) -> int:
        return -(-self.height // self.segment[0])


class TiledTiff:
    """A `StoredPyramid` of TIFF and OME-TIFF pages. Only the tiles that a window touches are read and decoded."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable for what is no picture of 8 or 16 bits in tiles, or is not all there."""
        with decoding("TIFF"), tifffile.TiffFile(path) as opened:
            series = opened.series[0]
            pages = [_first(level) for level in series.levels]
            finest = pages[0]
            if not finest.is_tiled:
                raise Unreadable("is not stored in tiles")
            length = os.fstat(opened.filehandle.fileno()).st_size
            self._pages = [_page(page, length) for page in pages]
            further = [(each.name.lower(), _first(each)) for each in opened.series[1:]]
            self._associated: dict[str, _Page] = {
                name: _page(page, length) for said, page in further for name in _ASSOCIATED if name in said.split()
            }
            mpp, notes = pixel_size(opened)
            if mpp is None and not finest.is_ome and not finest.is_imagej and len(pages) > 1:
                mpp = _by_resolution(finest)
            planes = len(series.levels[0].pages)
            profile = finest.tags.valueof(_ICC)
            properties = dict(_properties(finest))
        size = (self._pages[0].width, self._pages[0].height)
        self.levels: tuple[Level, ...] = tuple(
            Level(page.width, page.height, whole_downsample(size, page.width, page.height, size[0] / page.width))
            for page in self._pages
        )
        self.facts = Facts(
            format="OME-TIFF" if finest.is_ome else "tiled TIFF",
            mpp=mpp,
            notes=(*notes, *((f"first of {planes} planes",) if planes > 1 else ())),
            properties=properties,
            associated=tuple(self._associated),
            icc=profile if isinstance(profile, bytes) else None,
        )
        self._lock = threading.Lock()
        self._file = path.open("rb")
        # Windows seldom begin where tiles do, and their neighbours touch the same ones.
        kept = _KEPT_BYTES // (3 * self._pages[0].segment[0] * self._pages[0].segment[1])
        self._segment = lru_cache(maxsize=max(4, kept))(self._read_segment)

    def read(self, level: int, x: int, y: int, w: int, h: int) -> RGBImage:
        """As `StoredPyramid.read`."""
        return self._window(self._pages[level], x, y, w, h)

    def associated_image(self, name: str) -> RGBImage:
        """As `StoredPyramid.associated_image`."""
        page = self._associated[name]
        return self._window(page, 0, 0, page.width, page.height)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _window(self, page: _Page, x: int, y: int, w: int, h: int) -> RGBImage:
        out = np.empty((h, w, 3), np.uint8)
        height, width = page.segment
        for row in range(y // height, -(-(y + h) // height)):
            for column in range(x // width, -(-(x + w) // width)):
                left, top = column * width, row * height
                x0, x1 = max(left, x), min(left + width, x + w)
                y0, y1 = max(top, y), min(top + height, y + h)
                segment = self._segment(page, row * page.columns + column)
                out[y0 - y : y1 - y, x0 - x : x1 - x] = segment[y0 - top : y1 - top, x0 - left : x1 - left]
        return out

    def _read_segment(self, page: _Page, index: int) -> RGBImage:
        """One tile in all its planes."""
        step = page.rows * page.columns
        parts = [self._decoded(page, index + plane * step, page.rows_of(index)) for plane in range(page.planes)]
        return parts[0] if len(parts) == 1 else np.stack([part[..., 0] for part in parts[:3]], axis=-1)

    def _decoded(self, page: _Page, index: int, rows: int) -> RGBImage:
        start, count = int(page.offsets[index]), int(page.counts[index])
        if not count:  # left out by the writer, because nothing was scanned there
            return np.full((rows, page.segment[1], 3), _WHITE, np.uint8)
        with self._lock:
            self._file.seek(start)
            data = self._file.read(count)
        if len(data) < count:
            raise Unreadable("a part of the picture is missing in the file")
        if page.patched:
            head = bytearray(page.head)
            for place, number in zip(page.patched, (rows, rows, count), strict=True):
                struct.pack_into(page.byteorder + "I", head, place, number)
            raster = tiff.decode(bytes(head) + data)
        else:
            raster = jpeg.decode(page.head + data.removeprefix(_SOI))
        image, _ = to_srgb(raster)
        if image.shape[0] < rows or image.shape[1] != page.segment[1]:
            raise Unreadable("a part of the picture does not have the size that the file says")
        return image


def _first(series: tifffile.TiffPageSeries) -> tifffile.TiffPage:
    page = series.pages[0]
    if page is None:
        raise Unreadable("the list of pictures is damaged")
    return page.aspage()


def _page(page: tifffile.TiffPage, length: int) -> _Page:
    if page.compression not in _COMPRESSIONS or page.bitspersample not in _BITS or page.sampleformat != 1:
        raise Unreadable("has a compression or kind of numbers that slides are not read in", SAVE_AS_PNG)
    offsets, counts = (np.asarray(values, np.int64) for values in (page.dataoffsets, page.databytecounts))
    strip = (min(page.rowsperstrip, page.imagelength), page.imagewidth)
    segment = (page.tilelength, page.tilewidth) if page.is_tiled else strip
    if not 0 < segment[0] * segment[1] <= _MAX_SEGMENT_PIXELS:
        raise Unreadable("has tiles or strips too large to be read one by one", SAVE_AS_PNG)
    planes = page.samplesperpixel if page.planarconfig == 2 else 1
    head, patched = _jpeg_head(page) if page.compression == _JPEG else _tiff_head(page, segment)
    found = _Page(
        page.imagewidth,
        page.imagelength,
        segment,
        page.is_tiled,
        offsets,
        counts,
        planes,
        head,
        patched,
        page.parent.byteorder,
    )
    if len(offsets) != len(counts) or len(offsets) < found.rows * found.columns * planes or planes == 2:
        raise Unreadable("the list of tiles is damaged")
    if (offsets + counts).max() > length:
        raise Unreadable("the slide is cut short, its last part is missing", "copy it again from where it came from")
    return found


def _jpeg_head(page: tifffile.TiffPage) -> tuple[bytes, tuple[int, ...]]:
    """The beginning of a JPEG: which colours it has, and the tables that its tiles share."""
    tables = page.jpegtables or b""
    adobe = _ADOBE + bytes([int(page.photometric == _YCBCR)]) if page.samplesperpixel == 3 else b""
    return _SOI + adobe + tables[2:-2], ()


def _tiff_head(page: tifffile.TiffPage, segment: tuple[int, int]) -> tuple[bytes, tuple[int, ...]]:
    """A TIFF of one strip, without the strip, and where the numbers stand that differ from strip to strip."""
    order = page.parent.byteorder
    entries = [
        (_WIDTH, _LONG, 1, struct.pack(order + "I", segment[1])),
        (_LENGTH, _LONG, 1, struct.pack(order + "I", segment[0])),
        (_OFFSETS, _LONG, 1, bytes(4)),
        (_ROWS, _LONG, 1, struct.pack(order + "I", segment[0])),
        (_COUNTS, _LONG, 1, bytes(4)),
        *_copied(page),
    ]
    entries.sort()
    values_at = 8 + 2 + 12 * len(entries) + 4
    table, values, places = bytearray(), bytearray(), {}
    for code, kind, count, value in entries:
        places[code] = 10 + len(table) + 8
        table += struct.pack(order + "HHI", code, kind, count)
        if len(value) <= 4:
            table += value.ljust(4, b"\0")
        else:
            table += struct.pack(order + "I", values_at + len(values))
            values += value + bytes(len(value) % 2)
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    head = bytearray(start + table + bytes(4) + values)
    struct.pack_into(order + "I", head, places[_OFFSETS], len(head))
    return bytes(head), tuple(places[code] for code in _PATCHED)


def _copied(page: tifffile.TiffPage) -> Iterator[tuple[int, int, int, bytes]]:
    file = page.parent.filehandle
    one_plane = page.planarconfig == 2
    for code in _KEPT:
        tag = page.tags.get(code)
        if tag is None:
            continue
        if one_plane and code in (258, 262, 277, _PLANAR, 338, 339):  # each plane by itself is a grey picture
            number = {258: page.bitspersample, 262: 1, 277: 1, _PLANAR: 1, 338: None, 339: 1}[code]
            if number is not None:
                yield code, 3, 1, struct.pack(page.parent.byteorder + "H", number)
            continue
        file.seek(tag.valueoffset)
        yield code, int(tag.dtype), tag.count, file.read(tag.valuebytecount)


def _by_resolution(page: tifffile.TiffPage) -> PixelSize | None:
    um = {2: 25_400.0, 3: 10_000.0}.get(int(page.tags.valueof(296, default=2)))
    values = [page.tags.valueof(tag) for tag in (282, 283)]
    sides = [um * value[1] / value[0] for value in values if um and isinstance(value, tuple) and value[0]]
    return trusted_resolution(sides[0], sides[1]) if len(sides) == 2 else None


def _properties(page: tifffile.TiffPage) -> Iterator[tuple[str, str]]:
    tags = {"Scanner": "Model", "Scanned": "DateTime"}
    tags |= {f"tiff.{name}": name for name in ("Make", "Model", "Software", "DateTime", "ImageDescription")}
    for name, tag in tags.items():
        value = page.tags.valueof(tag)
        if isinstance(value, str) and value.strip():
            yield name, value.strip()

"""Slides that the tests write themselves: pyramids of deflated TIFF tiles, of any size in about a second.

A large slide is made of few different tiles: equal ones are stored once, and the list of tiles points to them again and
again. Its content comes in blocks of 4096 level-0 pixels, each of one of 24 stain colours (no two neighbours alike), with
a texture that repeats every 1024 pixels. Every level is the mean of the finer one.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.imaging.pictures import tissue

Picture = NDArray[np.uint8]

STEP = 4
"""Each level is smaller by this than the one before, as scanners make them."""

COARSEST = 2048
"""Unless told, levels are added until the longer side is at most this."""

BLOCK = 4096
_PERIOD = 1024
_COLOURS = 24
_SHORT, _LONG, _ASCII, _RATIONAL, _IFD = 3, 4, 2, 5, 13


def write_slide(
    path: Path,
    size: tuple[int, int],
    *,
    mpp: float | None = 0.5,
    tile: int = 256,
    levels: int | None = None,
    seed: int = 0,
    picture: Picture | None = None,
) -> Path:
    """A plain pyramid: pages behind each other, mpp in the resolution tags. `size` is (width, height).

    `picture`: (h, w, 3) uint8, repeated to fill the size; for small slides. `levels`: their number, level 0 counted.
    """
    pages = _pyramid(size, tile, levels, seed, picture)
    for page in pages:
        page.set_resolution(mpp)
    return _write(path, pages)


def write_aperio_slide(
    path: Path,
    size: tuple[int, int],
    *,
    mpp: float | None = 0.5,
    tile: int = 256,
    levels: int | None = None,
    seed: int = 0,
    picture: Picture | None = None,
) -> Path:
    """As `write_slide`, as Aperio lays it out, with a thumbnail, a label and a macro picture. mpp may be nonsense."""
    pages = _pyramid(size, tile, levels, seed, picture)
    words = "Aperio Image Library v12.0.15 \r\n"
    facts = "|AppMag = 20|Date = 11/24/26|ScanScope ID = SS1234" + (f"|MPP = {mpp:g}" if mpp is not None else "")
    for page in pages:
        page.tags[254] = (_LONG, [0])  # Aperio calls only the label and the macro picture reduced
        page.describe(f"{words}{size[0]}x{size[1]} ({tile}x{tile}) RGB{facts}")
    content = _Content(seed, picture)
    scale = 512 / max(size)
    thumbnail = cv2.resize(
        content.window(_log2_floor(1 / scale), 0, 0, *_shrunk(size, 1 << _log2_floor(1 / scale))),
        (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))),
        interpolation=cv2.INTER_AREA,
    )
    strips = []
    for image, name, kind in (
        (thumbnail, f"{size[0]}x{size[1]} -> thumbnail", 0),
        (tissue(60, 90, seed=seed), "label 90x60", 1),
        (tissue(80, 240, seed=seed), "macro 240x80", 9),
    ):
        page = _strip(image)
        page.describe(words + name)
        page.tags[254] = (_LONG, [kind])
        strips.append(page)
    return _write(path, [pages[0], strips[0], *pages[1:], *strips[1:]])


def write_ome_slide(
    path: Path,
    size: tuple[int, int],
    *,
    mpp: float | None = 0.5,
    tile: int = 256,
    levels: int | None = None,
    seed: int = 0,
    picture: Picture | None = None,
) -> Path:
    """As `write_slide`, as an OME-TIFF: smaller levels in SubIFDs, mpp in OME-XML. mpp may be nonsense."""
    pages = _pyramid(size, tile, levels, seed, picture)
    scale = f'PhysicalSizeX="{mpp}" PhysicalSizeY="{mpp}" ' if mpp is not None else ""
    pages[0].describe(
        '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" {scale}SizeX="{size[0]}" '
        f'SizeY="{size[1]}" SizeC="3" SizeZ="1" SizeT="1" Interleaved="true"><Channel ID="Channel:0:0" '
        'SamplesPerPixel="3"/><TiffData IFD="0" PlaneCount="1"/></Pixels></Image></OME>'
    )
    pages[0].below = pages[1:]
    return _write(path, pages[:1])


def content(size: tuple[int, int], downsample: int, window: tuple[int, int, int, int], *, seed: int = 0) -> Picture:
    """What a slide written without a picture must show: window (x, y, w, h) of its level smaller by a power of two."""
    return _Content(seed, None).window(_log2_floor(downsample), *window)


# --- content ----------------------------------------------------------------------------------------------------------


class _Content:
    """The picture at 1/2^k, infinite to the right and down."""

    def __init__(self, seed: int, picture: Picture | None) -> None:
        self._seed = seed
        self._picture = picture

    def window(self, k: int, x: int, y: int, w: int, h: int) -> Picture:
        if self._picture is not None:
            return self._repeated(k, x, y, w, h)
        block, period = max(1, BLOCK >> k), max(1, _PERIOD >> k)
        rows, columns = np.arange(y, y + h), np.arange(x, x + w)
        textures = _textures(self._seed, k)
        out = np.empty((h, w, 3), np.uint8)
        for by in np.unique(rows // block):
            inside_y = rows // block == by
            for bx in np.unique(columns // block):
                inside_x = columns // block == bx
                texture = textures[colour_of(int(bx), int(by), self._seed)]
                patch = texture[np.ix_(rows[inside_y] % period, columns[inside_x] % period)]
                out[np.ix_(inside_y, inside_x)] = patch
        return out

    def key(self, k: int, x: int, y: int, tile: int) -> tuple[int, ...]:
        """Equal for tiles that look alike."""
        block, period = BLOCK >> k, _PERIOD >> k
        if self._picture is not None or block % tile or not period:
            return x, y
        return x % period, y % period, colour_of(x // block, y // block, self._seed)

    def _repeated(self, k: int, x: int, y: int, w: int, h: int) -> Picture:
        assert self._picture is not None
        rows, columns = self._picture.shape[:2]
        if k == 0:
            return self._picture[np.ix_(np.arange(y, y + h) % rows, np.arange(x, x + w) % columns)]
        fine = self.window(k - 1, 2 * x, 2 * y, 2 * w, 2 * h)
        return cv2.resize(fine, (w, h), interpolation=cv2.INTER_AREA)


def colour_of(bx: int, by: int, seed: int = 0) -> int:
    """Which of the stain colours the block in column `bx` and row `by` has."""
    return (bx * 7 + by * 5 + (bx * by) % 3 + seed) % _COLOURS


@lru_cache(maxsize=32)
def _textures(seed: int, k: int) -> Picture:
    """(colours, period, period, 3): one texture for each colour, at 1/2^k."""
    if k:
        fine = _textures(seed, k - 1)
        if fine.shape[1] == 1:
            return fine
        side = fine.shape[1] // 2
        return np.stack([cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA) for texture in fine])
    # 32 x 32 marks of 32 pixels, a number of dots in each: cheap to deflate, and no two tiles of 256 alike.
    marks = np.random.default_rng(seed).integers(0, 5, (32, 32), dtype=np.uint8)
    shade = np.repeat(np.repeat(marks, 32, 0), 32, 1)
    rows, columns = np.mgrid[:_PERIOD, :_PERIOD] % 32
    nuclei = ((rows - 16) ** 2 + (columns - 16) ** 2 < 70) & (shade > 1)
    out = np.empty((_COLOURS, _PERIOD, _PERIOD, 3), np.uint8)
    for colour in range(_COLOURS):
        # Hues of eosin, haematoxylin and DAB: from pink by violet to brown, light to dark.
        base = np.array([235 - 4 * (colour % 12), 190 - 9 * (colour % 8), 215 - 5 * colour])
        stroma = np.clip(base - 6 * shade[..., None], 0, 255)
        out[colour] = np.where(nuclei[..., None], base * 0.5 + (20, 0, 40), stroma)
    return out


# --- the file ---------------------------------------------------------------------------------------------------------


@dataclass
class _Page:
    """A picture: its tags, its different segments deflated, and which of them stands where."""

    tags: dict[int, tuple[int, list[int] | bytes]]
    segments: list[bytes]
    order: list[int]
    tiled: bool
    below: "list[_Page]" = field(default_factory=list)

    def set_resolution(self, mpp: float | None) -> None:
        if mpp is not None:
            per_cm = [round(1e4 * 1000), round(mpp * 1000)] if mpp else [0, 1]
            self.tags |= {282: (_RATIONAL, per_cm), 283: (_RATIONAL, per_cm), 296: (_SHORT, [3])}

    def describe(self, text: str) -> None:
        self.tags[270] = (_ASCII, text.encode() + b"\0")


def _pyramid(size: tuple[int, int], tile: int, levels: int | None, seed: int, picture: Picture | None) -> list[_Page]:
    return list(_pages(size, tile, levels, _Content(seed, picture)))


def _pages(size: tuple[int, int], tile: int, levels: int | None, made: _Content) -> Iterator[_Page]:
    index, factor = 0, 1
    while True:
        width, height = _shrunk(size, factor)
        k = _log2_floor(factor)
        page = _tiled(width, height, tile, made, k)
        page.tags[254] = (_LONG, [int(index > 0)])
        yield page
        index, factor = index + 1, factor * STEP
        if index == levels or (levels is None and max(width, height) <= COARSEST):
            return


def _tiled(width: int, height: int, tile: int, made: _Content, k: int) -> _Page:
    known: dict[tuple[int, ...], int] = {}
    segments: list[bytes] = []
    order = []
    for y in range(0, height, tile):
        for x in range(0, width, tile):
            key = made.key(k, x, y, tile)
            if key not in known:
                known[key] = len(segments)
                segments.append(zlib.compress(made.window(k, x, y, tile, tile).tobytes(), 1))
            order.append(known[key])
    page = _Page(_common(width, height), segments, order, tiled=True)
    page.tags |= {322: (_SHORT, [tile]), 323: (_SHORT, [tile])}
    return page


def _strip(image: Picture) -> _Page:
    height, width = image.shape[:2]
    page = _Page(_common(width, height), [zlib.compress(image.tobytes(), 1)], [0], tiled=False)
    page.tags[278] = (_LONG, [height])
    return page


def _common(width: int, height: int) -> dict[int, tuple[int, list[int] | bytes]]:
    deflate, rgb = 8, 2
    return {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [8, 8, 8]),
        259: (_SHORT, [deflate]),
        262: (_SHORT, [rgb]),
        277: (_SHORT, [3]),
        284: (_SHORT, [1]),
    }


def _write(path: Path, pages: list[_Page]) -> Path:
    """Classic little-endian TIFF: all segments first, then the directories, each with its values behind it."""
    body = bytearray(b"II*\0" + bytes(4))
    for page in [*pages, *(below for above in pages for below in above.below)]:
        places = []
        for segment in page.segments:
            places.append(len(body))
            body += segment
        offsets, counts = (324, 325) if page.tiled else (273, 279)
        page.tags[offsets] = (_LONG, [places[i] for i in page.order])
        page.tags[counts] = (_LONG, [len(page.segments[i]) for i in page.order])
    link = 4
    for page in pages:
        if page.below:
            page.tags[330] = (_IFD, [_directory(body, below)[0] for below in page.below])
        place, next_link = _directory(body, page)
        struct.pack_into("<I", body, link, place)
        link = next_link
    path.write_bytes(body)
    return path


def _directory(body: bytearray, page: _Page) -> tuple[int, int]:
    """Appends a directory; where it stands, and where the link to the next one is."""
    body += bytes(len(body) % 2)
    place = len(body)
    values_at = place + 2 + 12 * len(page.tags) + 4
    table, values = bytearray(struct.pack("<H", len(page.tags))), bytearray()
    for code, (kind, value) in sorted(page.tags.items()):
        packed = value if isinstance(value, bytes) else _packed(kind, value)
        count = len(value) // (2 if kind == _RATIONAL else 1)
        table += struct.pack("<HHI", code, kind, count)
        if len(packed) <= 4:
            table += packed.ljust(4, b"\0")
        else:
            table += struct.pack("<I", values_at + len(values))
            values += packed + bytes(len(packed) % 2)
    body += table + bytes(4) + values
    return place, values_at - 4


def _packed(kind: int, values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)


def _shrunk(size: tuple[int, int], factor: int) -> tuple[int, int]:
    return max(1, size[0] // factor), max(1, size[1] // factor)


def _log2_floor(number: float) -> int:
    return max(0, int(number).bit_length() - 1)


WRITERS: dict[str, Callable[..., Path]] = {
    "tiled TIFF": write_slide,
    "Aperio SVS": write_aperio_slide,
    "OME-TIFF": write_ome_slide,
}
"""By the format that `open_image` finds."""


def write_leica_slide(path: Path, picture: Picture, offset: tuple[int, int], glass: tuple[int, int]) -> Path:
    """A Leica SCN whose scanned area, `picture` (h, w, 3), lies at `offset` (x, y) on a slide of `glass` (w, h) pixels."""
    height, width = picture.shape[:2]
    nm = 500
    pages = _pyramid((width, height), 256, 2, 0, picture)
    sizes = "".join(
        f'<dimension sizeX="{width // s}" sizeY="{height // s}" r="{i}" ifd="{i}"/>' for i, s in enumerate((1, STEP))
    )
    for page in pages:
        page.tags[254] = (_LONG, [0])
        page.set_resolution(nm / 1000)
    pages[0].describe(
        '<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">'
        f'<collection name="" sizeX="{glass[0] * nm}" sizeY="{glass[1] * nm}"><barcode>AB12</barcode>'
        '<image name="main"><creationDate>2026-11-24T10:00:00Z</creationDate><device model="Leica SCN400" version="1"/>'
        f'<pixels sizeX="{width}" sizeY="{height}">{sizes}</pixels>'
        f'<view sizeX="{width * nm}" sizeY="{height * nm}" offsetX="{offset[0] * nm}" offsetY="{offset[1] * nm}"/>'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>"
        "<numericalAperture>0.4</numericalAperture><illuminationSource>brightfield</illuminationSource>"
        "</illuminationSettings></scanSettings></image></collection></scn>"
    )
    return _write(path, pages)

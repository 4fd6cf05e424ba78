"""TIFF: its tags by tifffile, its pixels by whichever library reads that kind whole and safely.

- tifffile: uncompressed, PackBits and deflate in whole bytes; every sample type and layout.
- Pillow (libtiff): 8 bits and less in every other compression, and YCbCr.
- OpenCV (libtiff): more than 8 bits in LZW or in packed 10, 12 or 14 bits.
"""

import io
import struct
import zlib
from operator import index
from typing import BinaryIO, Final

import cv2
import numpy as np
import tifffile
from PIL import TiffImagePlugin

from her2viewer.imaging.colour import Alpha, Colours, Raster, Samples
from her2viewer.imaging.faults import SAVE_AS_PNG, Unreadable, decoding
from her2viewer.imaging.header import Header
from her2viewer.imaging.orientation import valid_orientation
from her2viewer.imaging.pixel_size import pixel_size, significant_bits

_ORIENTATION, _MAX_SAMPLE_VALUE, _ICC_PROFILE = 274, 281, 34675
_UNCOMPRESSED: Final = 1
_DEFLATE: Final = frozenset({8, 32946})
_PACKBITS: Final = 32773
_COLOURS: Final = {
    0: Colours.INVERTED_GREY,
    1: Colours.GREY,
    2: Colours.RGB,
    3: Colours.PALETTE,
    5: Colours.CMYK,
    6: Colours.RGB,
}
_YCBCR: Final = 6
_CHANNELS: Final = {Colours.RGB: 3, Colours.CMYK: 4}
_ALPHA: Final = {1: Alpha.PREMULTIPLIED, 2: Alpha.STRAIGHT}

# Beyond four colours and an alpha there are planes that no rule covers; a header may claim 65,535.
_MAX_CHANNELS: Final = 8
_MAX_TILE_PIXELS: Final = 4096 * 4096

# Deflate shrinks by 1032 at most. A segment that could grow past this many bytes is measured before it is decoded.
_DEFLATE_RATIO: Final = 1032
_UNMEASURED_BYTES: Final = 256 * 2**20


def read_header(stream: BinaryIO) -> Header:
    """Size and orientation of the first page, reading tags only. Raises Unreadable."""
    stream.seek(0)
    with decoding("TIFF"), tifffile.TiffFile(stream) as tiff:
        page = tiff.pages.first
        # In a damaged file a tag may hold several numbers or none; `index` refuses what is no integer.
        return Header("TIFF", index(page.imagewidth), index(page.imagelength), _orientation(page))


def decode(data: bytes) -> Raster:
    """The first page. Raises Unreadable."""
    with decoding("TIFF"), tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages.first
        _check(page, data)
        pages = len(tiff.pages)
        notes = (f"first of {pages} pages",) if pages > 1 else ()
        mpp, doubts = pixel_size(tiff)
        samples, colours, alpha, palette = _pixels(page, data)
        if samples.shape[:2] != (page.imagelength, page.imagewidth) or samples.ndim > 3:
            raise Unreadable("the TIFF data do not have the shape that the header says")
        profile = page.tags.valueof(_ICC_PROFILE)
        return Raster(
            samples,
            colours,
            alpha,
            bits=_declared_bits(page) if samples.dtype.kind == "u" else None,
            palette=palette,
            icc=profile if isinstance(profile, bytes) else None,
            orientation=_orientation(page),
            mpp=mpp,
            notes=(*notes, *doubts, *_ignored_channels(page)),
        )


def _orientation(page: tifffile.TiffPage) -> int:
    return valid_orientation(int(page.tags.valueof(_ORIENTATION, default=1)))


def _check(page: tifffile.TiffPage, data: bytes) -> None:
    """Refuses what no rule covers, what is not all there, and what would fill the memory when decoded."""
    if page.photometric not in _COLOURS:
        raise Unreadable(f"holds colours of the kind {_name(page.photometric)}, which is not supported", SAVE_AS_PNG)
    if not 1 <= page.samplesperpixel <= _MAX_CHANNELS or page.imagedepth != 1:
        raise Unreadable(f"has {page.samplesperpixel} channels or more than one plane", SAVE_AS_PNG)
    tile = page.tilewidth * page.tilelength if page.is_tiled else 0
    if tile > max(_MAX_TILE_PIXELS, 4 * page.imagewidth * page.imagelength):
        raise Unreadable("has tiles far larger than the picture")
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if not segments or any(start < 1 or count < 1 or start + count > len(data) for start, count in segments):
        raise Unreadable("the picture is cut short, its last part is missing")
    if page.compression in _DEFLATE:
        pixels = tile or page.imagewidth * min(page.rowsperstrip, page.imagelength)
        expected = pixels * page.samplesperpixel * page.bitspersample // 8
        for start, count in segments:
            if count * _DEFLATE_RATIO > max(_UNMEASURED_BYTES, 2 * expected):
                _measure(data[start : start + count], expected)


def _measure(segment: bytes, expected: int) -> None:
    """Inflates a segment to at most twice its expected size and throws that away: it must end within it."""
    inflate = zlib.decompressobj()
    left, size = segment, 0
    while left and not inflate.eof and size <= 2 * expected:
        size += len(inflate.decompress(left, 2**24))
        left = inflate.unconsumed_tail
    if size > 2 * expected:
        raise Unreadable("unpacks to far more data than the picture has")


def _pixels(page: tifffile.TiffPage, data: bytes) -> tuple[Samples, Colours, Alpha, np.ndarray | None]:
    bits = page.bitspersample
    whole_bytes = bits in (8, 16, 32, 64)
    bounded = page.compression in _DEFLATE or page.compression in (_UNCOMPRESSED, _PACKBITS)
    if whole_bytes and bounded and page.photometric != _YCBCR:
        samples = page.asarray()
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        return _as_tagged(samples, page)
    if isinstance(bits, int) and bits > 8:
        return _as_tagged(_by_opencv(page, data), page)
    return _by_pillow(page, data)


def _as_tagged(samples: Samples, page: tifffile.TiffPage) -> tuple[Samples, Colours, Alpha, np.ndarray | None]:
    """Channels as the tags name them: colours first, then the first extra channel if it is an alpha."""
    colours = _COLOURS[page.photometric]
    wanted = _CHANNELS.get(colours, 1)
    alpha = _ALPHA.get(int(page.extrasamples[0]), Alpha.NONE) if page.extrasamples else Alpha.NONE
    if samples.ndim == 3:
        samples = samples[..., : wanted + (alpha is not Alpha.NONE)]
    palette = _palette(page.colormap) if colours is Colours.PALETTE and page.colormap is not None else None
    return samples, colours, alpha, palette


def _by_opencv(page: tifffile.TiffPage, data: bytes) -> Samples:
    samples: Samples | None = cv2.imdecode(np.frombuffer(_as_stored(page, data), np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.shape[:2] != (page.imagelength, page.imagewidth) or page.planarconfig != 1:
        raise Unreadable(f"the data are damaged, or their compression ({_name(page.compression)}) is not supported")
    if samples.ndim == 3 and samples.shape[2] >= 3:
        samples = samples[..., [2, 1, 0, *range(3, samples.shape[2])]]
    if page.bitspersample < 16:
        samples = samples >> (16 - page.bitspersample)  # OpenCV moves packed samples to the top of their 16 bits
    return samples


def _by_pillow(page: tifffile.TiffPage, data: bytes) -> tuple[Samples, Colours, Alpha, np.ndarray | None]:
    picture = TiffImagePlugin.TiffImageFile(io.BytesIO(_as_stored(page, data)))
    picture.load()
    match picture.mode:
        case "1" | "L":  # Pillow has turned "0 is white" round
            return np.array(picture.convert("L")), Colours.GREY, Alpha.NONE, None
        case "LA":
            return np.array(picture), Colours.GREY, Alpha.STRAIGHT, None
        case "RGBA":  # Pillow has divided premultiplied colours by their alpha
            return np.array(picture), Colours.RGB, Alpha.STRAIGHT, None
        case "CMYK":
            return np.array(picture), Colours.CMYK, Alpha.NONE, None
        case "RGB" | "P" | "YCbCr" | "RGBX":
            return np.array(picture.convert("RGB")), Colours.RGB, Alpha.NONE, None
    raise Unreadable(f"holds pixels of the kind {picture.mode}, which is not supported", SAVE_AS_PNG)


def _as_stored(page: tifffile.TiffPage, data: bytes) -> bytes:
    """The file with its orientation tag set to 1: libtiff's callers turn the picture, and so would we, once more."""
    tag = page.tags.get(_ORIENTATION)
    if tag is None or tag.count != 1:
        return data
    plain = bytearray(data)
    struct.pack_into(page.parent.byteorder + "H", plain, tag.valueoffset, 1)
    return bytes(plain)


def _palette(colormap: Samples) -> np.ndarray:
    """tifffile's (3, n) uint16 as (n, 3) uint8.

    Entries come from 8-bit ones times 257 or, by Pillow among others, times 256: the high byte is right for both. Some
    writers store the 8-bit values themselves, which libtiff tells in the same way.
    """
    if colormap.ndim != 2 or len(colormap) != 3:
        raise Unreadable("has a damaged palette")
    return (colormap.T if colormap.max() < 256 else colormap.T >> 8).astype(np.uint8)


def _declared_bits(page: tifffile.TiffPage) -> int | None:
    """The range that the file says its unsigned integers use, None for all of it."""
    bits = page.bitspersample
    if bits < 8:
        return None  # Pillow has scaled them
    if bits not in (8, 16, 32, 64):
        return int(bits)
    declared = significant_bits(page.description) if page.is_ome else None
    top = page.tags.valueof(_MAX_SAMPLE_VALUE)
    top = max(top) if isinstance(top, tuple) else top
    if declared is None and isinstance(top, int) and (top + 1).bit_count() == 1:
        declared = top.bit_length()
    return declared if declared is not None and bits == 16 and 8 < declared < 16 else None


def _ignored_channels(page: tifffile.TiffPage) -> tuple[str, ...]:
    colours = _CHANNELS.get(_COLOURS[page.photometric], 1)
    extra = page.samplesperpixel - colours
    used = 1 if page.extrasamples and int(page.extrasamples[0]) in _ALPHA else 0
    return (f"{extra - used} further channel(s) not shown",) if extra > used else ()


def _name(value: object) -> str:
    return str(getattr(value, "name", value))

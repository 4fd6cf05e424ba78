"""PNG: its chunks, and its pixels by OpenCV.

The chunks are walked here first, for three reasons: a picture that is cut short or damaged must be noticed before it is
decoded, the header must be known to check its size, and OpenCV gets the chunks that hold pixels and no others, so
that no metadata can change a colour or print to stderr.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import cv2
import numpy as np

from her2viewer.imaging.colour import Alpha, Colours, Raster, Samples
from her2viewer.imaging.faults import Unreadable, decoding
from her2viewer.imaging.header import Header
from her2viewer.imaging.orientation import exif_orientation

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6

# Pixel chunks handed to the decoder, and the metadata read here. Anything longer than the limit is no metadata.
_PIXEL_CHUNKS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_METADATA: Final = frozenset({b"eXIf", b"iCCP", b"acTL"})
_MAX_METADATA: Final = 16 * 2**20


def read_header(stream: BinaryIO) -> Header:
    """Size and orientation, reading chunk heads only. Raises Unreadable."""
    stream.seek(len(_SIGNATURE))
    ihdr, orientation = None, 1
    for name, length in _chunk_heads(stream):
        if name == b"IHDR":
            ihdr = stream.read(length)
        elif name == b"eXIf" and length <= _MAX_METADATA:
            orientation = exif_orientation(stream.read(length))
    width, height = _dimensions(ihdr)
    return Header("PNG", width, height, orientation)


def decode(data: bytes) -> Raster:
    """The default picture of a PNG, any colour type and depth. Raises Unreadable."""
    chunks = _Chunks.of(data)
    bits, colour_type = data[24], data[25]
    transparent = chunks.metadata.get(b"tRNS")
    plain = (bits, colour_type) == (8, _RGB) and transparent is None
    with decoding("PNG"):
        # Straight to RGB where nothing can be lost by it: turning a picture of a gigabyte round takes seconds.
        flags = cv2.IMREAD_COLOR_RGB if plain else cv2.IMREAD_UNCHANGED
        pixels = cv2.imdecode(np.frombuffer(chunks.for_decoder(data), np.uint8), flags)
        if pixels is None:
            raise Unreadable("the PNG data are damaged or incomplete")
        if plain:
            samples, colours, alpha = pixels, Colours.RGB, Alpha.NONE
        else:
            samples, colours, alpha = _in_rgb_order(pixels, colour_type, bits, transparent)
    return Raster(
        samples,
        colours,
        alpha,
        icc=_profile(chunks.metadata.get(b"iCCP")),
        orientation=exif_orientation(chunks.metadata.get(b"eXIf", b"")),
        notes=("animated PNG, only its still picture is shown",) if b"acTL" in chunks.metadata else (),
    )


def _chunk_heads(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(name, length) up to the last chunk; the stream stands at the chunk's data. Stops quietly at a cut."""
    while len(head := stream.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        after = stream.tell() + length + 4
        yield name, length
        if name == b"IEND":
            return
        stream.seek(after)


def _dimensions(ihdr: bytes | None) -> tuple[int, int]:
    if ihdr is None or len(ihdr) != 13:
        raise Unreadable("the PNG header is damaged")
    width, height = struct.unpack_from(">II", ihdr)
    return width, height


@dataclass
class _Chunks:
    """The parts of an intact PNG: pieces for the decoder, and metadata by name."""

    pixels: list[memoryview] = field(default_factory=list)
    metadata: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> "_Chunks":
        """Raises Unreadable where a chunk is cut short or its check sum is wrong."""
        found, view, stream = cls(), memoryview(data), io.BytesIO(data)
        stream.seek(len(_SIGNATURE))
        for name, length in _chunk_heads(stream):
            start = stream.tell()
            whole = view[start - 8 : start + length + 4]
            if len(whole) < length + 12:
                break
            if zlib.crc32(whole[4:-4]) != int.from_bytes(whole[-4:], "big"):
                raise Unreadable("the PNG data are damaged")
            if name in _PIXEL_CHUNKS:
                found.pixels.append(whole)
            if name == b"tRNS" or (name in _METADATA and length <= _MAX_METADATA):
                found.metadata.setdefault(name, bytes(whole[8:-4]))
            if name == b"IEND":
                return found
        raise Unreadable("the picture is cut short, its last part is missing")

    def for_decoder(self, data: bytes) -> bytes:
        """The file without what the decoder must not see; `data` itself, uncopied, where that is all of it."""
        length = len(_SIGNATURE) + sum(map(len, self.pixels))
        return data if length == len(data) else b"".join([_SIGNATURE, *self.pixels])


def _in_rgb_order(
    pixels: Samples, colour_type: int, bits: int, transparent: bytes | None
) -> tuple[Samples, Colours, Alpha]:
    """OpenCV's BGR back to what the file holds. OpenCV gives grey with alpha as four channels and ignores a grey's
    transparent value."""
    if pixels.ndim == 2:
        if colour_type == _GREY and transparent is not None and len(transparent) == 2:
            top = np.iinfo(pixels.dtype).max
            # Depths under 8 bit come out scaled to 0..255, and so must the value that they are compared with.
            key = int.from_bytes(transparent, "big") * (255 // (2**bits - 1) if bits < 8 else 1)
            return np.stack([pixels, (pixels != key) * pixels.dtype.type(top)], axis=-1), Colours.GREY, Alpha.STRAIGHT
        return pixels, Colours.GREY, Alpha.NONE
    if colour_type == _GREY_ALPHA:
        return pixels[..., [0, 3]], Colours.GREY, Alpha.STRAIGHT
    if pixels.shape[2] == 4:
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), Colours.RGB, Alpha.STRAIGHT
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), Colours.RGB, Alpha.NONE


def _profile(chunk: bytes | None) -> bytes | None:
    """The profile in an iCCP chunk: name, 0, method 0, zlib data. None where it is damaged or would be a bomb."""
    if chunk is None:
        return None
    _, _, rest = chunk.partition(b"\0")
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(rest[1:], _MAX_METADATA)
    except zlib.error:
        return None
    return profile if inflate.eof else None

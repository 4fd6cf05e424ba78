"""JPEG: its segments, and its pixels by OpenCV (CMYK by Pillow).

The segments are walked here first: OpenCV and Pillow both accept a picture whose last part is missing if only the end
marker is there, and show it grey.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import cv2
import numpy as np
from PIL import JpegImagePlugin

from her2viewer.imaging.colour import Colours, Raster, Samples
from her2viewer.imaging.faults import SAVE_AS_PNG, Unreadable, decoding
from her2viewer.imaging.header import Header
from her2viewer.imaging.orientation import exif_orientation

_EOI, _SOS, _APP1, _APP2 = 0xD9, 0xDA, 0xE1, 0xE2
_NO_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# Start of frame: all of C0 to CF but DHT (C4), JPG (C8) and DAC (CC). ITU T.81, table B.1.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What may follow a scan: DHT, EOI, SOS, DQT, DNL, DRI, APPn and COM.
_AFTER_SCAN: Final = frozenset({0xC4, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE})
_EXIF: Final = b"Exif\0\0"
_ICC: Final = b"ICC_PROFILE\0"

# A progressive picture has about ten scans. Each costs a pass over the whole picture, so thousands are an attack.
_MAX_SCANS: Final = 100

_GREY_OF_MISSING_DATA: Final = 128
_BLOCK: Final = 8


@dataclass
class _Segments:
    """What stands before the first scan."""

    frame: bytes = b""
    orientation: int = 1
    profile: dict[int, bytes] = field(default_factory=dict)
    profile_parts: int = 0

    @property
    def width(self) -> int:
        return int.from_bytes(self.frame[3:5], "big")

    @property
    def height(self) -> int:
        return int.from_bytes(self.frame[1:3], "big")

    @property
    def channels(self) -> int:
        return self.frame[5]

    @property
    def icc(self) -> bytes | None:
        """The profile put together from its parts, None where one is missing. ICC.1:2022, B.4."""
        if not self.profile or sorted(self.profile) != list(range(1, self.profile_parts + 1)):
            return None
        return b"".join(self.profile[part] for part in sorted(self.profile))


def read_header(stream: BinaryIO) -> Header:
    """Size and orientation, reading up to the first scan. Raises Unreadable."""
    found = _up_to_scan(stream)
    return Header("JPEG", found.width, found.height, found.orientation)


def decode(data: bytes) -> Raster:
    """The picture of a JPEG: grey, RGB (from YCbCr) or CMYK, 8 bit. Raises Unreadable."""
    stream = io.BytesIO(data)
    found = _up_to_scan(stream)
    end = _end_of_first_scan(data, stream.tell())
    if found.channels == 4:
        with decoding("JPEG"):
            picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
            picture.load()
            inks = np.array(picture)  # Pillow has turned Adobe's inverted inks round
        return Raster(inks, Colours.CMYK, icc=found.icc, orientation=found.orientation)
    # The orientation is ours to apply, once; cv2 would do it as well.
    flags = cv2.IMREAD_GRAYSCALE if found.channels == 1 else cv2.IMREAD_COLOR_RGB
    with decoding("JPEG"):
        samples: Samples | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if samples is None or samples.shape[:2] != (found.height, found.width):
            raise Unreadable("the JPEG data are damaged, incomplete or of a kind not supported")
        if _is_missing_grey(samples) and _wants_more_data(data, end):
            raise Unreadable("the picture is cut short, its last part is missing")
    colours = Colours.GREY if found.channels == 1 else Colours.RGB
    return Raster(samples, colours, icc=found.icc, orientation=found.orientation)


def _up_to_scan(stream: BinaryIO) -> _Segments:
    """Reads the segments up to the first scan's coded data, where the stream then stands."""
    found = _Segments()
    stream.seek(2)
    while (marker := _next_marker(stream)) is not None:
        if marker in _NO_LENGTH:
            continue
        length = int.from_bytes(stream.read(2), "big") - 2
        if marker == _EOI or length < 0:
            break
        body = stream.read(length)
        if len(body) < length:
            break
        if marker in _FRAMES:
            _check_frame(body)
            found.frame = body
        elif marker == _APP1 and body.startswith(_EXIF):
            found.orientation = exif_orientation(body)
        elif marker == _APP2 and body.startswith(_ICC) and length > len(_ICC) + 2:
            part, found.profile_parts = body[len(_ICC)], body[len(_ICC) + 1]
            found.profile.setdefault(part, body[len(_ICC) + 2 :])
        elif marker == _SOS and found.frame:
            return found
    raise Unreadable("the JPEG header is damaged or incomplete")


def _next_marker(stream: BinaryIO) -> int | None:
    byte = stream.read(1)
    if byte != b"\xff":
        return None
    while byte == b"\xff":
        byte = stream.read(1)
    return byte[0] if byte else None


def _check_frame(body: bytes) -> None:
    if len(body) < 6:
        raise Unreadable("the JPEG header is damaged")
    if body[0] != 8:
        raise Unreadable(f"is a JPEG of {body[0]} bits, which is not supported", SAVE_AS_PNG)
    if body[5] not in (1, 3, 4):
        raise Unreadable(f"is a JPEG of {body[5]} channels, which is not supported", SAVE_AS_PNG)


def _end_of_first_scan(data: bytes, position: int) -> int:
    """Where the first scan's coded data end. Raises Unreadable if the picture stops before its end marker."""
    first, scans = None, 1
    for start in _markers(data, position):
        if start < position:  # inside the segment of the marker before
            continue
        marker = data[start + 1]
        if marker not in _AFTER_SCAN:
            raise Unreadable("the JPEG data are damaged")
        first = start if first is None else first
        if marker == _EOI:
            return first
        scans += marker == _SOS
        if scans > _MAX_SCANS:
            raise Unreadable(f"holds more than {_MAX_SCANS} scans, which no ordinary JPEG does", SAVE_AS_PNG)
        position = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    raise Unreadable("the picture is cut short, its last part is missing")


def _markers(data: bytes, position: int) -> Iterator[int]:
    """Where each marker that ends a scan stands: FF and neither 00 (a coded byte), D0 to D7 (restart) nor FF (filling)."""
    # By numpy: a search by regular expression takes as long as the decoding.
    coded = np.frombuffer(data, np.uint8)
    after = np.flatnonzero(coded[position:-1] == 0xFF) + position + 1
    following = coded[after]
    ends = (following != 0x00) & (following != 0xFF) & ((following < 0xD0) | (following > 0xD7))
    yield from (after[ends] - 1).tolist()


def _is_missing_grey(samples: Samples) -> bool:
    """Whether the last block has the grey that libjpeg fills in where data are missing."""
    return bool((samples[-_BLOCK:, -_BLOCK:] == _GREY_OF_MISSING_DATA).all())


def _wants_more_data(data: bytes, end: int) -> bool:
    """Whether the decoder ran out of coded data: bytes added at their `end` are then decoded and change the picture.

    They change nothing in a whole picture that just happens to be grey there. By Pillow, which prints no warning.
    """
    more = bytes(range(1, 255)) * 4
    plain = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    longer = JpegImagePlugin.JpegImageFile(io.BytesIO(data[:end] + more + data[end:]))
    return not np.array_equal(np.asarray(plain), np.asarray(longer))

"""A finished picture becomes a file: PNG, TIFF or JPEG by its suffix."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from her2viewer import __version__
from her2viewer.errors import ExportError
from her2viewer.export.files import write_atomic

_SUFFIXES: Final = ".png, .tif, .tiff, .jpg or .jpeg"
_JPEG_LIMIT: Final = 65_500
"""Pixels a side; libjpeg's limit."""
_KEYWORD: Final = "HER2 Viewer"
_TIFF_X, _TIFF_Y, _TIFF_UNIT, _TIFF_SOFTWARE, _CENTIMETRE = 282, 283, 296, 305, 3


def save_picture(path: Path | str, rgb: NDArray[np.uint8], mpp: float | None = None, note: str = "") -> None:
    """Writes (h, w, 3) uint8 RGB as the suffix says, whole or not at all. mpp: micrometres per pixel, kept as the resolution.

    note: a text that a PNG carries and `read_note` finds; the other formats have none. PNG and TIFF keep every pixel; JPEG is of
    quality 92 without subsampling of colour. Raises ExportError.
    """
    path = Path(path)
    match path.suffix.lower():
        case ".png":
            data = png(rgb, mpp, note)
            with write_atomic(path) as file:
                file.write(data)
        case ".tif" | ".tiff":
            with write_atomic(path) as file:
                _write_tiff(file, rgb, mpp)
        case ".jpg" | ".jpeg":
            if max(rgb.shape[:2]) > _JPEG_LIMIT:
                raise ExportError(
                    f"a JPEG holds at most {_JPEG_LIMIT:,} pixels a side, this picture is {rgb.shape[1]} x {rgb.shape[0]}",
                    path=path,
                    remedy="save it as TIFF",
                )
            with write_atomic(path) as file:
                _write_jpeg(file, rgb, mpp)
        case suffix:
            raise ExportError(
                f"a picture cannot be written as {suffix!r}"
                if suffix
                else "the name has no suffix that tells the format",
                path=path,
                remedy=f"end the name in {_SUFFIXES}",
            )


def read_note(path: Path | str) -> tuple[NDArray[np.uint8], str]:
    """A PNG that `save_picture` wrote, (h, w, 3) uint8 RGB, and its note, empty where it has none. Raises ExportError."""
    path = Path(path)
    try:
        with Image.open(path, formats=("PNG",)) as opened:
            note = getattr(opened, "text", {}).get(_KEYWORD, "")
            return np.asarray(opened.convert("RGB"), np.uint8), str(note)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ExportError(
            "the picture cannot be read", path=path, remedy="score the pair again with its overlay"
        ) from error


def png(rgb: NDArray[np.uint8], mpp: float | None = None, note: str = "") -> bytes:
    """(h, w, 3) uint8 RGB as the bytes of a PNG. mpp: micrometres per pixel, kept as the resolution; note: kept as text."""
    # OpenCV at level 1 with the "up" filter and run lengths: an eighth of the time of Pillow's default, and 10% larger.
    options = [
        *(cv2.IMWRITE_PNG_COMPRESSION, 1),
        *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP),
        *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    ]
    _, coded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    data = coded.tobytes()
    header, chunks = 8 + 25, b""  # signature and IHDR, after which pHYs may stand (PNG, section 11.3.4.3)
    if mpp is not None:
        per_metre = min(round(1e6 / mpp), 2**31 - 1)
        chunks += _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if note:
        chunks += _chunk(b"iTXt", _KEYWORD.encode() + bytes(5) + note.encode())
    return data[:header] + chunks + data[header:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _write_tiff(file: BinaryIO, rgb: NDArray[np.uint8], mpp: float | None) -> None:
    tifffile.imwrite(
        file,
        rgb,
        photometric="rgb",
        compression="zlib",
        compressionargs={"level": 1},
        predictor=True,
        rowsperstrip=64,
        resolution=None if mpp is None else (1e4 / mpp, 1e4 / mpp),
        resolutionunit=None if mpp is None else "CENTIMETER",
        software=f"HER2 Viewer {__version__}",
        metadata=None,
    )


def _write_jpeg(file: BinaryIO, rgb: NDArray[np.uint8], mpp: float | None) -> None:
    exif = Image.Exif()
    exif[_TIFF_SOFTWARE] = f"HER2 Viewer {__version__}"
    if mpp is not None:
        # In EXIF, since JFIF has 16 bits for it: at 0.25 um a pixel, 101,600 dots per inch.
        exif[_TIFF_X] = exif[_TIFF_Y] = IFDRational(round(1e7 / mpp), 1000)
        exif[_TIFF_UNIT] = _CENTIMETRE
    Image.fromarray(rgb).save(file, "JPEG", quality=92, subsampling=0, exif=exif)

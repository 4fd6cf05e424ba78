"""BMP and WebP, by Pillow.

Pillow's plugin classes are called themselves and not through `Image.open`: its guard against huge pictures is a global
that warns from 89 million pixels on. It stays as it is for everybody else; here `header.check_limit` has come before.
"""

import io
from typing import BinaryIO

import numpy as np
from PIL import BmpImagePlugin, ImageFile, WebPImagePlugin

from her2viewer.imaging.colour import Alpha, Colours, Raster
from her2viewer.imaging.faults import Unreadable, decoding
from her2viewer.imaging.header import Header
from her2viewer.imaging.orientation import exif_orientation


def read_bmp_header(stream: BinaryIO) -> Header:
    """Size, without decoding. Raises Unreadable."""
    stream.seek(0)
    with decoding("BMP"):
        picture = BmpImagePlugin.BmpImageFile(stream)
        return Header("BMP", *picture.size)


def decode_bmp(data: bytes) -> Raster:
    """A BMP of any depth that Pillow reads. Raises Unreadable."""
    with decoding("BMP"):
        return _raster(BmpImagePlugin.BmpImageFile(io.BytesIO(data)))


def read_webp_header(stream: BinaryIO) -> Header:
    """Size and orientation; a WebP is at most 16,383 pixels a side. Raises Unreadable."""
    stream.seek(0)
    with decoding("WebP"):
        picture = WebPImagePlugin.WebPImageFile(stream)
        return Header("WebP", *picture.size, exif_orientation(picture.info.get("exif", b"")))


def decode_webp(data: bytes) -> Raster:
    """The first frame of a WebP. Raises Unreadable."""
    with decoding("WebP"):
        # The length in the RIFF header tells a cut file, which the decoder's "incomplete" cannot tell from a bad one.
        if len(data) < int.from_bytes(data[4:8], "little") + 8:
            raise Unreadable("the picture is cut short, its last part is missing")
        picture = WebPImagePlugin.WebPImageFile(io.BytesIO(data))
        frames = getattr(picture, "n_frames", 1)
        return _raster(picture, ("animated WebP, only its first picture is shown",) if frames > 1 else ())


def _raster(picture: ImageFile.ImageFile, notes: tuple[str, ...] = ()) -> Raster:
    picture.load()
    alpha = Alpha.STRAIGHT if picture.mode == "RGBA" else Alpha.NONE
    still = picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("L" if picture.mode == "1" else "RGB")
    return Raster(
        np.array(still),
        Colours.GREY if still.mode == "L" else Colours.RGB,
        alpha,
        icc=picture.info.get("icc_profile"),
        orientation=exif_orientation(picture.info.get("exif", b"")),
        notes=notes,
    )

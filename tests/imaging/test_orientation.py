from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from her2viewer.imaging.opening import open_image, probe
from her2viewer.imaging.orientation import exif_orientation, upright
from her2viewer.imaging.source import ImageSource
from tests.imaging.pictures import chunk, encoded, exif, tiff, tissue

Opened = Callable[..., ImageSource]
ALL = range(1, 9)


def expected(orientation: int, image: np.ndarray) -> np.ndarray:
    """By Pillow, whose reading of the standard is not ours."""
    picture = Image.fromarray(image)
    picture.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(picture))


def with_png_exif(data: bytes, orientation: int, *, late: bool) -> bytes:
    block = chunk(b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))
    at = len(data) - 12 if late else 33
    return data[:at] + block + data[at:]


@pytest.mark.parametrize("orientation", ALL)
def test_the_turns_are_those_of_the_standard(orientation: int) -> None:
    image = tissue(5, 9)
    assert np.array_equal(upright(image, orientation), expected(orientation, image))
    assert upright(image, orientation).flags.c_contiguous


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("kind", ["PNG", "PNG, late", "WebP", "TIFF", "TIFF, LZW", "TIFF, 16 bit LZW"])
def test_each_format_is_turned_once(tmp_path: Path, kind: str, orientation: int) -> None:
    image = tissue(20, 33)
    if kind.startswith("PNG"):
        data = with_png_exif(encoded(image, "PNG"), orientation, late="late" in kind)
    elif kind == "WebP":
        data = encoded(image, "WebP", lossless=True, exif=exif(orientation))
    elif kind == "TIFF":
        data = tiff(image, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    elif kind == "TIFF, LZW":
        data = encoded(image, "TIFF", compression="tiff_lzw", tiffinfo={274: orientation})
    else:
        grey = image[..., 0]
        image = np.repeat(grey[..., None], 3, axis=2)
        data = encoded(grey.astype(np.uint16) * 257, "TIFF", compression="tiff_lzw", tiffinfo={274: orientation})
    check(tmp_path, data, expected(orientation, image), orientation, 0)


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_is_turned_once(tmp_path: Path, mode: str, orientation: int) -> None:
    picture = Image.fromarray(tissue(24, 40)).convert(mode)
    data = encoded(picture, "JPEG", quality=98, subsampling=0, exif=exif(orientation))
    check(tmp_path, data, expected(orientation, np.asarray(picture.convert("RGB"))), orientation, 12)


def check(folder: Path, data: bytes, wanted: np.ndarray, orientation: int, tolerance: int) -> None:
    path = folder / "picture"
    path.write_bytes(data)
    with open_image(path) as source:
        assert source.size == (wanted.shape[1], wanted.shape[0]) == probe(path).size
        image = source.read(0, 0, 0, *source.size)
        assert np.abs(image.astype(int) - wanted).max() <= tolerance
        said = [note for note in source.notes if "orientation" in note]
        assert said == ([f"turned upright (EXIF orientation {orientation})"] if orientation > 1 else [])


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_what_the_standard_does_not_know_is_left_as_stored(opened: Opened, orientation: int) -> None:
    source = opened(encoded(tissue(), "JPEG", exif=exif(orientation)))
    assert (source.size, source.notes) == ((64, 48), ())


def test_a_damaged_block_turns_nothing() -> None:
    whole = exif(6)
    assert exif_orientation(whole) == exif_orientation(whole.removeprefix(b"Exif\0\0")) == 6
    for end in range(len(whole) - 4):
        assert exif_orientation(whole[:end]) in (1, 6)
    assert exif_orientation(b"") == exif_orientation(b"Exif\0\0junk of some length") == 1
    assert exif_orientation(b"II*\0\xff\xff\xff\xff") == 1

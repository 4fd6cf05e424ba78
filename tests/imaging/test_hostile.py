"""Damaged bytes of every format: a picture or an `ImageError`, soon, and nothing else."""

import contextlib
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from her2viewer.errors import ImageError
from her2viewer.imaging.opening import open_image, probe
from tests.imaging.pictures import encoded, exif, tiff, tissue
from tests.imaging.profiles import wide_gamut_profile

Make = Callable[[], bytes]

SMALL = tissue(24, 20)
SEEDS: dict[str, Make] = {
    "PNG": lambda: encoded(SMALL, "PNG", icc_profile=wide_gamut_profile()),
    "PNG palette": lambda: encoded(Image.fromarray(SMALL).quantize(8), "PNG", transparency=3),
    "JPEG": lambda: encoded(SMALL, "JPEG", exif=exif(6), icc_profile=wide_gamut_profile()),
    "JPEG progressive": lambda: encoded(SMALL, "JPEG", progressive=True),
    "JPEG CMYK": lambda: encoded(Image.fromarray(SMALL).convert("CMYK"), "JPEG"),
    "TIFF": lambda: tiff(SMALL, photometric="rgb", rowsperstrip=5),
    "TIFF deflate tiles": lambda: tiff(SMALL, photometric="rgb", compression="zlib", tile=(16, 16)),
    "TIFF OME": lambda: tiff(
        SMALL[..., 0].astype(np.uint16), ome=True, metadata={"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    ),
    "TIFF ImageJ": lambda: tiff(SMALL, imagej=True, resolution=(4, 4), metadata={"unit": "um"}),
    "TIFF float": lambda: tiff(SMALL.astype(np.float32), photometric="rgb"),
    "TIFF LZW": lambda: encoded(SMALL, "TIFF", compression="tiff_lzw"),
    "TIFF LZW 16": lambda: encoded(SMALL[..., 0].astype(np.uint16), "TIFF", compression="tiff_lzw"),
    "TIFF JPEG": lambda: encoded(SMALL, "TIFF", compression="jpeg"),
    "TIFF palette": lambda: encoded(Image.fromarray(SMALL).quantize(8), "TIFF"),
    "BMP": lambda: encoded(SMALL, "BMP"),
    "BMP palette": lambda: encoded(Image.fromarray(SMALL).quantize(8), "BMP"),
    "WebP": lambda: encoded(SMALL, "WebP", exif=exif(3)),
    "WebP lossless": lambda: encoded(SMALL, "WebP", lossless=True, icc_profile=wide_gamut_profile()),
}
SECONDS = 5.0
MAX_PIXELS = 4_000_000


@cache
def seed(name: str) -> bytes:
    return SEEDS[name]()


@st.composite
def damaged(draw: st.DrawFn, name: str) -> bytes:
    """A real file with a few bytes changed, most of them in its first part, and now and then cut, grown or spliced."""
    data = bytearray(seed(name))
    near = min(len(data), 400)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(
            st.one_of(
                st.integers(0, near - 1), st.integers(0, len(data) - 1), st.integers(len(data) - near, len(data) - 1)
            )
        )
        data[at] = draw(st.one_of(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), st.integers(0, 255)))
    match draw(st.integers(0, 5)):
        case 0:
            del data[draw(st.integers(0, len(data))) :]
        case 1:
            at, length = draw(st.integers(0, len(data))), draw(st.integers(1, 200))
            del data[at : at + length]
        case 2:
            at = draw(st.integers(0, len(data)))
            data[at:at] = draw(st.binary(max_size=60))
    return bytes(data)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_open_or_are_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(data.draw(damaged(name)))
    start = time.perf_counter()
    with contextlib.suppress(ImageError):
        probe(path)
    try:
        with open_image(path, max_pixels=MAX_PIXELS) as source:
            width, height = source.size
            assert 0 < width * height <= MAX_PIXELS
            assert source.read(len(source.levels) - 1, 0, 0, 8, 8).shape == (8, 8, 3)
    except ImageError as error:
        assert error.what and error.remedy and error.path == path
    assert time.perf_counter() - start < SECONDS


@pytest.mark.parametrize("name", SEEDS)
def test_a_cut_at_any_place_is_refused_or_the_picture_is_whole(tmp_path: Path, name: str) -> None:
    """The last bytes of some formats are padding or metadata; without them the picture must be the same."""
    whole, path = seed(name), tmp_path / "picture"
    path.write_bytes(whole)
    with open_image(path) as source:
        expected = source.read(0, 0, 0, *source.size)
    for end in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:end])
        try:
            with open_image(path) as source:
                assert np.array_equal(source.read(0, 0, 0, *source.size), expected), f"cut at {end} of {len(whole)}"
        except ImageError:
            pass


@given(data=st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize(
    "start", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0+", b"BM", b"RIFF\xff\0\0\0WEBP"]
)
def test_noise_behind_a_right_beginning_is_refused(tmp_path: Path, start: bytes, data: bytes) -> None:
    path = tmp_path / "picture"
    path.write_bytes(start + data)
    with pytest.raises(ImageError):
        open_image(path, max_pixels=MAX_PIXELS)

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from her2viewer.errors import ImageError
from her2viewer.imaging.jpeg import _markers
from her2viewer.imaging.opening import open_image
from her2viewer.imaging.source import ImageSource, RGBImage
from tests.imaging.pictures import encoded, tissue
from tests.imaging.profiles import gamma_profile, ink_profile, wide_gamut_profile

Opened = Callable[..., ImageSource]

# Two builds of libjpeg may round differently; the ones that Pillow and OpenCV bring today do not.
DECODERS_DIFFER_BY = 2


def pixels(source: ImageSource) -> RGBImage:
    return source.read(0, 0, 0, *source.size)


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("restart", [0, 3])
def test_pillow_sees_the_same(opened: Opened, progressive: bool, subsampling: int, restart: int) -> None:
    options = {"progressive": progressive, "subsampling": subsampling, "restart_marker_blocks": restart}
    data = encoded(tissue(51, 67), "JPEG", quality=90, **options)
    source = opened(data)
    assert (source.format, source.size, source.notes, source.mpp) == ("JPEG", (67, 51), (), None)
    assert np.abs(pixels(source) - by_pillow(data)).max() <= DECODERS_DIFFER_BY


def test_grey(opened: Opened) -> None:
    data = encoded(tissue()[..., 0], "JPEG")
    assert np.abs(pixels(opened(data)) - by_pillow(data)).max() <= DECODERS_DIFFER_BY


def test_rgb_that_is_stored_as_rgb(opened: Opened) -> None:
    data = encoded(tissue(), "JPEG", quality=100, keep_rgb=True)
    assert np.abs(pixels(opened(data)).astype(int) - tissue()).max() <= 4


def test_adobes_inverted_cmyk_comes_out_by_the_plain_formula(opened: Opened) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8] = [0, 255, 0, 0]
    inks[:, 8:] = [0, 0, 0, 128]
    data = encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, subsampling=0)
    assert b"Adobe" in data  # Pillow writes them inverted, with Adobe's marker
    source = opened(data)
    assert np.abs(pixels(source)[0, 0].astype(int) - [255, 0, 255]).max() <= 3
    assert np.abs(pixels(source)[0, -1].astype(int) - 127).max() <= 3
    assert source.notes == ("CMYK turned into RGB by the plain formula; colours are approximate",)


def test_cmyk_with_a_profile_goes_through_it(opened: Opened) -> None:
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8] = [0, 255, 0, 0]
    source = opened(encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, icc_profile=ink_profile()))
    assert source.notes == ("converted from CMYK to sRGB by the embedded colour profile",)
    magenta, paper = pixels(source)[0, 0].astype(int), pixels(source)[0, -1].astype(int)
    assert paper.min() >= 250
    assert magenta[0] > magenta[1] + 40 and magenta[1] > 50  # the profile's pale pink, not the formula's 255, 0, 255


def test_embedded_profiles_of_colour_and_grey(opened: Opened) -> None:
    data = encoded(tissue(), "JPEG", icc_profile=wide_gamut_profile())
    source = opened(data)
    assert source.notes == ("converted from RGB to sRGB by the embedded colour profile",)
    assert np.abs(pixels(source) - by_pillow(data)).max() > 5
    grey = opened(encoded(tissue()[..., 0], "JPEG", icc_profile=gamma_profile(1.0)), "grey")
    assert grey.notes == ("converted from grey to sRGB by the embedded colour profile",)


def test_a_profile_in_several_segments_is_put_together(opened: Opened) -> None:
    profile = wide_gamut_profile()
    half = len(profile) // 2
    data = encoded(tissue(), "JPEG")
    parts = [
        b"\xff\xe2" + struct.pack(">H", len(part) + 16) + b"ICC_PROFILE\0" + bytes([number, 2]) + part
        for number, part in ((2, profile[half:]), (1, profile[:half]))
    ]
    whole = opened(data[:2] + b"".join(parts) + data[2:])
    assert "embedded colour profile" in whole.notes[0]
    missing = opened(data[:2] + parts[0] + data[2:], "missing")
    assert missing.notes == () and np.array_equal(pixels(missing), pixels(opened(data, "plain")))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("kept", [0.99, 0.7, 0.3, 0.05])
def test_a_cut_picture_is_refused(opened: Opened, progressive: bool, kept: float) -> None:
    data = encoded(tissue(200, 200), "JPEG", progressive=progressive)
    with pytest.raises(ImageError, match=r"cut short|damaged"):
        opened(data[: int(len(data) * kept)])


@pytest.mark.parametrize("kept", [0.9, 0.6, 0.3])
def test_a_cut_picture_with_an_end_marker_put_on_is_refused(opened: Opened, kept: float) -> None:
    data = encoded(tissue(200, 200), "JPEG")
    start = data.index(b"\xff\xda") + 14
    with pytest.raises(ImageError, match="cut short"):
        opened(data[: start + int((len(data) - start) * kept)] + b"\xff\xd9")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_whole_picture_that_is_that_grey_is_no_cut_one(opened: Opened, progressive: bool) -> None:
    image = tissue(64, 64)
    image[32:] = 128
    data = encoded(image, "JPEG", progressive=progressive)
    assert (pixels(opened(data))[-8:] == 128).all()


def test_what_follows_the_picture_is_ignored(opened: Opened) -> None:
    data = encoded(tissue(), "JPEG")
    assert np.array_equal(pixels(opened(data + data[: len(data) // 2])), pixels(opened(data, "plain")))


def test_an_end_marker_in_a_thumbnail_does_not_hide_a_cut(opened: Opened) -> None:
    data = encoded(tissue(200, 200), "JPEG", exif=b"Exif\0\0" + encoded(tissue(8, 8), "JPEG"))
    assert opened(data, "whole").size == (200, 200)
    with pytest.raises(ImageError, match="cut short"):
        opened(data[:-300])


def test_thousands_of_scans_are_refused(opened: Opened) -> None:
    data = encoded(tissue(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="scans"):
        opened(data[:last] + data[last:-2] * 200 + b"\xff\xd9")


def test_other_depths_and_channels_are_refused_in_words(opened: Opened) -> None:
    data = bytearray(encoded(tissue(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 4] = 12
    with pytest.raises(ImageError, match="JPEG of 12 bits"):
        opened(bytes(data))
    data[frame + 4], data[frame + 9] = 8, 2
    with pytest.raises(ImageError, match="JPEG of 2 channels"):
        opened(bytes(data))


def test_markers_are_told_from_coded_bytes() -> None:
    coded = b"\x01\xff\x00\xff\xd0\xff\xd7\xff\xff\xd9\xff\xda\xff"
    assert list(_markers(coded, 0)) == [8, 10]
    assert list(_markers(coded, 9)) == [10]


def test_bcis_files_open_by_content_and_pillow_agrees(shared_data: Path) -> None:
    formats = set()
    for path in sorted(shared_data.glob("bci/*/*/*.png")):
        with open_image(path) as source:
            formats.add(source.format)
            assert (source.size, source.notes) == ((1024, 1024), ())
            assert np.abs(pixels(source) - by_pillow(path.read_bytes())).max() <= DECODERS_DIFFER_BY
    assert "JPEG" in formats

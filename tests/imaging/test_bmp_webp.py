import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from her2viewer.errors import ImageError
from her2viewer.imaging.source import ImageSource, RGBImage
from tests.imaging.pictures import encoded, tissue
from tests.imaging.profiles import wide_gamut_profile

Opened = Callable[..., ImageSource]


def pixels(source: ImageSource) -> RGBImage:
    return source.read(0, 0, 0, *source.size)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_mode_of_bmp(opened: Opened, mode: str) -> None:
    picture = Image.fromarray(tissue())
    picture = picture.quantize(16) if mode == "P" else picture.convert(mode)
    source = opened(encoded(picture, "BMP"))
    assert (source.format, source.size, source.notes) == ("BMP", (64, 48), ())
    assert np.array_equal(pixels(source), np.asarray(picture.convert("RGB")))


def test_a_bmp_with_alpha_goes_over_white(opened: Opened) -> None:
    rgba = np.array([[[100, 50, 0, 128], [1, 2, 3, 255]]], np.uint8)
    header = struct.pack("<IiiHHIIiiII", 108, 2, 1, 1, 32, 3, 8, 2835, 2835, 0, 0)
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(108 - 40 - 16)
    data = (
        b"BM" + struct.pack("<IHHI", 14 + 108 + 8, 0, 0, 14 + 108) + header + masks + rgba[..., [2, 1, 0, 3]].tobytes()
    )
    source = opened(data)
    assert pixels(source).tolist() == [[[177, 152, 127], [1, 2, 3]]]
    assert source.notes == ("transparency laid over white",)


def test_a_bmp_from_the_top_down(opened: Opened) -> None:
    data = bytearray(encoded(tissue(), "BMP"))
    struct.pack_into("<i", data, 22, -48)
    assert np.array_equal(pixels(opened(bytes(data))), tissue()[::-1])


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
@pytest.mark.parametrize("kind", ["BMP", "WebP"])
def test_a_cut_picture_is_refused(opened: Opened, kind: str, kept: float) -> None:
    data = encoded(tissue(200, 200), kind)
    with pytest.raises(ImageError):
        opened(data[: int(len(data) * kept)])


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_as_pillow_sees_it(opened: Opened, lossless: bool) -> None:
    data = encoded(tissue(), "WebP", lossless=lossless)
    source = opened(data)
    assert (source.format, source.size, source.notes) == ("WebP", (64, 48), ())
    assert np.array_equal(pixels(source), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_webp_with_alpha_and_with_a_profile(opened: Opened) -> None:
    rgba = tissue(channels=4)
    source = opened(encoded(rgba, "WebP", lossless=True, exact=True))
    alpha = rgba[..., 3:] / 255
    assert np.abs(pixels(source) - (rgba[..., :3] * alpha + 255 * (1 - alpha))).max() <= 0.5
    profiled = opened(encoded(tissue(), "WebP", lossless=True, icc_profile=wide_gamut_profile()), "icc")
    assert profiled.notes == ("converted from RGB to sRGB by the embedded colour profile",)


def test_an_animation_shows_its_first_picture(opened: Opened) -> None:
    frames = [Image.fromarray(tissue(seed=i)) for i in range(3)]
    source = opened(encoded(frames[0], "WebP", lossless=True, save_all=True, append_images=frames[1:]))
    assert np.array_equal(pixels(source), tissue())
    assert source.notes == ("animated WebP, only its first picture is shown",)

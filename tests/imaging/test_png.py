import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from her2viewer.errors import ImageError
from her2viewer.imaging.source import ImageSource, RGBImage
from tests.imaging.pictures import chunk, encoded, png, tissue
from tests.imaging.profiles import wide_gamut_profile

Opened = Callable[..., ImageSource]


def pixels(source: ImageSource) -> RGBImage:
    return source.read(0, 0, 0, *source.size)


def test_rgb_is_kept_to_the_bit(opened: Opened) -> None:
    source = opened(encoded(tissue(), "PNG"))
    assert (source.format, source.size, source.notes, source.mpp) == ("PNG", (64, 48), (), None)
    assert np.array_equal(pixels(source), tissue())


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_grey_of_every_depth_up_to_8(opened: Opened, bits: int) -> None:
    values = np.arange(2**bits, dtype=np.uint8).repeat(8)[None, :].repeat(2, axis=0)
    lines = np.unpackbits(values[..., None], axis=2)[:, :, -bits:].reshape(2, -1)
    source = opened(png(values.shape[1], 2, bits, 0, np.packbits(lines, axis=1).tobytes()))
    expected = np.rint(values * (255 / (2**bits - 1))).astype(np.uint8)
    assert np.array_equal(pixels(source), np.repeat(expected[..., None], 3, axis=2)) and source.notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_pillow_sees_the_same(opened: Opened, mode: str) -> None:
    picture = Image.fromarray(tissue()).quantize(16) if mode == "P" else Image.fromarray(tissue()).convert(mode)
    source = opened(encoded(picture, "PNG"))
    assert np.array_equal(pixels(source), np.asarray(picture.convert("RGB"))) and source.notes == ()


@pytest.mark.parametrize("colour_type", [0, 2, 4, 6])
def test_16_bit_is_scaled_and_not_cut(opened: Opened, colour_type: int) -> None:
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    samples = np.random.default_rng(0).integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    if channels in (2, 4):
        samples[..., -1] = 65535
    source = opened(png(7, 5, 16, colour_type, samples.astype(">u2").tobytes()))
    colours = samples[..., : 1 if channels < 3 else 3]
    expected = np.floor(colours / 257 + 0.5).astype(np.uint8)
    assert np.array_equal(pixels(source), np.broadcast_to(expected, (5, 7, 3)))
    assert source.notes == ("16-bit samples scaled to 8 bit (65535 becomes 255)",)


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    part = alpha[..., None] / 255
    return np.floor(colour * part + 255 * (1 - part) + 0.5).astype(np.uint8)


def test_rgba_and_la_go_over_white(opened: Opened) -> None:
    rgba, la = tissue(channels=4), tissue(channels=2)
    source = opened(encoded(rgba, "PNG"))
    assert np.array_equal(pixels(source), over_white(rgba[..., :3], rgba[..., 3]))
    assert source.notes == ("transparency laid over white",)
    grey = opened(encoded(Image.merge("LA", [Image.fromarray(la[..., i]) for i in (0, 1)]), "PNG"), "la")
    assert np.array_equal(pixels(grey), over_white(la[..., [0, 0, 0]], la[..., 1]))


def test_transparent_palette_entries_go_over_white(opened: Opened) -> None:
    picture = Image.fromarray(tissue()).quantize(8)
    source = opened(encoded(picture, "PNG", transparency=bytes([0, 128])))
    colours = np.asarray(picture.convert("RGB"))
    alpha = np.array([0, 128, *[255] * 254])[np.asarray(picture)]
    assert np.array_equal(pixels(source), over_white(colours, alpha))


@pytest.mark.parametrize(("bits", "key"), [(4, 5), (8, 100), (16, 30000)])
def test_a_transparent_grey_becomes_white(opened: Opened, bits: int, key: int) -> None:
    other = key // 2
    row = struct.pack(">HH", key, other) if bits == 16 else bytes([key << 4 | other] if bits == 4 else [key, other])
    source = opened(png(2, 1, bits, 0, row, (b"tRNS", struct.pack(">H", key))))
    assert pixels(source)[0, :, 0].tolist() == [255, round(other * 255 / (2**bits - 1))]


def test_a_transparent_colour_becomes_white(opened: Opened) -> None:
    source = opened(png(2, 1, 8, 2, bytes([1, 2, 3, 4, 5, 6]), (b"tRNS", struct.pack(">HHH", 1, 2, 3))))
    assert pixels(source).tolist() == [[[255, 255, 255], [4, 5, 6]]]


def test_an_interlaced_picture(opened: Opened) -> None:
    passes = b"".join(b"\0" + bytes([v, v, v]) for v in (10, 20))  # Adam7: 2 x 1 pixels are passes 1 and 6
    ihdr = struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 1)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(passes)) + chunk(b"IEND", b"")
    assert pixels(opened(data))[0, :, 0].tolist() == [10, 20]


def test_an_embedded_profile_is_used_and_srgb_is_not(opened: Opened) -> None:
    wide = opened(encoded(tissue(), "PNG", icc_profile=wide_gamut_profile()))
    assert not np.array_equal(pixels(wide), tissue()) and "colour profile" in wide.notes[0]
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = opened(encoded(tissue(), "PNG", icc_profile=srgb), "srgb")
    assert np.array_equal(pixels(same), tissue()) and same.notes == ()


def test_a_profile_that_would_unpack_without_end_is_left_alone(opened: Opened) -> None:
    bomb = b"x\0\0" + zlib.compress(bytes(64 * 2**20))
    source = opened(png(1, 1, 8, 2, b"\1\2\3", (b"iCCP", bomb)))
    assert pixels(source).tolist() == [[[1, 2, 3]]]


def test_gamma_and_resolution_tags_change_nothing(opened: Opened) -> None:
    tags = ((b"gAMA", struct.pack(">I", 100000)), (b"pHYs", struct.pack(">IIB", 4000000, 4000000, 1)))
    source = opened(png(1, 1, 8, 2, b"\1\2\3", *tags))
    assert pixels(source).tolist() == [[[1, 2, 3]]] and source.mpp is None


def test_an_animation_shows_its_still_picture(opened: Opened) -> None:
    first, second = Image.fromarray(tissue()), Image.fromarray(tissue(seed=1))
    source = opened(encoded(first, "PNG", save_all=True, append_images=[second]))
    assert np.array_equal(pixels(source), tissue())
    assert source.notes == ("animated PNG, only its still picture is shown",)


@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5, 0.1])
def test_a_cut_picture_is_refused(opened: Opened, kept: float) -> None:
    data = encoded(tissue(), "PNG")
    with pytest.raises(ImageError, match=r"cut short|damaged"):
        opened(data[: int(len(data) * kept)])


def test_every_single_lost_byte_at_the_end_is_noticed(opened: Opened) -> None:
    data = encoded(tissue(8, 8), "PNG")
    for missing in range(1, 40):
        with pytest.raises(ImageError):
            opened(data[:-missing])


def test_a_changed_byte_is_refused_before_the_decoder_can_print(
    opened: Opened, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(encoded(tissue(), "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(ImageError, match="damaged"):
        opened(bytes(data))
    assert capfd.readouterr().err == ""


def test_pixels_that_stop_early_behind_right_check_sums_are_refused(
    opened: Opened, capfd: pytest.CaptureFixture[str]
) -> None:
    ihdr = struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)
    half = zlib.compress(bytes(28) * 4)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", half) + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match="damaged or incomplete"):
        opened(data)
    assert "WARN" not in capfd.readouterr().err


def test_what_follows_the_picture_is_ignored(opened: Opened) -> None:
    assert np.array_equal(pixels(opened(encoded(tissue(), "PNG") + b"more")), tissue())


def test_an_empty_side_is_refused(opened: Opened) -> None:
    with pytest.raises(ImageError, match="0 x 5 pixels"):
        opened(png(0, 5, 8, 2, b""))


def test_pillow_agrees_on_real_files(opened: Opened, shared_data: Path) -> None:
    for path in sorted(shared_data.glob("stains/*.png")):
        data = path.read_bytes()
        picture = Image.open(io.BytesIO(data)).convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        expected = np.asarray(Image.alpha_composite(white, picture).convert("RGB")).astype(int)
        assert np.abs(pixels(opened(data)) - expected).max() <= 1

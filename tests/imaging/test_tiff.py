import logging
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from her2viewer.errors import ImageError
from her2viewer.imaging.source import ImageSource, RGBImage
from tests.imaging.pictures import encoded, tiff, tissue
from tests.imaging.profiles import ink_profile, wide_gamut_profile

Opened = Callable[..., ImageSource]
SIXTEEN = ("16-bit samples scaled to 8 bit (65535 becomes 255)",)


def pixels(source: ImageSource) -> RGBImage:
    return source.read(0, 0, 0, *source.size)


def deep(channels: int = 3, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).integers(0, 65536, (20, 30, channels), dtype=np.uint16)
    return samples if channels > 1 else samples[..., 0]


def scaled(samples: np.ndarray, top: int = 65535) -> np.ndarray:
    return np.floor(samples.astype(float) * 255 / top + 0.5).clip(0, 255).astype(np.uint8)


def tags(values: dict[int, tuple[int, list[int]]], data: bytes) -> bytes:
    """A little-endian TIFF of exactly these tags: (type 3 short or 4 long, values); `data` starts at byte 8."""
    entries, after = b"", b""
    place = 8 + len(data) + 2 + 12 * len(values) + 4
    for tag, (kind, numbers) in sorted(values.items()):
        content = struct.pack(f"<{len(numbers)}{'HI'[kind - 3]}", *numbers)
        if len(content) > 4:
            content, after = struct.pack("<I", place + len(after)), after + content
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + content.ljust(4, b"\0")
    directory = struct.pack("<H", len(values)) + entries + bytes(4) + after
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


def plain_tags(width: int, height: int, bits: int, photometric: int, data: bytes, **more: object) -> bytes:
    one = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits]), 259: (3, [1]), 262: (3, [photometric])}
    one |= {273: (4, [8]), 277: (3, [1]), 278: (4, [height]), 279: (4, [len(data)])}
    return tags(one | more.get("tags", {}), data)  # type: ignore[operator]


@pytest.mark.parametrize("compression", [None, "zlib", "packbits"])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"planarconfig": "separate"}, {"bigtiff": True}])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_rgb_is_kept_to_the_bit(opened: Opened, compression: str, layout: dict[str, object], byteorder: str) -> None:
    image = tissue()
    samples = np.moveaxis(image, -1, 0) if "planarconfig" in layout else image
    if compression == "packbits":  # tifffile cannot write it without its codecs, Pillow can
        data = encoded(image, "TIFF", compression=compression)
    else:
        data = tiff(samples, photometric="rgb", compression=compression, byteorder=byteorder, **layout)
    source = opened(data)
    assert (source.format, source.size, source.notes, source.mpp) == ("TIFF", (64, 48), (), None)
    assert np.array_equal(pixels(source), image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "lzma", "zstd"])
def test_every_mode_that_pillow_writes(opened: Opened, mode: str, compression: str) -> None:
    picture = Image.fromarray(tissue(channels=4), "RGBA")
    if mode == "P":
        picture = picture.convert("RGB").quantize(16)
    elif mode == "CMYK":
        picture = Image.fromarray(tissue(channels=4), "CMYK")
    elif mode != "RGBA":
        picture = picture.convert(mode)
    source = opened(encoded(picture, "TIFF", compression=compression))
    if mode in ("RGBA", "LA"):
        white = Image.new("RGBA", picture.size, "white")
        expected = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    else:
        expected = picture.convert("RGB")
    tolerance = 1 if mode in ("RGBA", "CMYK", "LA") else 0  # Pillow's own rounding
    assert np.abs(pixels(source).astype(int) - np.asarray(expected)).max() <= tolerance


def test_jpeg_in_tiff_with_ycbcr(opened: Opened) -> None:
    source = opened(encoded(tissue(), "TIFF", compression="jpeg", quality=95))
    assert np.abs(pixels(source).astype(int) - tissue()).mean() < 4


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_compression(opened: Opened, compression: str) -> None:
    picture = Image.fromarray(tissue()).convert("1")
    assert np.array_equal(
        pixels(opened(encoded(picture, "TIFF", compression=compression))), np.asarray(picture.convert("RGB"))
    )


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit(opened: Opened, compression: str | None, channels: int) -> None:
    samples = deep(channels)
    source = opened(tiff(samples, photometric="rgb" if channels == 3 else "minisblack", compression=compression))
    expected = scaled(samples if channels == 3 else samples[..., None])
    assert np.array_equal(pixels(source), np.broadcast_to(expected, (20, 30, 3)))
    assert source.notes == SIXTEEN


@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_lzw(opened: Opened, predictor: int, channels: int) -> None:
    samples = deep(channels)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_PREDICTOR, predictor]
    _, data = cv2.imencode(".tif", samples[..., ::-1] if channels == 3 else samples, options)
    expected = scaled(samples if channels == 3 else samples[..., None])
    source = opened(data.tobytes())
    assert np.array_equal(pixels(source), np.broadcast_to(expected, (20, 30, 3))) and source.notes == SIXTEEN


def test_float_lzw(opened: Opened) -> None:
    samples = np.random.default_rng(0).random((9, 7, 3)).astype(np.float32)
    _, data = cv2.imencode(".tif", samples[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    assert np.array_equal(pixels(opened(data.tobytes())), np.rint(samples * np.float64(255)).astype(np.uint8))


@pytest.mark.parametrize(("dtype", "word"), [("u4", "32-bit"), ("i4", "32-bit"), ("i2", "16-bit"), ("i1", "8-bit")])
def test_wide_and_signed_integers_are_stretched(opened: Opened, dtype: str, word: str) -> None:
    samples = np.arange(100, dtype=dtype).reshape(10, 10)
    source = opened(tiff(samples))
    assert np.array_equal(pixels(source)[..., 0], scaled(samples, 99))
    assert source.notes == (f"{word} integer samples stretched, 0 becomes 0 and 99 becomes 255",)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_floating_point(opened: Opened, dtype: str) -> None:
    samples = np.array([[0, 0.25, 0.5, 1.0]], dtype)
    assert pixels(opened(tiff(samples)))[0, :, 0].tolist() == [0, 64, 128, 255]
    samples[0, 1] = np.nan
    assert pixels(opened(tiff(samples), "nan"))[0, :, 0].tolist() == [0, 255, 128, 255]


def test_white_is_zero(opened: Opened) -> None:
    grey = tissue()[..., 0]
    for name, data in {
        "8": tiff(grey, photometric="miniswhite"),
        "lzw": encoded(Image.fromarray(255 - grey), "TIFF", compression="tiff_lzw", tiffinfo={262: 0}),
    }.items():
        assert np.array_equal(pixels(opened(data, name))[..., 0], 255 - grey), name
    assert np.array_equal(
        pixels(opened(tiff(deep(1), photometric="miniswhite"), "16"))[..., 0], 255 - scaled(deep(1)).astype(int)
    )


def test_16_bit_lzw_where_white_is_zero(opened: Opened) -> None:
    _, data = cv2.imencode(".tif", deep(1), [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    inverted = bytearray(data.tobytes())
    at = inverted.index(struct.pack("<HHIH", 262, 3, 1, 1))
    inverted[at + 8] = 0
    assert np.array_equal(pixels(opened(bytes(inverted)))[..., 0], 255 - scaled(deep(1)))


@pytest.mark.parametrize("eight_bit_entries", [False, True])
def test_palettes_of_16_and_of_8_bit_entries(opened: Opened, eight_bit_entries: bool) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (3, 256), dtype=np.uint16)
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colormap = colours if eight_bit_entries else colours * 257
    source = opened(tiff(indices, photometric="palette", colormap=colormap))
    assert np.array_equal(pixels(source), colours.T[indices].astype(np.uint8))


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_alpha_and_what_is_none(opened: Opened, kind: str) -> None:
    samples = np.array([[[100, 50, 0, 128]]], np.uint8)
    source = opened(tiff(samples, photometric="rgb", extrasamples=[kind]))
    expected = {"unassalpha": [177, 152, 127], "assocalpha": [227, 177, 127], "unspecified": [100, 50, 0]}[kind]
    assert pixels(source)[0, 0].tolist() == expected
    assert source.notes == (
        ("1 further channel(s) not shown",) if kind == "unspecified" else ("transparency laid over white",)
    )


def test_cmyk_by_formula_and_by_profile(opened: Opened) -> None:
    inks = tissue(channels=4)
    plain = opened(tiff(inks, photometric="separated"))
    exact = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    assert np.abs(pixels(plain) - exact).max() <= 0.5 and "plain formula" in plain.notes[0]
    profiled = opened(tiff(inks, photometric="separated", iccprofile=ink_profile()), "icc")
    assert profiled.notes == ("converted from CMYK to sRGB by the embedded colour profile",)


def test_an_embedded_profile(opened: Opened) -> None:
    source = opened(tiff(tissue(), photometric="rgb", iccprofile=wide_gamut_profile()))
    assert source.notes == ("converted from RGB to sRGB by the embedded colour profile",)


def test_12_bit_only_where_the_file_declares_it(opened: Opened) -> None:
    samples = deep(1) % 4096
    undeclared = opened(tiff(samples))
    assert np.array_equal(pixels(undeclared)[..., 0], scaled(samples)) and undeclared.notes == SIXTEEN
    by_tag = opened(tiff(samples, extratags=[(281, "H", 1, 4095, True)]), "tag")
    assert np.array_equal(pixels(by_tag)[..., 0], scaled(samples, 4095))
    assert by_tag.notes == ("12-bit samples scaled to 8 bit (4095 becomes 255)",)
    by_ome = opened(tiff(samples, ome=True, metadata={"SignificantBits": 12}), "ome")
    assert np.array_equal(pixels(by_ome)[..., 0], scaled(samples, 4095))


def test_packed_12_bit(opened: Opened) -> None:
    samples = deep(1) % 4096
    pairs = samples.reshape(20, 15, 2).astype(np.uint16)
    a, b = pairs[..., 0], pairs[..., 1]
    packed = np.stack([a >> 4, (a & 15) << 4 | b >> 8, b & 255], axis=-1).astype(np.uint8).tobytes()
    source = opened(plain_tags(30, 20, 12, 1, packed))
    assert np.array_equal(pixels(source)[..., 0], scaled(samples, 4095))


@pytest.mark.parametrize(("bits", "top"), [(2, 3), (4, 15)])
def test_packed_2_and_4_bit(opened: Opened, bits: int, top: int) -> None:
    values = np.arange(16, dtype=np.uint8)[None, :] % (top + 1)
    lines = np.packbits(np.unpackbits(values[..., None], axis=2)[:, :, -bits:].reshape(1, -1), axis=1)
    source = opened(plain_tags(16, 1, bits, 1, lines.tobytes()))
    assert np.array_equal(pixels(source)[..., 0], scaled(values, top))


def test_the_first_of_several_pages_and_a_note(opened: Opened) -> None:
    stack = np.stack([tissue(seed=i) for i in range(3)])
    source = opened(tiff(stack, photometric="rgb"))
    assert np.array_equal(pixels(source), stack[0]) and source.notes == ("first of 3 pages",)


@pytest.mark.parametrize("kept", [0.95, 0.5, 0.1])
@pytest.mark.parametrize("compression", [None, "zlib", "tiff_lzw", "jpeg"])
def test_a_cut_picture_is_refused(
    opened: Opened, kept: float, compression: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    if compression in (None, "zlib"):
        data = tiff(tissue(200, 200), photometric="rgb", compression=compression, rowsperstrip=10)
    else:
        data = encoded(tissue(200, 200), "TIFF", compression=compression)
    with pytest.raises(ImageError, match=r"cut short|damaged"):
        opened(data[: int(len(data) * kept)])
    assert capfd.readouterr().err == ""


def test_strips_that_are_missing_are_no_black_stripe(opened: Opened) -> None:
    data = plain_tags(4, 2, 8, 1, bytes(8), tags={273: (4, [8, 0]), 279: (4, [4, 0]), 278: (4, [1])})
    with pytest.raises(ImageError, match="cut short"):
        opened(data)


def test_a_strip_that_unpacks_too_short_is_refused(opened: Opened) -> None:
    data = zlib.compress(bytes(100))
    with pytest.raises(ImageError, match="damaged"):
        opened(plain_tags(20, 20, 8, 1, data, tags={259: (3, [8])}))


def test_a_strip_that_unpacks_without_end_is_refused(opened: Opened) -> None:
    bomb = zlib.compress(bytes(300 * 2**20), 9)
    with pytest.raises(ImageError, match="far more data"):
        opened(plain_tags(20, 20, 8, 1, bomb, tags={259: (3, [8])}))


def test_absurd_numbers_in_tags_are_refused_at_once(opened: Opened) -> None:
    huge = 2**32 - 1
    for name, change in {
        "width": {256: (4, [huge])},
        "both": {256: (4, [huge]), 257: (4, [huge])},
        "no height": {257: (4, [0])},
        "channels": {277: (3, [65535])},
        "tiles": {322: (4, [65536 * 16]), 323: (4, [65536 * 16]), 324: (4, [8]), 325: (4, [4])},
        "offset": {273: (4, [huge])},
        "count": {279: (4, [huge])},
        "colours": {262: (3, [8])},
        "bits": {258: (3, [65535])},
    }.items():
        with pytest.raises(ImageError):
            opened(plain_tags(2, 2, 8, 1, bytes(4), tags=change), name)


def test_rows_per_strip_may_be_the_largest_number_there_is(opened: Opened) -> None:
    source = opened(plain_tags(2, 2, 8, 1, bytes([1, 2, 3, 4]), tags={278: (4, [2**32 - 1])}))
    assert pixels(source)[..., 0].tolist() == [[1, 2], [3, 4]]


def test_tifffiles_complaints_stay_out_of_screen_and_log(
    opened: Opened, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = encoded(tissue(), "TIFF", compression="tiff_lzw")
    with caplog.at_level(logging.DEBUG), pytest.raises(ImageError):
        opened(data[:500])
    assert capfd.readouterr().err == "" and caplog.records == []

"""Walks the one written table, then everything around its rules."""

import numpy as np
import pytest
from PIL import ImageCms

from her2viewer.imaging.colour import COLOURS, NUMBERS, Alpha, ColourRule, Colours, NumberRule, Raster, to_srgb
from her2viewer.imaging.faults import Unreadable

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("rule", NUMBERS, ids=lambda rule: rule.found)
def test_each_number_rule_does_what_its_example_says(rule: NumberRule) -> None:
    samples, bits, expected = rule.example
    assert next(r for r in NUMBERS if r.applies(samples, bits)) is rule
    image, notes = to_srgb(Raster(samples[None, :], Colours.GREY, bits=bits))
    assert image[0, :, 0].tolist() == list(expected)
    assert (image == image[..., :1]).all()
    assert bool(notes) == (rule.found not in ("1 bit", "8 bit, unsigned"))


@pytest.mark.parametrize("rule", COLOURS, ids=lambda rule: rule.found.value)
def test_each_colour_rule_does_what_its_example_says(rule: ColourRule) -> None:
    channels, expected = rule.example
    samples = np.array(channels, np.uint8).reshape(1, 1, -1)
    palette = np.array([[0, 0, 0], [10, 20, 30]], np.uint8) if rule.found is Colours.PALETTE else None
    image, _ = to_srgb(Raster(samples if rule.channels > 1 else samples[..., 0], rule.found, palette=palette))
    assert tuple(image[0, 0].tolist()) == expected


def test_every_kind_of_colour_has_one_rule() -> None:
    assert sorted(rule.found.value for rule in COLOURS) == sorted(kind.value for kind in Colours)


def test_16_bit_is_full_scale_for_every_value() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    image, notes = to_srgb(Raster(values, Colours.GREY))
    assert np.array_equal(image[..., 0], np.floor(values / 257 + 0.5).astype(np.uint8))
    assert notes == ("16-bit samples scaled to 8 bit (65535 becomes 255)",)


def test_a_dark_16_bit_picture_stays_dark_without_a_declared_range() -> None:
    image, _ = to_srgb(Raster(np.full((4, 4), 4095, np.uint16), Colours.GREY))
    assert (image == 16).all()


def test_a_declared_range_that_the_samples_break_is_not_believed() -> None:
    image, notes = to_srgb(Raster(np.array([[0, 5000, 65535]], np.uint16), Colours.GREY, bits=12))
    assert image[0, :, 0].tolist() == [0, 19, 255]
    assert "declares 12 bits" in notes[0]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64])
def test_wide_and_signed_integers_are_stretched_over_all_channels_together(dtype: type) -> None:
    samples = np.array([[[10, 20, 30], [40, 50, 110]]], dtype)
    image, notes = to_srgb(Raster(samples, Colours.RGB))
    assert image.tolist() == [[[0, 26, 51], [76, 102, 255]]]
    assert "10 becomes 0 and 110 becomes 255" in notes[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_within_0_and_1_is_not_stretched(dtype: type) -> None:
    image, notes = to_srgb(Raster(np.array([[0.2, 0.4]], dtype), Colours.GREY))
    assert image[0, :, 0].tolist() == [51, 102]
    assert "1.0 becomes 255" in notes[0]


def test_floating_point_beyond_0_and_1_is_stretched_and_what_is_not_finite_is_counted() -> None:
    samples = np.array([[-1.0, 0.0, 3.0, np.nan, np.inf, -np.inf]], np.float32)
    image, notes = to_srgb(Raster(samples, Colours.GREY))
    assert image[0, :, 0].tolist() == [0, 64, 255, 255, 255, 0]
    assert "-1 becomes 0 and 3 becomes 255" in notes[0] and "; 3 that are not finite" in notes[0]


def test_extreme_doubles_do_not_overflow() -> None:
    top = np.finfo(np.float64).max
    image, _ = to_srgb(Raster(np.array([[-top, 0.0, top]]), Colours.GREY))
    assert image[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("samples", [np.full((2, 2), 7, np.int32), np.full((2, 2), 7.0, np.float32)])
def test_a_stretched_picture_of_one_value_is_black(samples: np.ndarray) -> None:
    assert (to_srgb(Raster(samples, Colours.GREY))[0] == 0).all()


def test_a_signalling_nan_is_a_nan() -> None:
    samples = np.array([[0x7F800001, 0x3F800000, 0]], np.uint32).view(np.float32)
    assert to_srgb(Raster(samples, Colours.GREY))[0][0, :, 0].tolist() == [255, 255, 0]


def test_an_alpha_far_beyond_1_is_opaque() -> None:
    samples = np.array([[[0.5, 1e308], [0.5, -1e308]]])
    assert to_srgb(Raster(samples, Colours.GREY, Alpha.STRAIGHT))[0][0, :, 0].tolist() == [128, 255]


def test_a_picture_without_a_finite_number_is_refused() -> None:
    with pytest.raises(Unreadable, match="no finite number"):
        to_srgb(Raster(np.full((2, 2), np.nan), Colours.GREY))


def test_complex_samples_are_refused() -> None:
    with pytest.raises(Unreadable, match="complex64"):
        to_srgb(Raster(np.zeros((2, 2), np.complex64), Colours.GREY))


def test_channels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Unreadable, match="channels"):
        to_srgb(Raster(np.zeros((2, 2, 2), np.uint8), Colours.RGB))
    with pytest.raises(Unreadable, match="palette"):
        to_srgb(Raster(np.full((2, 2), 9, np.uint8), Colours.PALETTE, palette=np.zeros((4, 3), np.uint8)))


def test_alpha_goes_over_white_exactly() -> None:
    values = np.arange(256, dtype=np.uint8)
    colour, alpha = np.meshgrid(values, values)
    image, notes = to_srgb(Raster(np.stack([colour, alpha], axis=-1), Colours.GREY, Alpha.STRAIGHT))
    exact = colour.astype(float) * (alpha / 255) + 255 * (1 - alpha / 255)
    assert np.abs(image[..., 0] - exact).max() <= 0.5
    assert notes == ("transparency laid over white",)


def test_premultiplied_alpha_only_adds_the_white_behind() -> None:
    samples = np.array([[[100, 50, 0, 128], [200, 200, 200, 255], [0, 0, 0, 0]]], np.uint8)
    image, _ = to_srgb(Raster(samples, Colours.RGB, Alpha.PREMULTIPLIED))
    assert image.tolist() == [[[227, 177, 127], [200, 200, 200], [255, 255, 255]]]


def test_an_alpha_that_hides_nothing_changes_nothing_and_says_nothing() -> None:
    samples = np.dstack([np.arange(48, dtype=np.uint8).reshape(4, 4, 3), np.full((4, 4), 255, np.uint8)])
    image, notes = to_srgb(Raster(samples, Colours.RGB, Alpha.STRAIGHT))
    assert np.array_equal(image, samples[..., :3]) and notes == ()


def test_alpha_of_stretched_samples_keeps_its_own_full_scale() -> None:
    samples = np.array([[[0.0, 1.0], [4.0, 0.5]]], np.float32)
    image, _ = to_srgb(Raster(samples, Colours.GREY, Alpha.STRAIGHT))
    assert image[0, :, 0].tolist() == [0, 255]
    deep = np.array([[[0, 65535], [0, 32768], [0, 0]]], np.uint16)
    assert to_srgb(Raster(deep, Colours.GREY, Alpha.STRAIGHT))[0][0, :, 0].tolist() == [0, 127, 255]


def test_an_srgb_profile_changes_nothing_and_says_nothing() -> None:
    samples = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    image, notes = to_srgb(Raster(samples, Colours.RGB, icc=SRGB))
    assert np.array_equal(image, samples) and notes == ()


@pytest.mark.parametrize(("colours", "channels"), [(Colours.GREY, 1), (Colours.CMYK, 4)])
def test_a_profile_of_other_colours_is_left_alone_and_said(colours: Colours, channels: int) -> None:
    samples = np.full((3, 3, channels), 40, np.uint8)
    image, notes = to_srgb(Raster(samples, colours, icc=SRGB))
    assert np.array_equal(image, to_srgb(Raster(samples, colours))[0])
    assert any("does not fit" in note for note in notes)


def test_large_pictures_are_converted_alike_in_every_strip() -> None:
    column = np.random.default_rng(1).random((1100, 1)).astype(np.float32)
    column[:2] = [[0], [1]]
    image, _ = to_srgb(Raster(column, Colours.GREY))
    assert np.array_equal(image[:, 0, 0], np.rint(column[:, 0].astype(np.float64) * 255).astype(np.uint8))
    cmyk = np.random.default_rng(2).integers(0, 256, (1100, 2, 4), dtype=np.uint8)
    image, _ = to_srgb(Raster(cmyk, Colours.CMYK))
    exact = (255.0 - cmyk[..., :3]) * (255.0 - cmyk[..., 3:]) / 255
    assert np.abs(image - exact).max() <= 0.5

import numpy as np
import pytest
from PIL import ImageCms

from her2viewer.imaging import icc
from her2viewer.imaging.colour import Colours, Raster, to_srgb
from tests.imaging.profiles import gamma_profile, wide_gamut_profile


def test_a_wide_gamut_profile_is_converted_and_neutral_stays_neutral() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    image, notes = to_srgb(Raster(ramp, Colours.RGB, icc=wide_gamut_profile()))
    assert notes == ("converted from RGB to sRGB by the embedded colour profile",)
    assert image[0, 0].tolist() == [0, 0, 0] and image[0, 255].tolist() == [255, 255, 255]
    spread = image.max(axis=2).astype(int) - image.min(axis=2)
    assert spread.max() <= 1


def test_the_stain_colours_of_a_wide_gamut_become_what_the_standard_says() -> None:
    stains = np.array([[[200, 120, 160], [120, 100, 150], [150, 110, 80], [240, 240, 235]]], np.uint8)
    image, _ = to_srgb(Raster(stains, Colours.RGB, icc=wide_gamut_profile()))
    primaries = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
    # sRGB's primaries at D50, as in its own profile (IEC 61966-2-1, Bradford).
    srgb = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    linear = (stains[0] / 255) ** 2.2 @ primaries.T @ np.linalg.inv(srgb).T
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(image[0] - encoded * 255).max() <= 1.5
    assert np.abs(image[0].astype(int) - stains[0]).max() > 15  # and it is a change that can be seen


def test_a_grey_profile_is_converted() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :]
    image, notes = to_srgb(Raster(ramp, Colours.GREY, icc=gamma_profile(1.0)))
    linear = ramp[0] / 255
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    assert np.abs(image[0, :, 0] - srgb * 255).max() <= 1.5
    assert "from grey to sRGB" in notes[0]


def test_an_inverted_grey_is_turned_round_before_its_profile() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :]
    straight, _ = to_srgb(Raster(ramp, Colours.GREY, icc=gamma_profile(1.0)))
    inverted, _ = to_srgb(Raster(255 - ramp, Colours.INVERTED_GREY, icc=gamma_profile(1.0)))
    assert np.array_equal(straight, inverted)


def test_strips_join_without_a_seam() -> None:
    samples = np.random.default_rng(0).integers(0, 256, (1100, 3, 3), dtype=np.uint8)
    transform = icc.transform_to_srgb(wide_gamut_profile(), 3)
    assert transform is not None
    whole = icc.convert(samples, transform)
    assert np.array_equal(whole[500:530], icc.convert(samples[500:530], transform))


@pytest.mark.parametrize("junk", [b"", b"profile", wide_gamut_profile()[:200], bytes(500)])
def test_a_damaged_profile_is_unfit(junk: bytes) -> None:
    with pytest.raises(icc.UnfitProfile):
        icc.transform_to_srgb(junk, 3)


def test_srgb_under_any_name_is_no_transform() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert icc.transform_to_srgb(srgb, 3) is None

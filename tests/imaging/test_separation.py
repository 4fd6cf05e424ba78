from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from skimage.color import combine_stains, separate_stains

from her2viewer.imaging.separation import Component, concentration, remixed, separated
from her2viewer.imaging.stain_vectors import Dyes, StainVectors, ruifrok_johnston, typed_vectors

PICTURES = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9).map(lambda shape: (*shape, 3)))
WHITES = st.tuples(*[st.integers(1, 255)] * 3)
EVERY: tuple[Component, ...] = (0, 1, 2)


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def mixed(vectors: StainVectors, first: float, second: float) -> NDArray[np.uint8]:
    """One pixel of the two dyes, by Beer-Lambert."""
    density = np.array([first, second, 0]) @ vectors.matrix
    return np.rint(vectors.white * 10**-density).astype(np.uint8).reshape(1, 1, 3)


@pytest.mark.parametrize("dyes", Dyes)
def test_amounts_are_those_of_scikit_image(dyes: Dyes) -> None:
    image = np.maximum(noise(64, 65), 1)
    vectors = ruifrok_johnston(dyes)
    # Its amounts are in units of 6 in log10, against a white of 255, and cut off at 0.
    peer = separate_stains(image, np.linalg.inv(vectors.matrix)) * 6
    for which in EVERY:
        assert np.abs(np.maximum(concentration(image, vectors, which), 0) - peer[..., which]).max() < 1e-5


@pytest.mark.parametrize("dyes", Dyes)
def test_one_dye_looks_as_in_scikit_image(dyes: Dyes) -> None:
    image = np.maximum(noise(64, 65), 1)
    vectors = ruifrok_johnston(dyes)
    amounts = separate_stains(image, np.linalg.inv(vectors.matrix))
    for which in (0, 1):
        alone = np.zeros_like(amounts)
        alone[..., which] = amounts[..., which]
        peer = combine_stains(alone, vectors.matrix) * 255
        assert (
            np.abs(separated(image, vectors, which) - peer).max() < 0.6
        )  # half a grey level, and the steps of the amount


@given(st.floats(0, 0.9), st.floats(0, 0.9), st.sampled_from(Dyes))
def test_a_known_mixture_comes_apart(first: float, second: float, dyes: Dyes) -> None:
    vectors = ruifrok_johnston(dyes, (230, 225, 240))
    pixel = mixed(vectors, first, second)
    # Half a grey level of rounding, in the darkest channel, through the inverse.
    tolerance = 2.5 * np.log10(1 + 0.5 / max(1, int(pixel.min())))
    assert concentration(pixel, vectors, 0).item() == pytest.approx(first, abs=tolerance + 1e-3)
    assert concentration(pixel, vectors, 1).item() == pytest.approx(second, abs=tolerance + 1e-3)
    assert concentration(pixel, vectors, 2).item() == pytest.approx(0, abs=tolerance + 1e-3)
    # Compared as light: where a channel is nearly black, one grey level is much density.
    alone = separated(pixel, vectors, 0).astype(float)
    expected = vectors.white * 10 ** -(vectors.matrix[0] * concentration(pixel, vectors, 0).item())
    assert np.abs(alone - expected).max() <= 0.6


@given(WHITES, st.sampled_from(Dyes), st.sampled_from(EVERY))
def test_white_stays_white(white: tuple[int, int, int], dyes: Dyes, which: Component) -> None:
    image = np.full((3, 2, 3), white, np.uint8)
    vectors = ruifrok_johnston(dyes, white)
    assert (separated(image, vectors, which) == image).all()
    assert not concentration(image, vectors, which).any()


@given(st.sampled_from(Dyes), st.sampled_from((0, 1)))
def test_more_of_a_dye_is_never_lighter(dyes: Dyes, which: Component) -> None:
    vectors = ruifrok_johnston(dyes, (240, 238, 236))
    steps = np.linspace(0, 2, 120)
    row = np.concatenate([mixed(vectors, *((s, 0.1) if which == 0 else (0.1, s))) for s in steps], axis=1)
    shown = separated(row, vectors, which).astype(int)
    # Rounding to bytes of the mixture may turn a step by a grey level or so; over a dozen steps it may not.
    assert (np.diff(shown[0, ::12], axis=0) <= 0).all()
    grown = np.diff(concentration(row[:, :60:6], vectors, which)[0])
    assert (grown > 0).all()


@given(PICTURES, WHITES, st.sampled_from(Dyes), st.sampled_from(EVERY))
def test_any_picture_has_every_view(
    image: NDArray[np.uint8], white: tuple[int, int, int], dyes: Dyes, which: Component
) -> None:
    vectors = ruifrok_johnston(dyes, white)
    before = image.copy()
    shown, amount = separated(image, vectors, which), concentration(image, vectors, which)
    assert shown.shape == image.shape and shown.dtype == np.uint8 and shown.flags.writeable
    assert amount.shape == image.shape[:2] and amount.dtype == np.float32 and np.isfinite(amount).all()
    assert which == 2 or amount.min() >= 0
    assert (shown <= vectors.white).all()
    assert (image == before).all()


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (300, 7)])
def test_black_and_white_pictures_of_any_shape(level: int, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), level, np.uint8)
    for dyes in Dyes:
        for which in EVERY:
            shown = separated(image, ruifrok_johnston(dyes), which)
            assert shown.shape == image.shape and len(np.unique(shown.reshape(-1, 3), axis=0)) == 1
            assert (shown == 255).all() or not level


@pytest.mark.parametrize("which", EVERY)
def test_tiles_are_parts_of_the_whole(which: Component) -> None:
    image = noise(203, 317)
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB, (230, 228, 224))
    whole, amount = separated(image, vectors, which), concentration(image, vectors, which)
    for row in range(0, 203, 64):
        for col in range(0, 317, 51):
            tile = np.s_[row : row + 64, col : col + 51]
            assert (separated(image[tile], vectors, which) == whole[tile]).all()
            assert (concentration(image[tile], vectors, which) == amount[tile]).all()


def test_arrays_that_lie_in_memory_otherwise() -> None:
    image = noise(40, 30)
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_EOSIN)
    for turned in (image[::-1, ::-1], image[::2, 1::3], np.asfortranarray(image), image.transpose(1, 0, 2)):
        assert (separated(turned, vectors, 1) == separated(turned.copy("C"), vectors, 1)).all()
    frozen = image.copy()
    frozen.setflags(write=False)
    assert (separated(frozen, vectors, 1) == separated(image, vectors, 1)).all()


def test_threads_do_not_disturb_each_other() -> None:
    image = noise(120, 130)
    views = [(ruifrok_johnston(dyes), which) for dyes in Dyes for which in EVERY] * 8
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda view: separated(image, *view), views))
    for view, shown in zip(views, together, strict=True):
        assert (shown == separated(image, *view)).all()


def test_the_residual_has_a_sign_and_is_drawn_grey() -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB)
    green, magenta = (np.full((2, 2, 3), colour, np.uint8) for colour in ((60, 200, 60), (200, 60, 200)))
    signs = [np.sign(concentration(image, vectors, 2)).max() for image in (green, magenta)]
    assert sorted(signs) == [-1, 1]
    for image in (green, magenta):
        shown = separated(image, vectors, 2)
        assert (shown == shown[..., :1]).all() and shown.max() < 255


def test_vectors_close_together_still_have_their_range() -> None:
    """The amounts of a black pixel are then the largest there are."""
    vectors = typed_vectors(Dyes.HAEMATOXYLIN_DAB, "1 0.9 0.8", "0.8 0.9 1")
    image = noise(30, 30)
    for which in EVERY:
        exact = np.log10(255 / np.maximum(image, 1)) @ np.linalg.inv(vectors.matrix)[:, which]
        exact = exact if which == 2 else np.maximum(exact, 0)
        assert np.abs(concentration(image, vectors, which) - exact).max() < 1e-4


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_anything_else_is_a_bug(wrong: NDArray[np.uint8]) -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_EOSIN)
    for way in (separated, concentration):
        with pytest.raises(ValueError, match="needs"):
            way(wrong, vectors, 0)


def test_a_dye_as_strong_as_it_is_leaves_the_very_pixels() -> None:
    image = noise(33, 65)
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB)
    assert remixed(image, vectors, 1, 1.0) is image
    nearly = np.abs(remixed(image, vectors, 1, 1 + 1e-6).astype(int) - np.maximum(image, 1))
    assert nearly.max() == 0


@settings(deadline=None)
@given(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0, 2.5))
def test_one_dye_changes_by_the_factor_and_the_other_stays(first: float, second: float, factor: float) -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB, (230, 225, 240))
    before, after = mixed(vectors, first, second), mixed(vectors, first, factor * second)
    found = remixed(before, vectors, 1, factor)
    # One grey level of `before`, seen through the change of light, and one of rounding.
    tolerance = 1 + np.ceil(1.5 * max(1.0, float((after / np.maximum(before, 1)).max())))
    assert np.abs(found.astype(int) - after).max() <= tolerance


def test_what_holds_no_dab_stays() -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB, (230, 225, 240))
    white = np.full((4, 4, 3), (230, 225, 240), np.uint8)
    blue = np.full((4, 4, 3), mixed(vectors, 0.6, 0), np.uint8)
    for factor in (0.0, 0.5, 2.0, 3.0):
        assert np.abs(remixed(white, vectors, 1, factor).astype(int) - white).max() == 0
        assert np.abs(remixed(blue, vectors, 1, factor).astype(int) - blue).max() <= 2


def test_without_its_dab_a_picture_holds_none_and_more_of_it_is_darker() -> None:
    vectors = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB, (230, 225, 240))
    image = np.full((4, 4, 3), mixed(vectors, 0.2, 0.5), np.uint8)
    assert concentration(remixed(image, vectors, 1, 0.0), vectors, 1).max() < 0.01
    means = [remixed(image, vectors, 1, factor).mean() for factor in (0, 0.5, 1, 1.5, 2, 3)]
    assert means == sorted(means, reverse=True) and len(set(means)) == len(means)
    with pytest.raises(ValueError, match="-1 times"):
        remixed(image, vectors, 1, -1)

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.imaging.level_plan import (
    COARSEST_SIDE,
    LARGEST_EXACT_FACTOR,
    blocks,
    plan,
    read_averaged,
    read_sampled,
    whole_downsample,
)
from her2viewer.imaging.source import Level, RGBImage
from tests.imaging.pictures import tissue

WHOLE = tissue(700, 1000)
LEVEL = Level(1000, 700, 1.0)


def read(x: int, y: int, w: int, h: int) -> RGBImage:
    assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= 1000 and y + h <= 700, "outside the level"
    return WHOLE[y : y + h, x : x + w]


def stored(*downsamples: float, width: int = 100_000, height: int = 80_000) -> list[Level]:
    return [Level(round(width / d), round(height / d), d) for d in downsamples]


@pytest.mark.parametrize(
    ("downsamples", "offered"),
    [
        ((1,), [1, 4, 16, 64, 128]),
        ((1, 2, 4, 8, 16, 32, 64, 128), [1, 2, 4, 8, 16, 32, 64, 128]),
        ((1, 4.0003, 16.004, 32.01), [1, 4.0003, 16.004, 32.01, 32.01 * 4]),
        ((1, 16, 128), [1, 4, 16, 32, 128]),
        ((1, 5, 100), [1, 2, 5, 20, 40, 100]),
        ((1, 97), [1, 4, 16, 97, 194]),
    ],
)
def test_gaps_are_filled(downsamples: tuple[float, ...], offered: list[float]) -> None:
    levels = [planned.level for planned in plan(stored(*downsamples))]
    assert [level.downsample for level in levels] == pytest.approx(offered)
    assert max(levels[-1].width, levels[-1].height) <= COARSEST_SIDE


def test_a_small_picture_has_no_further_level() -> None:
    assert [planned.level for planned in plan([Level(1024, 700, 1.0)])] == [Level(1024, 700, 1.0)]


@given(steps=st.lists(st.floats(1.5, 60), max_size=5), width=st.integers(1, 200_000), height=st.integers(1, 200_000))
def test_no_step_is_larger_than_four_and_levels_cover_the_picture(steps: list[float], width: int, height: int) -> None:
    downsamples = [1.0, *np.cumprod(steps).tolist()]
    planned = plan([Level(max(1, int(width / d)), max(1, int(height / d)), d) for d in downsamples])
    offered = [each.level.downsample for each in planned]
    assert offered == sorted(offered)
    for finer, coarser in itertools.pairwise(offered):
        assert coarser / finer <= 4 * 1.06
    assert max(planned[-1].level.width, planned[-1].level.height) <= COARSEST_SIDE
    for each in planned:
        base = next(other.level for other in planned if other.stored == each.stored)
        assert each.level.width * each.factor >= base.width > (each.level.width - 1) * each.factor


@pytest.mark.parametrize("factor", [2, 4, 16])
def test_each_pixel_is_the_mean_of_those_it_covers(factor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("her2viewer.imaging.level_plan._BLOCK_SIDE", 128)  # so that a window takes several
    width, height = -(-1000 // factor), -(-700 // factor)
    whole = read_averaged(read, LEVEL, factor, 0, 0, width, height)
    for row, column in [(0, 0), (3, 5), (height - 1, 0), (0, width - 1), (height - 2, width - 2)]:
        covered = WHOLE[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        padded = np.pad(covered, ((0, factor - covered.shape[0]), (0, factor - covered.shape[1]), (0, 0)), mode="edge")
        assert np.abs(whole[row, column] - padded.mean(axis=(0, 1))).max() <= 0.51
    window = read_averaged(read, LEVEL, factor, 5, 3, 20, 11)
    assert np.array_equal(window, whole[3:14, 5:25])


def test_a_block_of_stored_pixels_is_bounded() -> None:
    sizes = []

    def measured(x: int, y: int, w: int, h: int) -> RGBImage:
        sizes.append(w * h)
        return np.zeros((h, w, 3), np.uint8)

    read_averaged(measured, Level(50_000, 40_000, 1.0), LARGEST_EXACT_FACTOR, 0, 0, 512, 512)
    assert max(sizes) <= 2048 * 2048 and sum(sizes) == (512 * LARGEST_EXACT_FACTOR) ** 2


def test_sampled_windows_agree_and_follow_the_picture() -> None:
    factor = 32
    ramp = np.zeros((4096, 6144, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 6144)
    ramp[..., 1] = np.linspace(0, 255, 4096)[:, None]
    asked = []

    def sampled(x: int, y: int, w: int, h: int) -> RGBImage:
        asked.append(w * h)
        return ramp[y : y + h, x : x + w]

    level = Level(6144, 4096, 1.0)
    whole = read_sampled(sampled, level, factor, 0, 0, 192, 128)
    assert sum(asked) < ramp[..., 0].size / 20
    exact = cv2.resize(ramp, (192, 128), interpolation=cv2.INTER_AREA)
    inner = (slice(8, -8), slice(8, -8))  # beyond the outermost samples nothing is known
    assert np.abs(whole[inner].astype(int) - exact[inner]).max() <= 2
    for x, y, w, h in [(0, 0, 7, 9), (33, 17, 100, 64), (150, 120, 42, 8), (191, 127, 1, 1)]:
        assert (
            np.abs(read_sampled(sampled, level, factor, x, y, w, h).astype(int) - whole[y : y + h, x : x + w]).max()
            <= 1
        )


def test_blocks_cover_a_window_once() -> None:
    seen = np.zeros((40, 50), int)
    for x, y, w, h in blocks(3, 5, 40, 30, 16):
        assert w <= 16 and h <= 16
        seen[y : y + h, x : x + w] += 1
    assert (seen[5:35, 3:43] == 1).all() and seen.sum() == 40 * 30


def test_rounded_sizes_do_not_bend_the_scale() -> None:
    assert whole_downsample((4443, 3567), 2221, 1783, 2.0005) == 2.0
    assert whole_downsample((100_001, 80_003), 6251, 5001, 15.998) == 16.0
    assert whole_downsample((1000, 1000), 300, 300, 3.3333) == 3.3333

"""Which resolutions there are, and which cells a view needs: pure arithmetic."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF

from her2viewer.gui.pane.pyramid import (
    Block,
    Cell,
    overview_resolution,
    read_cell,
    read_overview,
    resolution_for,
    resolutions,
    shrunk,
)
from her2viewer.imaging.source import Level
from her2viewer.imaging.tile_cache import TILE, TileCache

from .sources import ComputedSource, colour_at, pyramid

sides = st.integers(1, 120_000)
steps = st.sampled_from([2, 3, 4, 8])


@given(sides, sides, steps)
def test_resolutions_go_down_by_two_from_the_image_itself(width: int, height: int, step: int) -> None:
    made = resolutions(pyramid(width, height, step), (width, height))
    assert (made[0].width, made[0].height, made[0].across, made[0].down) == (width, height, 1, 1)
    for finer, coarser in pairwise(made):
        assert 1.4 <= coarser.across / finer.across <= 2.1
    for one in made:
        assert width <= one.width * one.across < width + one.across + 1e-6
        assert height <= one.height * one.down < height + one.down + 1e-6


@given(sides, sides, steps)
def test_the_overview_is_small_and_everything_after_it_is_half_of_the_one_before(
    width: int, height: int, step: int
) -> None:
    made = resolutions(pyramid(width, height, step), (width, height))
    first = overview_resolution(made)
    assert max(made[first].width, made[first].height) < 2100
    for finer, coarser in pairwise(made[first:]):
        assert (coarser.width, coarser.height) == (-(-finer.width // 2), -(-finer.height // 2))
    assert max(made[-1].width, made[-1].height) <= 2 * 96


@given(sides, sides, steps, st.floats(0.01, 200))
def test_the_resolution_is_never_coarser_than_the_screen_nor_twice_as_fine(
    width: int, height: int, step: int, px: float
) -> None:
    made = resolutions(pyramid(width, height, step), (width, height))
    index = resolution_for(made, px)
    assert index == 0 or made[index].across <= px * 1.001
    assert index == len(made) - 1 or made[index + 1].across > px * 1.001


@given(
    sides,
    sides,
    st.integers(0, 12),
    st.floats(-0.5, 1.5),
    st.floats(-0.5, 1.5),
    st.floats(0.001, 1),
    st.floats(0.001, 1),
)
def test_a_block_covers_its_box_and_not_a_cell_more(
    width: int, height: int, index: int, x: float, y: float, across: float, down: float
) -> None:
    made = resolutions(pyramid(width, height), (width, height))
    index = min(index, len(made) - 1)
    one = made[index]
    clipped = QRectF(x * width, y * height, across * width, down * height) & QRectF(0, 0, width, height)
    assume(not clipped.isEmpty())
    block = one.cells(clipped)
    step_x, step_y = TILE * one.across, TILE * one.down
    slack = 1e-6 * max(width, height)
    assert block.left * step_x <= clipped.left() + slack and block.top * step_y <= clipped.top() + slack
    assert min(block.right * step_x, one.width * one.across) >= clipped.right() - slack
    assert min(block.bottom * step_y, one.height * one.down) >= clipped.bottom() - slack
    assert (block.right - 1) * step_x <= clipped.right() + slack
    assert (block.left + 1) * step_x >= clipped.left() - slack
    ring = one.grown(block)
    assert ring.holds(block)
    assert ring.area <= (block.right - block.left + 2) * (block.bottom - block.top + 2)
    px, py, w, h = one.extent(block)
    assert px >= 0 and py >= 0 and px + w <= one.width and py + h <= one.height and w > 0 and h > 0


@given(st.integers(1, 6), st.integers(1, 6), st.floats(-2, 8), st.floats(-2, 8))
def test_cells_come_nearest_first(columns: int, rows: int, x: float, y: float) -> None:
    block = Block(0, 0, columns, rows)
    ordered = block.nearest_first(3, x, y)
    assert sorted(ordered) == sorted(block.cells(3)) and len(ordered) == block.area
    far = [(cell.column + 0.5 - x) ** 2 + (cell.row + 0.5 - y) ** 2 for cell in ordered]
    assert far == sorted(far)


@pytest.mark.parametrize("step", [2, 4])
def test_cells_together_are_the_level_shrunk(step: int) -> None:
    source = ComputedSource((2500, 1300), pyramid(2500, 1300, step))
    cache = TileCache()
    made = resolutions(source.levels, source.size)
    for index in range(overview_resolution(made) + 1):
        one = made[index]
        level = source.levels[one.level]
        expected = shrunk(source.read(one.level, 0, 0, level.width, level.height), one.shrink)
        block = one.cells(QRectF(0, 0, *source.size))
        rows = [
            np.hstack([read_cell(cache, source, one, Cell(index, column, row)) for column in range(block.right)])
            for row in range(block.bottom)
        ]
        assert np.array_equal(np.vstack(rows), expected)
    assert np.array_equal(read_overview(source), expected)


def test_levels_that_hardly_differ_are_one() -> None:
    levels = (Level(8000, 8000, 1.0), Level(7000, 7000, 8 / 7), Level(4000, 4000, 2.0), Level(2000, 2000, 4.0))
    assert [one.level for one in resolutions(levels, (8000, 8000))[:3]] == [0, 2, 3]


def test_a_level_of_whole_blocks_keeps_their_size_however_it_was_rounded() -> None:
    made = resolutions((Level(10_007, 9_000, 1.0), Level(2501, 2250, 4.0)), (10_007, 9_000))
    assert {(one.across, one.down) for one in made if one.level == 1 and one.shrink == 1} == {(4.0, 4.0)}


def test_a_level_of_no_whole_blocks_spans_the_image() -> None:
    one = resolutions((Level(10_007, 9_000, 1.0), Level(2501, 2250, 4.0006)), (10_007, 9_000))
    coarse = next(r for r in one if r.level == 1)
    assert coarse.across == pytest.approx(10_007 / 2501)


def test_shrinking_is_the_mean() -> None:
    image = colour_at(np.arange(4) + 0.5, np.arange(3) + 0.5)
    half = shrunk(image, 2)
    assert half.shape == (2, 2, 3)
    assert np.abs(half[0, 0].astype(float) - image[:2, :2].mean(axis=(0, 1))).max() <= 0.5

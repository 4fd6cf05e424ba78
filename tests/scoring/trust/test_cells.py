from dataclasses import replace

import numpy as np
import pytest

from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.cells import given, in_place, middle, over_input, sampled, turns
from tests.scoring.trust.conftest import FIELDS, GRID, LAYOUT, attribution_of, evidence_of, spots


def test_over_the_input_lies_what_is_drawn_on_each_image() -> None:
    attribution = attribution_of(np.random.default_rng(0).standard_normal(GRID))
    drawn = over_input(attribution)
    inner = slice(None), slice(4, 44)
    assert np.allclose(
        drawn[:, :48][inner], attribution.render(Stain.IHC, FIELDS[Stain.IHC], (48, 48))[inner], atol=1e-6
    )
    assert np.ptp(drawn[:, 44:48], axis=1).max() < 1e-6, "nothing comes across the seam"
    attribution = replace(attribution, separate=True)
    assert drawn.shape == (48, 96)
    assert np.allclose(drawn[:, :48], attribution.render(Stain.IHC, FIELDS[Stain.IHC], (48, 48)), atol=1e-6)
    assert np.allclose(drawn[:, 48:], attribution.render(Stain.HE, FIELDS[Stain.HE], (48, 48)), atol=1e-6)
    other = np.ones(GRID, np.float32)
    assert np.allclose(over_input(attribution, other), 1)


@pytest.mark.parametrize(("width", "count"), [(96, 5), (48, 3)])
def test_every_turn_has_its_way_back_and_keeps_to_its_stain(width: int, count: int) -> None:
    layout = InputLayout(width=width, height=48)
    picture = spots(1)[:, :width]
    half = width // 2
    found = turns(layout)
    assert len(found) == count
    for turn, back in found.values():
        turned = in_place(picture, layout, turn)
        assert not np.array_equal(turned, picture)
        assert np.array_equal(np.sort(turned[:, :half], axis=None), np.sort(picture[:, :half], axis=None))
        assert np.array_equal(in_place(turned, layout, back), picture)


def test_a_missing_stain_is_not_there() -> None:
    whole, half = evidence_of(spots(0)), evidence_of(spots(0), stains=(Stain.IHC,))
    numbers = np.arange(48 * 96, dtype=np.float32).reshape(48, 96)
    assert len(sampled(numbers, given(whole))) == 2 * 24 * 24
    assert np.array_equal(sampled(numbers, given(half)), numbers[::2, :48:2].ravel())


def test_the_middle_is_of_each_stain() -> None:
    spot = middle(LAYOUT)
    assert {tuple(place) for place in np.argwhere(spot == spot.max())} == {
        (row, column + cell) for row in (23, 24) for column in (23, 24) for cell in (0, 48)
    }
    assert spot[0, 0] == pytest.approx(np.exp(-4), rel=0.2)

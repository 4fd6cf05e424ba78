"""Figures of maps whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.truth.metrics import marked, mass, pointing, rank, within


def square(side: int = 20, low: int = 5, high: int = 10) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[low:high, low:high] = True
    return mask


def test_all_evidence_inside_is_one() -> None:
    mask = square()
    found = marked(np.where(mask, 2.5, -1.0), mask, mask)
    assert (found.pointing, found.mass, found.rank) == (1, 1, 1)


def test_all_evidence_outside_is_nothing() -> None:
    mask = square()
    # Fewer cells outside are marked than the mask has: the rest of the K are drawn from the zeros, 25 of 390 of which lie inside.
    relevance = np.zeros((20, 20))
    relevance[15, :10] = 1
    assert pointing(relevance, mask) == 0
    assert mass(relevance, mask) == 0
    assert rank(relevance, mask) == pytest.approx((25 - 10) * (25 / 390) / 25)


def test_a_map_that_is_the_same_everywhere_gets_the_share_of_the_area() -> None:
    mask = square()
    found = marked(np.full((20, 20), 0.3), mask, within(mask, 1.0))
    assert found.mass == pytest.approx(mask.mean())
    assert found.rank == pytest.approx(mask.mean())
    assert found.pointing == pytest.approx(within(mask, 1.0).mean())


@pytest.mark.parametrize("values", [np.zeros((20, 20)), np.full((20, 20), -0.7)])
def test_a_blank_map_earns_nothing(values: np.ndarray) -> None:
    mask = square()
    found = marked(values, mask, mask)
    assert (found.pointing, found.mass, found.rank) == (0, 0, 0)


def test_negative_evidence_takes_nothing_away() -> None:
    mask = square()
    relevance = np.where(mask, 1.0, 0.0)
    relevance[0, 0] = 1.0
    against = relevance.copy()
    against[12:, 12:] = -5
    assert marked(against, mask, mask) == marked(relevance, mask, mask)


def test_maxima_that_are_equal_share_the_point() -> None:
    mask = square()
    relevance = np.zeros((20, 20))
    relevance[6, 6] = relevance[7, 7] = relevance[15, 15] = 1
    relevance[16, 16] = 1 - 1e-9  # rounding
    assert pointing(relevance, mask) == pytest.approx(0.5)
    relevance[6, 6] += 0.01
    assert pointing(relevance, mask) == 1


def test_the_places_that_share_the_last_rank_count_as_drawn_at_random() -> None:
    mask = np.array([[True, True, False, False]])
    # One sure hit; of the three that share the second place one lies inside.
    assert rank(np.array([[3.0, 1, 1, 1]]), mask) == pytest.approx((1 + 1 / 3) / 2)
    assert rank(np.array([[1.0, 1, 3, 2]]), mask) == 0


def test_rank_looks_at_order_alone_and_mass_at_amounts() -> None:
    mask = np.array([[True, False, False]])
    values = np.array([[5.0, 4, 1]])
    assert (rank(values, mask), mass(values, mask)) == (1, 0.5)
    assert (rank(values**2, mask), mass(values**2, mask)) == (1, 25 / 42)


def test_without_a_mask_there_is_no_rank() -> None:
    with pytest.raises(ValueError, match="empty mask"):
        rank(np.ones((3, 3)), np.zeros((3, 3), bool))


def test_the_tolerance_is_a_circle_of_whole_pixels() -> None:
    mask = np.zeros((9, 9), bool)
    assert not within(mask, 3).any()
    mask[4, 4] = True
    assert within(mask, 0).sum() == 1
    assert within(mask, 1).sum() == 5
    assert within(mask, 1.5).sum() == 9
    rows, columns = np.nonzero(within(mask, 3))
    assert ((rows - 4) ** 2 + (columns - 4) ** 2 <= 9.001).all()
    assert len(rows) == 29


@given(st.integers(0, 10_000), st.integers(1, 63))
def test_figures_are_shares_and_do_not_depend_on_scale(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros(64, bool)
    mask[rng.permutation(64)[:size]] = True
    mask = mask.reshape(8, 8)
    values = rng.integers(-2, 4, (8, 8)).astype(float)
    found = marked(values, mask, mask)
    assert all(0 <= figure <= 1 for figure in (found.pointing, found.mass, found.rank))
    again = marked(values * 7.5, mask, mask)
    assert again.pointing == pytest.approx(found.pointing)
    assert again.mass == pytest.approx(found.mass)
    assert again.rank == pytest.approx(found.rank)

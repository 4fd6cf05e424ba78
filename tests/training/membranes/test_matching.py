"""Found centres beside drawn ones."""

import numpy as np

from training.membranes.matching import matched, matched_cells


def test_nearest_first_and_each_once() -> None:
    drawn = np.array([[10.0, 10.0], [14.0, 10.0], [50.0, 50.0]])
    found = np.array([[11.0, 10.0], [10.2, 10.0], [53.0, 50.0]])
    pairs = matched(found, drawn, np.array([3.0, 3.5, 2.0]))
    assert sorted(map(tuple, pairs.tolist())) == [(0, 1), (1, 0)]  # the third lies 3 px from a nucleus of 2


def test_cells_by_where_a_centre_lies() -> None:
    cell_of = np.zeros((20, 20), np.uint16)
    cell_of[2:8, 2:8], cell_of[2:8, 12:18] = 1, 2
    found = np.array([[3.0, 3.0], [5.2, 5.0], [14.0, 6.0], [10.0, 15.0]])
    assert sorted(map(tuple, matched_cells(found, cell_of).tolist())) == [(1, 0), (2, 1)]


def test_nothing_found() -> None:
    none = np.zeros((0, 2))
    assert matched(none, np.ones((3, 2)), np.ones(3)).shape == (0, 2)
    assert matched_cells(none, np.zeros((4, 4), np.uint16)).shape == (0, 2)

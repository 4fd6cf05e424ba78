"""Spots in two images, as plain values."""

import numpy as np

from her2viewer.gui.registration.landmarks import Landmark, Landmarks, nearest
from her2viewer.scoring.stains import Stain


def test_clicks_complete_a_landmark_before_they_begin_another() -> None:
    marks = Landmarks().placed(Stain.HE, (1, 2))
    assert marks.wanted is Stain.IHC and marks.complete == ()
    marks = marks.placed(Stain.IHC, (3, 4)).placed(Stain.IHC, (5, 6))
    assert marks.marks == (Landmark((1, 2), (3, 4)), Landmark(None, (5, 6)))
    assert marks.wanted is Stain.HE and marks.complete == (0,) and marks.chosen == 1


def test_two_clicks_in_one_image_are_two_landmarks_and_are_completed_in_order() -> None:
    marks = Landmarks().placed(Stain.HE, (1, 1)).placed(Stain.HE, (2, 2))
    marks = marks.placed(Stain.IHC, (10, 10)).placed(Stain.IHC, (20, 20))
    assert np.array_equal(marks.points(Stain.HE), [(1, 1), (2, 2)])
    assert np.array_equal(marks.points(Stain.IHC), [(10, 10), (20, 20)])


def test_deleting_keeps_the_others_and_chooses_the_next() -> None:
    marks = Landmarks()
    for spot in ((1, 1), (2, 2), (3, 3)):
        marks = marks.placed(Stain.HE, spot).placed(Stain.IHC, spot)
    left = marks.moved(1, Stain.HE, (9, 9)).without_chosen()
    assert [mark.he for mark in left.marks] == [(1, 1), (3, 3)]
    assert left.chosen == 1
    assert left.without_chosen().without_chosen() == Landmarks()
    assert Landmarks().without_chosen() == Landmarks()


def test_swapped_images_keep_their_spots() -> None:
    marks = Landmarks().placed(Stain.HE, (1, 2)).placed(Stain.IHC, (3, 4))
    assert marks.swapped().marks == (Landmark((3, 4), (1, 2)),)
    assert marks.swapped().swapped() == marks


def test_the_nearest_mark_within_reach_is_taken() -> None:
    marks = Landmarks().placed(Stain.HE, (0, 0)).placed(Stain.HE, (10, 0))

    def distance(spot: tuple[float, float]) -> float:
        return abs(spot[0] - 6)

    assert nearest(marks, Stain.HE, distance, 5) == 1
    assert nearest(marks, Stain.HE, distance, 3) is None
    assert nearest(marks, Stain.IHC, distance, 99) is None

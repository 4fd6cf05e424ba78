"""Which alignment is in force, what undo goes back to, and what another pair leaves of it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from her2viewer.gui.registration.landmarks import Landmarks
from her2viewer.gui.registration.state import Registration
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, eq=False)
class Image:
    source: Any


def image(width: int, height: int) -> Image:
    return Image(SimpleNamespace(size=(width, height)))


HE, IHC = image(200, 100), image(400, 300)
AUTOMATIC = Alignment(Affine.similarity(2.0, 20, (5, 7)), origin="automatic", error_px=2.0, error_um=0.5)


def test_a_pair_begins_as_two_pictures_of_one_field() -> None:
    begun = Registration().carried_to(None, (HE, IHC))
    assert begun.alignment is not None and begun.alignment.origin == "assumed" and not begun.registered
    assert begun.alignment.to_ihc([(200, 100)]).tolist() == [[400, 300]]


def test_another_image_ends_everything_that_was_found() -> None:
    found = Registration().carried_to(None, (HE, IHC)).aligned(AUTOMATIC)
    assert found.registered
    assert found.carried_to((HE, IHC), (HE, IHC)) is found
    other = found.carried_to((HE, IHC), (HE, image(400, 300)))
    assert not other.registered and other.past == () and other.landmarks == Landmarks()
    assert found.carried_to((HE, IHC), None).alignment is None


def test_swapped_stains_keep_what_was_found_the_other_way_round() -> None:
    marks = Landmarks().placed(Stain.HE, (1, 2)).placed(Stain.IHC, (3, 4))
    found = Registration(landmarks=marks).aligned(AUTOMATIC)
    swapped = found.carried_to((HE, IHC), (IHC, HE))
    assert swapped.alignment is not None and swapped.registered
    there = AUTOMATIC.to_ihc([(30, 40)])
    assert np.allclose(swapped.alignment.to_ihc(there), [(30, 40)])
    assert swapped.alignment.error_px == pytest.approx(1.0)
    assert swapped.alignment.error_um == 0.5
    assert swapped.landmarks == marks.swapped()
    undone = swapped.undone().alignment
    assert undone is not None and undone.origin == "assumed"


def test_a_bent_alignment_has_no_way_back_to_keep() -> None:
    points = np.array([(0, 0), (100, 0), (0, 100), (50, 50)], float)
    bent = Alignment(
        Affine(), ThinPlate.through(points, points + np.array([(0, 0), (1, 0), (0, 2), (3, 3)])), "landmarks"
    )
    assert not Registration(bent).carried_to((HE, IHC), (IHC, HE)).registered


def test_undo_goes_back_one_step_and_a_drag_is_one_step() -> None:
    assumed = Alignment.assumed((200, 100), (400, 300))
    steps = [Alignment(Affine(tx=x), origin="by hand") for x in (1.0, 2.0, 3.0)]
    registration = Registration(assumed).aligned(AUTOMATIC)
    for step in steps:
        registration = registration.aligned(step)
    assert registration.alignment is steps[-1]
    assert registration.undone().alignment is AUTOMATIC
    assert registration.undone().undone().alignment is assumed
    assert registration.undone().undone().undone().alignment is assumed

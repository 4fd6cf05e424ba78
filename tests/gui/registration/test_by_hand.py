"""What the panes show becomes the alignment."""

from dataclasses import dataclass

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QTransform

from her2viewer.gui.registration.by_hand import as_shown, nudged, turned
from her2viewer.imaging.affine import Affine
from her2viewer.scoring.stains import Stain


@dataclass
class Pane:
    """Implements Sight: sees through a transform."""

    view: QTransform
    stain: Stain = Stain.IHC
    image: None = None

    def to_screen(self, x: float, y: float) -> QPointF:
        return self.view.map(QPointF(x, y))

    def from_screen(self, position: QPointF) -> tuple[float, float]:
        at = self.view.inverted()[0].map(QPointF(position))
        return at.x(), at.y()

    def repaint_layers(self) -> None:
        raise AssertionError


def seen(scale: float, degrees: float, dx: float, dy: float, *, mirrored: bool = False) -> Pane:
    view = QTransform().translate(dx, dy).rotate(degrees).scale(-scale if mirrored else scale, scale)
    return Pane(view)


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_lies_in_the_middle_of_both_is_one_place_and_so_is_all_around(mirrored: bool) -> None:
    he, ihc = seen(0.5, 30, 100, -40, mirrored=mirrored), seen(1.7, -75, 10, 90)
    he_middle, ihc_middle = QPointF(300, 200), QPointF(180, 260)
    found = as_shown(he, he_middle, ihc, ihc_middle)
    for away in (QPointF(0, 0), QPointF(150, -80), QPointF(-299, 190)):
        assert found(*he.from_screen(he_middle + away)) == pytest.approx(ihc.from_screen(ihc_middle + away), abs=1e-6)
    assert found.mirrored is mirrored
    assert found.scale == pytest.approx(0.5 / 1.7)


def test_a_nudge_goes_where_the_screen_says() -> None:
    ihc, lies = seen(2.0, 90, 30, 40), Affine.similarity(1.3, 12, (4, 5))
    moved = nudged(lies, ihc, 3, -1)
    before, after = ihc.to_screen(*lies(50, 60)), ihc.to_screen(*moved(50, 60))
    assert (after - before).x() == pytest.approx(3)
    assert (after - before).y() == pytest.approx(-1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turn_is_clockwise_on_screen_about_the_middle(mirrored: bool) -> None:
    ihc, lies, middle = seen(2.0, 35, 30, 40, mirrored=mirrored), Affine(), QPointF(200, 100)
    moved = turned(lies, ihc, middle, 90)
    assert moved(*ihc.from_screen(middle)) == pytest.approx(ihc.from_screen(middle))
    right = ihc.to_screen(*moved(*ihc.from_screen(middle + QPointF(50, 0)))) - middle
    assert np.allclose((right.x(), right.y()), (0, 50))

"""The H&E painted in the IHC's frame."""

from dataclasses import dataclass

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from her2viewer.gui.compare.resolve import VeilShown
from her2viewer.gui.compare.veil import Veil, as_transform, touching
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate

from ..test_pane import pixels_of

GROUND, SURROUND = QColor(10, 20, 30), QColor(118, 118, 118)


@dataclass
class Plain:
    """Implements Painted: one colour, 20 x 10 level-0 px."""

    colour: QColor

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None:
        painter.save()
        painter.setTransform(transform, True)
        painter.fillRect(QRectF(0, 0, 20, 10), self.colour)
        painter.restore()


def painted(shown: VeilShown | None, lies: Affine, size: tuple[int, int] | None = (20, 10)) -> np.ndarray:
    """(30, 40, 3): the veil over a ground, at one screen px per px of the IHC."""
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(GROUND)
    veil = Veil(Plain(QColor(200, 100, 50)), lambda: size, lambda: Alignment(lies), lambda: shown, SURROUND)
    painter = QPainter(image)
    veil.paint(painter, QTransform(), QRectF(0, 0, 40, 30))
    painter.end()
    return pixels_of(image)


def test_nothing_is_painted_where_nothing_is_shown() -> None:
    for picture in (painted(None, Affine()), painted(VeilShown(1, 1), Affine(), None)):
        assert (picture == (10, 20, 30)).all()


def test_it_lies_where_the_alignment_says_and_around_it_is_surround() -> None:
    picture = painted(VeilShown(1.0, 1.0), Affine(tx=5.0, ty=7.0))
    assert (picture[7:17, 5:25] == (200, 100, 50)).all()
    picture[7:17, 5:25] = (118, 118, 118)
    assert (picture == (118, 118, 118)).all()


def test_it_ends_at_the_line() -> None:
    picture = painted(VeilShown(0.25, 1.0), Affine(2.0, 0, 0, 0, 3.0, 0))
    assert (picture[:, :10] == (200, 100, 50)).all()
    assert (picture[:, 10:] == (10, 20, 30)).all()


def test_half_seen_through() -> None:
    picture = painted(VeilShown(1.0, 0.5), Affine(2.0, 0, 0, 0, 3.0, 0)).astype(int)
    assert np.abs(picture - (105, 60, 40)).max() <= 1


def test_qt_takes_the_same_map() -> None:
    affine = Affine.similarity(1.3, 25, (4, -5), mirrored=True)
    at = as_transform(affine).map(QPointF(7, 9))
    assert (at.x(), at.y()) == pytest.approx(affine(7, 9))


def test_a_bend_is_exact_in_the_middle_of_what_is_seen() -> None:
    points = np.array([(0, 0), (40, 0), (0, 30), (40, 30), (20, 15)], float)
    away = np.array([(0, 0), (1, 0), (0, 1), (0, 0), (3, -2)])
    bent = Alignment(Affine(tx=2.0), ThinPlate.through(points, points + away))
    seen = touching(bent, QTransform.fromTranslate(10, 5), QRectF(0, 0, 40, 30))
    middle = bent.to_he([(10, 10)])
    assert seen.points(middle)[0] == pytest.approx((10, 10), abs=1e-3)
    assert seen.points(middle + 0.5)[0] == pytest.approx(bent.to_ihc(middle + 0.5)[0], abs=0.02)

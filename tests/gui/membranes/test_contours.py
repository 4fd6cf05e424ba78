import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from her2viewer.gui.fields.placing import Placing
from her2viewer.gui.membranes.contours import CORNERS, SQUARE, Contours
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.thin_plate import ThinPlate
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.stains import Stain

from .conftest import RADIUS, made

ALL = QRectF(-1e5, -1e5, 2e5, 2e5)
SHIFTED = Alignment(Affine.stretch(2.0, 30.0, 2.0, -10.0))


def test_each_grade_has_its_own_cells_where_they_were_found() -> None:
    reading = made()
    contours = Contours(reading.cells, Placing(Stain.IHC, SHIFTED))
    for grade in Grade:
        (path,) = contours.paths(grade, ALL, 1.0)
        frame = path.boundingRect()
        x, y = reading.cells.centre[grade]
        assert (frame.center() - QPointF(x, y)).manhattanLength() < 0.1
        assert frame.width() == pytest.approx(2 * RADIUS, abs=0.2)


def test_in_the_he_they_lie_where_the_alignment_puts_them() -> None:
    reading = made()
    contours = Contours(reading.cells, Placing(Stain.HE, SHIFTED))
    expected = SHIFTED.to_he(reading.cells.contour.reshape(-1, 2)).reshape(-1, 32, 2)
    assert np.abs(contours.outline - expected).max() < 1e-6
    assert np.abs(contours.centre - SHIFTED.to_he(reading.cells.centre)).max() < 1e-6


def test_a_bent_alignment_carries_each_cell_by_its_middle_to_within_a_pixel() -> None:
    reading = made()
    at = np.array([(0.0, 0.0), (256.0, 0.0), (0.0, 256.0), (256.0, 256.0), (128.0, 128.0)])
    moved = at + np.array([(0, 0), (3, 0), (0, 3), (0, 0), (4, -2)])
    bent = Alignment(SHIFTED.he_to_ihc, ThinPlate.through(at, moved))
    contours = Contours(reading.cells, Placing(Stain.HE, bent))
    expected = bent.to_he(reading.cells.contour.reshape(-1, 2)).reshape(-1, 32, 2)
    assert np.abs(contours.outline - expected).max() < 1.0


def test_far_squares_are_not_painted_and_small_cells_have_fewer_corners() -> None:
    centres = tuple((40.0 + 4 * SQUARE * i, 40.0) for i in range(8))
    contours = Contours(made(centres).cells, Placing(Stain.IHC, SHIFTED))
    assert len(contours.paths(Grade.NONE, ALL, 1.0)) == 2
    assert len(contours.paths(Grade.NONE, QRectF(0, 0, 200, 200), 1.0)) == 1
    (coarse,), (fine,) = (contours.paths(Grade.NONE, QRectF(0, 0, 200, 200), scale) for scale in (0.1, 8.0))
    assert contours.corners(0.1) == CORNERS[0] and contours.corners(8.0) == CORNERS[-1]
    assert coarse.elementCount() < fine.elementCount()


def test_no_cell_has_no_path() -> None:
    contours = Contours(made(()).cells, Placing(Stain.IHC, SHIFTED))
    assert contours.paths(Grade.NONE, ALL, 1.0) == [] and contours.size == 0

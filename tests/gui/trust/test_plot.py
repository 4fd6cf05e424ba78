"""Where curves are named, and that they can be told apart without colour."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from her2viewer.gui.trust.plot import CurvePlot, charts, placed_names
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import Perturbation

from ..conftest import FakeScorer, fake_report, tissue

AREA = QRectF(32, 26, 230, 80)
WIDTHS = {"map": 30.0, "middle": 44.0, "random": 50.0}


@pytest.fixture
def perturbation() -> Perturbation:
    field = FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC))
    return fake_report(FakeScorer().score(field).attribution("2+"), field).perturbation


def test_the_charts_hold_the_curves_and_the_band_of_random_maps(perturbation: Perturbation) -> None:
    deletion, insertion = charts(perturbation)
    assert np.array_equal(deletion.of_map, perturbation.of_map.deletion)
    assert np.array_equal(insertion.centre, perturbation.centre.insertion)
    for curves in perturbation.random:
        assert (deletion.low <= curves.deletion).all() and (curves.deletion <= deletion.high).all()
        assert (insertion.low <= curves.insertion).all() and (curves.insertion <= insertion.high).all()
        # What goes with its negative is what came with the map; the shares are symmetric.
        negative = curves.insertion[::-1]
        assert (deletion.low <= negative + 1e-9).all() and (negative - 1e-9 <= deletion.high).all()


def test_names_lie_in_the_chart_on_no_other_name_and_clear_of_other_curves(perturbation: Perturbation) -> None:
    for chart in charts(perturbation):
        placed = placed_names(chart, AREA, WIDTHS, 16)
        assert set(placed) == set(WIDTHS)
        rects = list(placed.values())
        assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[i + 1 :])
        assert all(AREA.adjusted(-2, -2, 2, 2).contains(rect) for rect in rects)
        xs = np.linspace(placed["map"].left(), placed["map"].right(), 9)
        share = (xs - AREA.left()) / AREA.width()
        ys = AREA.bottom() - AREA.height() * np.interp(share, chart.share, chart.centre)
        assert not ((ys > placed["map"].top()) & (ys < placed["map"].bottom())).any()


def test_where_all_curves_are_flat_and_alike_the_plot_still_draws(qtbot: QtBot, perturbation: Perturbation) -> None:
    plot = CurvePlot()
    qtbot.addWidget(plot)
    plot.resize(272, plot.sizeHint().height())
    empty = plot.grab().toImage()
    plot.show_curves(perturbation)
    drawn = plot.grab().toImage()
    assert drawn != empty and "deletion" in plot.accessibleDescription()
    grey = drawn.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    assert np.unique(rows).size > 20
    plot.show_curves(None)
    assert plot.grab().toImage() == empty

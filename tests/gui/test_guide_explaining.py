"""Questions to the map in a real window with the model that ships, as the guide shows them."""

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.errors import PackageError
from her2viewer.gui.app import App
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.package import bundled_package

from .conftest import opened
from .guide import Photograph


def test_why_this_score_and_not_another(
    qapp: QApplication, qtbot: QtBot, settings: Settings, guide_picture: Photograph
) -> None:
    try:
        bundled_package()
    except PackageError:
        pytest.skip("no model ships with this checkout yet")
    pair = demo_pair()
    assert pair is not None
    settings.model = ModelWish(None, "cpu")
    app = App(qapp, settings)
    app.start()
    app.window.resize(1440, 900)
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY, timeout=60_000)
    opened(app, qtbot, pair)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED, timeout=60_000)
    panel, classes = app.window.explain_panel, app.store.state.model.facts.classes
    score = app.store.state.target
    other = classes[classes.index(score) - 1]
    for name, data in (("why_not", other), ("method", "LayerCAM"), ("stage", "fused")):
        box = panel.findChild(QComboBox, name)
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(box.currentIndex())
        qtbot.waitUntil(lambda: not app.store.state.drawn.pending, timeout=60_000)
    drawn = app.store.state.drawn.attribution
    assert drawn is not None and drawn.request == MapRequest(score, "fused", "LayerCAM", against=other)
    assert drawn.peak > 0
    width = panel.visibleRegion().boundingRect().width()
    for widget in (*panel.findChildren(QComboBox), *panel.findChildren(QPushButton)):
        assert widget.mapTo(panel, widget.rect().topRight()).x() < width, "nothing is cut off"
    assert app.window.size().toTuple() == (1440, 900)
    for pane in app.window.panes.values():
        pane.view.viewport().grab()
        qtbot.waitUntil(lambda pane=pane: pane.view.mosaic.settled)
    guide_picture(app.window, "why-not")
    app.window.close()

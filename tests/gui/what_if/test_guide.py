"""The picture of the varied DAB for the user guide, with the bundled model on a phantom pair."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.gui.what_if.resolve import dab_vectors
from her2viewer.scoring.stains import Stain

from ..conftest import opened
from ..guide import Photograph


@pytest.mark.parametrize(("theme", "name"), [(ThemeChoice.LIGHT, "what-if")])
def test_what_if_with_the_bundled_model(
    qapp: QApplication, qtbot: QtBot, settings: Settings, guide_picture: Photograph, theme: ThemeChoice, name: str
) -> None:
    pair = demo_pair()
    assert pair is not None
    settings.theme = theme
    app = App(qapp, settings)
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    opened(app, qtbot, pair)
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    qtbot.waitUntil(lambda: dab_vectors(app.store.state) is not None)
    qtbot.keyClick(app.window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: app.store.state.what_if.found is not None)
    evidence, found = app.store.state.scoring.evidence, app.store.state.what_if.found
    assert evidence is not None and found is not None
    assert found.score == evidence.prediction.score
    assert found.probabilities_at(1.0) == pytest.approx(evidence.prediction.probabilities, abs=1e-5)
    app.window.what_if_panel.slider.setValue(60)
    view = app.window.panes[Stain.IHC].view
    view.viewport().grab()
    qtbot.waitUntil(lambda: view.mosaic.settled and view.mosaic.colouring.words == "DAB x 0.60")
    app.window.reveal_answer(app.window.what_if_panel)
    qtbot.wait(1)
    guide_picture(app.window, name, 82)
    app.window.close()

"""The pictures of readings for the user guide, made by reading phantoms beside the bundled model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.cases.library.library import Library
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.frame.hints import HINTS
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from training.phantom.pair import make_phantom

from ..conftest import write
from ..guide import Photograph
from .conftest import known, read, scored, settled
from .test_agreement import fill

Key = Qt.Key
SEED = 7


@pytest.fixture
def real(
    qtbot: QtBot, qapp: QApplication, settings: Settings, tmp_path: Path, pytestconfig: pytest.Config
) -> Iterator[App]:
    """The whole app with its own model, and four phantoms listed; small where no picture is kept."""
    for index in range(4):
        phantom = make_phantom(SEED, index, 1024 if pytestconfig.getoption("--guide") else 256)
        for place, image in (("HE", phantom.he), ("IHC", phantom.ihc)):
            write(tmp_path / "study" / place / f"{index:05}_train_{phantom.label}.png", image)
    settings.hints_gone = [hint.id for hint in HINTS]
    settings.theme = ThemeChoice.LIGHT
    settings.blind_first = True
    app = App(qapp, settings)
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    app.cases.open_folder(tmp_path / "study")
    known(app, qtbot)
    yield app
    app.window.close()


def calm(app: App, qtbot: QtBot) -> None:
    settled(app, qtbot)
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    qtbot.waitUntil(lambda: all(pane.view.mosaic.settled for pane in app.window.panes.values()))


def test_a_case_read_blind_then_beside_the_model(
    real: App, qtbot: QtBot, tmp_path: Path, guide_picture: Photograph
) -> None:
    scored(real, qtbot)
    calm(real, qtbot)
    assert real.store.state.scoring.phase is ScorePhase.SEALED
    guide_picture(real.window, "blind-first")
    read(real, qtbot, "2+")
    qtbot.keyClicks(real.window.reading_panel.reason, "moderate, incomplete")
    qtbot.keyClick(real.window.reading_panel.reason, Key.Key_Return)
    qtbot.waitUntil(lambda: real.store.state.readings.reading.reason == "moderate, incomplete")
    real.window.body.setFocus()
    calm(real, qtbot)
    assert real.store.state.scoring.phase is ScorePhase.SCORED
    guide_picture(real.window, "reading")
    classes = ("0", "1+", "2+", "3+")
    seen = [(classes[n % 4], classes[min(max(n % 4 + (n % 5 == 0) - (n % 7 == 0), 0), 3)], n % 3 == 0) for n in range(24)]
    facts = real.store.state.model.facts
    assert facts is not None
    model = facts.identity
    with Library(real.library.keeper.path) as library:
        fill(library, tmp_path / "others", seen, f"{model.name} {model.version}", model.sha256)
    real.window.actions_[Id.AGREEMENT].trigger()
    dialog = real.readings.agreement.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.counted.text().startswith("25 cases"))
    guide_picture(dialog, "agreement")

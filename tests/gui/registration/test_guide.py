"""A turned phantom pair, registered for real in a real window; the pictures of the user guide."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.bench import load_scorer
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase
from her2viewer.imaging.affine import Affine
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, fake_package, opened, write
from ..guide import Photograph

TURN = Affine.similarity(1.0, 20.0, (15.0, -22.0), about=(512.0, 512.0))
"""From the H&E of the demo pair to the H&E that is shown."""

SPOTS = {(320, 300): (2, -1), (730, 330): (-3, 2), (460, 560): (3, 3), (690, 700): (-2, -3)}
"""Level-0 px of the IHC, and how far off a landmark is set there."""


@pytest.fixture
def turned_pair(tmp_path: Path) -> tuple[Path, Path]:
    """The demo pair with its H&E turned by 20 degrees and shifted."""
    pair = demo_pair()
    if pair is None:
        pytest.skip("no demo pair ships with this checkout")
    he = cv2.imread(str(pair[0]))[..., ::-1]
    ground = np.percentile(he.reshape(-1, 3), 98, axis=0).tolist()
    shown = cv2.warpAffine(he, TURN.indices, he.shape[1::-1], flags=cv2.INTER_CUBIC, borderValue=ground)
    return write(tmp_path / "turned_HE.png", shown), pair[1]


@pytest.fixture
def guide_app(
    qtbot: QtBot,
    qapp: QApplication,
    settings: Settings,
    scorer: FakeScorer,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    turned_pair: tuple[Path, Path],
) -> Iterator[App]:
    """The turned pair at the guide's size; with the model that ships where pictures are kept."""
    real = pytestconfig.getoption("--guide")
    app = App(qapp, settings, loader=load_scorer if real else lambda _: (scorer, fake_package(tmp_path)))
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    opened(app, qtbot, turned_pair)
    yield app
    app.window.close()


def ready(app: App, qtbot: QtBot) -> None:
    """Waits until everything on screen is as sharp as it gets, and stands where it belongs."""
    panes, strip = app.window.panes, app.registration.strip
    qtbot.waitUntil(lambda: all(pane.view.mosaic.settled for pane in panes.values()))
    qtbot.waitUntil(lambda: panes[Stain.HE].isVisible() or panes[Stain.IHC].x() == 0)
    qtbot.waitUntil(lambda: not strip.isVisible() or all(chip.isVisible() for chip in strip.findChildren(QPushButton)))


def test_a_turned_phantom_is_registered_and_shown(guide_app: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    app = guide_app
    qtbot.keyClick(app.window, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: app.store.state.registration.progress is None, timeout=90_000)
    alignment = app.store.state.registration.alignment
    assert alignment is not None and alignment.origin == "automatic"
    truth = TURN.inverse()
    corners = [(300, 300), (700, 300), (300, 700), (700, 700), (512, 512)]
    # The two sections of the phantom are bent against each other by some pixels of their own.
    assert np.hypot(*(alignment.to_ihc(corners) - truth.points(corners)).T).max() < 6
    app.window.messages.hide()
    app.window.actions_[ActionId.LANDMARKS].trigger()
    for at, away in SPOTS.items():
        app.registration.controller.place(Stain.HE, tuple(alignment.to_he([at])[0]))
        app.registration.controller.place(Stain.IHC, (at[0] + away[0], at[1] + away[1]))
    assert app.store.state.registration.alignment.origin == "landmarks"
    app.window.panes[Stain.IHC].view.zoom_at(1.9)
    ready(app, qtbot)
    guide_picture(app.window, "registration-landmarks")
    app.window.fit()
    app.registration.controller.leave()
    app.registration.controller.undo()
    assert app.store.state.registration.alignment is alignment
    for mode, name in ((CompareMode.SWIPE, "compare-swipe"), (CompareMode.BLEND, "compare-blend")):
        app.window.actions_[ActionId(mode)].trigger()
        ready(app, qtbot)
        guide_picture(app.window, name)

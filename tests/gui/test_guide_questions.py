"""A score of the demo pair questioned with the model that ships: the pictures of the guide."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.frame.hints import HINTS
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.gui.trust.resolve import resolve_trust
from her2viewer.scoring.stains import Stain

from .conftest import opened
from .guide import Photograph

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def real(qtbot: QtBot, qapp: QApplication, settings: Settings) -> Iterator[App]:
    """A window of 1440 x 900 with the demo pair scored by the bundled model."""
    pair = demo_pair()
    assert pair is not None
    settings.theme = ThemeChoice.LIGHT
    settings.hints_gone = [hint.id for hint in HINTS]
    app = App(qapp, settings)
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY, timeout=120_000)
    opened(app, qtbot, pair)
    app.store.change(overview_map=False)
    qtbot.keyClick(app.window, Key.Key_S)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED, timeout=120_000)
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None, timeout=120_000)
    yield app
    app.window.close()


def seen(app: App, qtbot: QtBot, part: QWidget) -> None:
    """A part of the side panel at its top, and everything laid out and there."""
    views = [pane.view for pane in app.window.panes.values()]
    qtbot.waitUntil(lambda: not app.lanes.files.busy and all(view.mosaic.settled for view in views))
    column = part.parentWidget()
    assert column is not None
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    # Everything has the room that it asks for once the column has grown with its parts.
    parts = [one for one in part.findChildren(QWidget) if one.isVisibleTo(part)]
    qtbot.waitUntil(lambda: all(one.height() >= one.minimumSizeHint().height() for one in parts))
    app.window._answer.verticalScrollBar().setValue(part.y() if part is not app.window.score_panel else 0)
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def test_the_demo_pairs_map_is_questioned(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    qtbot.keyClick(real.window, Key.Key_Q)
    qtbot.waitUntil(lambda: real.store.state.trust.report is not None, timeout=240_000)
    shown = resolve_trust(real.store.state)
    report = real.store.state.trust.report
    assert report is not None and shown.headline == report.headline and len(shown.rows) == 3
    seen(real, qtbot, real.window.trust_panel)
    guide_picture(real.window, "trust", 80)
    assert shown.can_show_untrained
    qtbot.keyClick(real.window, Key.Key_Q, SHIFT)
    seen(real, qtbot, real.window.explain_panel)
    guide_picture(real.window, "untrained-map", 80)


def test_the_demo_pairs_membranes_are_read_beside_the_network(
    real: App, qtbot: QtBot, guide_picture: Photograph
) -> None:
    qtbot.keyClick(real.window, Key.Key_C, SHIFT)
    qtbot.waitUntil(lambda: real.store.state.membranes.reading is not None, timeout=120_000)
    real.store.change(overlay_on=False)
    reading = real.store.state.membranes.reading
    assert reading is not None and len(reading.cells) > 100
    view = real.window.panes[Stain.IHC].view
    view.zoom_at(2.5)
    seen(real, qtbot, real.window.membranes_panel)
    middle = view.from_screen(view.rect().center().toPointF())
    nearest = ((reading.cells.centre - middle) ** 2).sum(axis=1).argmin()
    at = view.to_screen(*reading.cells.centre[nearest].tolist()).toPoint()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: real.store.state.membranes.chosen is not None)
    seen(real, qtbot, real.window.membranes_panel)
    guide_picture(real.window, "membranes", 72)


def test_the_demo_pairs_checks_are_listed(real: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    checks = real.window.score_panel.checks
    assert "checks passed" in checks.fold.heading.text() or "checks failed" in checks.fold.heading.text()
    checks.fold.heading.click()
    seen(real, qtbot, real.window.score_panel)
    guide_picture(real.window, "checks", 80)

"""A map questioned in a real window with a scorer that answers at once, or waits to be cancelled."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from her2viewer.errors import ImageError
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.trust.resolve import UNTRAINED
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, opened, opened_alone
from ..test_pane import pixels_of

Key = Qt.Key


def question(app: App, qtbot: QtBot) -> None:
    qtbot.keyClick(app.window, Key.Key_Q)
    qtbot.waitUntil(lambda: app.store.state.trust.report is not None)


def test_q_measures_the_map_on_screen_and_shows_the_verdict_first(scored_app: App, qtbot: QtBot) -> None:
    app, panel = scored_app, scored_app.window.trust_panel
    assert panel.ask.isEnabled() and not panel.plot.isVisible()
    question(app, qtbot)
    report = app.store.state.trust.report
    assert report is not None and report.attribution is app.store.state.drawn.attribution
    assert report.membrane is not None, "the field was read again"
    assert panel._headline.text() == report.headline and panel.plot.isVisible() and not panel.ask.isVisible()
    assert panel._labels[0][1].text() == "map 41%, random 23%, area 21%"
    assert all(figures.toolTip() for _, figures in panel._labels)


def test_it_is_forgotten_with_the_map_and_known_again_with_it(
    scored_app: App, qtbot: QtBot, scorer: FakeScorer, other_pair: tuple[Path, Path]
) -> None:
    app = scored_app
    question(app, qtbot)
    report = app.store.state.trust.report
    qtbot.keyClick(app.window, Key.Key_Period)
    qtbot.waitUntil(lambda: not app.store.state.drawn.pending)
    assert app.store.state.trust.report is None and app.window.trust_panel.ask.isVisible()
    qtbot.keyClick(app.window, Key.Key_Comma)
    assert app.store.state.trust.report is report and scorer.questioned == 1
    opened(app, qtbot, other_pair)
    assert app.store.state.trust.report is None
    assert not app.window.actions_[ActionId.QUESTION_MAP].isEnabled()


def test_the_map_of_an_ihc_alone_is_questioned(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened_alone(app, qtbot, pair[1])
    qtbot.waitUntil(lambda: app.store.state.drawn.attribution is not None)
    question(app, qtbot)
    assert app.window.trust_panel.plot.isVisible()


def test_another_scale_is_another_question(scored_app: App, qtbot: QtBot) -> None:
    app = scored_app
    question(app, qtbot)
    image = app.store.state.image(Stain.IHC)
    assert image is not None
    app.store.change(scales=app.store.state.scales.typed(image.source, 0.25))
    assert app.store.state.trust.report is None
    question(app, qtbot)
    report = app.store.state.trust.report
    assert report is not None and report.membrane is not None and report.membrane.mpp == 0.25


def test_it_can_be_cancelled_and_a_stale_answer_is_dropped(scored_app: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    app = scored_app
    scorer.gate.clear()
    qtbot.keyClick(app.window, Key.Key_Q)
    qtbot.waitUntil(lambda: scorer.questioned == 1)
    assert app.window.trust_panel.cancel.isVisible()
    qtbot.keyClick(app.window, Key.Key_Escape)
    assert not app.store.state.trust.asking and app.store.state.trust.report is None
    qtbot.waitUntil(lambda: not app.lanes.inference.busy)
    qtbot.keyClick(app.window, Key.Key_Q)
    qtbot.waitUntil(lambda: scorer.questioned == 2)
    qtbot.keyClick(app.window, Key.Key_Period)  # another class's map comes: nobody waits for this one any more
    scorer.gate.set()
    qtbot.waitUntil(lambda: not app.lanes.inference.busy)
    assert app.store.state.trust.report is None and not app.store.state.trust.asking


def test_a_field_that_cannot_be_read_again_is_said(scored_app: App, qtbot: QtBot) -> None:
    app = scored_app
    pair = app.store.state.pair
    assert pair is not None

    def gone(*_: object) -> None:
        raise ImageError("it is gone", path=pair[0].source.path, remedy="open it again")

    app.window.trust_panel.show()
    pair[0].source.read = gone  # type: ignore[method-assign]
    qtbot.keyClick(app.window, Key.Key_Q)
    qtbot.waitUntil(lambda: app.store.state.trust.error is not None)
    assert "it is gone" in app.window.trust_panel._words.text().lower() and app.window.trust_panel.ask.isEnabled()


def test_the_untrained_networks_map_says_what_it_is_in_both_panes(scored_app: App, qtbot: QtBot) -> None:
    app = scored_app
    app.set_map(None, "layer4")
    question(app, qtbot)
    app.store.change(overlay_on=False)
    views = [pane.view for pane in app.window.panes.values()]
    qtbot.waitUntil(lambda: all(view.mosaic.settled for view in views))
    before = [pixels_of(view.viewport().grab().toImage()) for view in views]
    app.window.trust_panel.untrained.click()
    assert app.store.state.trust.untrained and app.window.actions_[ActionId.UNTRAINED_MAP].isChecked()
    after = [pixels_of(view.viewport().grab().toImage()) for view in views]
    for old, new in zip(before, after, strict=True):
        plate = np.abs(old[45:60].astype(int) - new[45:60]).max(axis=(0, 2))
        middle = old.shape[1] // 2
        assert (plate[middle - 40 : middle + 40] > 60).any() and not (plate[:8] > 60).any()
    assert UNTRAINED in app.window.explain_panel._legend._note.text()
    qtbot.keyClick(app.window, Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    again = [pixels_of(view.viewport().grab().toImage()) for view in views]
    assert all(np.array_equal(a, b) for a, b in zip(before, again, strict=True))
    app.trust.show_untrained(True)
    qtbot.keyClick(app.window, Key.Key_Period)
    assert not app.store.state.trust.untrained

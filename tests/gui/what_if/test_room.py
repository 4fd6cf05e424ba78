"""The DAB varied in a real window: the very pixels, the very probabilities, and nothing left behind."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.what_if.resolve import dab_vectors, resolve_what_if, said_at
from her2viewer.imaging.separation import remixed
from her2viewer.imaging.stain_views import StainView
from her2viewer.scoring.preprocess import compose
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, opened, tissue
from ..test_pane import pixels_of

IHC = tissue(2, stain=Stain.IHC)
Key = Qt.Key


@pytest.fixture
def varied(scored_app: App, qtbot: QtBot) -> App:
    """An app whose pair is scored, with the DAB to be varied."""
    app = scored_app
    qtbot.waitUntil(lambda: dab_vectors(app.store.state) is not None)
    app.store.change(overlay_on=False)
    qtbot.keyClick(app.window, Key.Key_W)
    qtbot.waitUntil(lambda: app.store.state.what_if.found is not None)
    return app


def shown(app: App, qtbot: QtBot, stain: Stain = Stain.IHC) -> np.ndarray:
    """The image at 1:1 as its pane shows it, once it follows the slider."""
    view = app.window.panes[stain].view
    width, height = view.viewport_pixels()
    view.go(Viewpoint(128 + width % 2 / 2, 128 + height % 2 / 2, 1.0))
    view.viewport().grab()

    def follows() -> bool:
        return app.store.state.what_if.painted == app.store.state.what_if.factor and view.mosaic.settled

    qtbot.waitUntil(follows)
    corner = view.to_screen(0, 0)
    x, y = round(corner.x()), round(corner.y())
    return pixels_of(view.viewport().grab().toImage())[y : y + 256, x : x + 256]


def test_the_slider_alters_the_ihc_and_leaving_restores_it(varied: App, qtbot: QtBot) -> None:
    app, panel = varied, varied.window.what_if_panel
    vectors = dab_vectors(app.store.state)
    assert vectors is not None
    he = shown(app, qtbot, Stain.HE)
    assert np.array_equal(shown(app, qtbot), IHC)  # as it is: the very pixels, and nothing that says otherwise
    caution = app.window.panes[Stain.IHC]._caution
    assert caution.isHidden()
    for value in (160, 0, 300):
        panel.slider.setValue(value)
        assert np.array_equal(shown(app, qtbot), remixed(IHC, vectors, 1, value / 100))
        assert caution.isVisible() and caution.text() == f"Altered: DAB x {value / 100:.2f}, not the slide"
    assert np.array_equal(shown(app, qtbot, Stain.HE), he)
    panel.back.click()
    assert np.array_equal(shown(app, qtbot), IHC) and caution.isHidden()
    panel.slider.setValue(50)
    shown(app, qtbot)
    panel.switch.click()
    assert np.array_equal(shown(app, qtbot), IHC) and caution.isHidden()
    assert not panel.slider.isVisible() and not panel.plot.isVisible()


def test_the_score_stays_and_nothing_is_computed_while_dragging(varied: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    app, evidence = varied, varied.store.state.scoring.evidence
    assert evidence is not None
    passes, scored = scorer.passes, scorer.scored
    for value in range(0, 301, 30):
        app.window.what_if_panel.slider.setValue(value)
    shown(app, qtbot)
    assert app.store.state.scoring.evidence is evidence
    assert app.window.score_panel._score.text() == evidence.prediction.score
    assert (scorer.passes, scorer.scored) == (passes, scored)


def test_what_it_says_is_what_the_model_says_of_such_a_field(varied: App, scorer: FakeScorer) -> None:
    state = varied.store.state
    evidence, found, vectors = state.scoring.evidence, state.what_if.found, dab_vectors(state)
    assert evidence is not None and found is not None and vectors is not None
    pixels = {Stain.HE: tissue(1), Stain.IHC: remixed(IHC, vectors, 1, 1.6)}
    (expected,) = scorer.probabilities([compose(pixels, evidence.layout)])
    assert found.probabilities_at(1.6) == pytest.approx(expected)
    varied.window.what_if_panel.slider.setValue(160)
    words = varied.window.what_if_panel._said.text()
    assert words == said_at(found, 1.6) and found.classes[int(expected.argmax())] in words
    assert found.borders and found.words == varied.window.what_if_panel._words.text()
    assert varied.window.what_if_panel.plot.accessibleDescription() == found.words


def test_the_plot_can_be_dragged(varied: App, qtbot: QtBot) -> None:
    plot = varied.window.what_if_panel.plot
    qtbot.waitUntil(lambda: plot.width() > 100)
    place = QPointF(plot._x(2.0), plot.height() / 2).toPoint()
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=place)
    assert varied.store.state.what_if.factor == pytest.approx(2.0, abs=0.02)
    qtbot.mouseMove(plot, QPointF(5000, 10).toPoint())
    picture = pixels_of(plot.grab().toImage())
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_a_stain_view_another_score_or_another_pair_ends_it(
    varied: App, qtbot: QtBot, other_pair: tuple[Path, Path]
) -> None:
    app = varied
    app.window.what_if_panel.slider.setValue(200)
    qtbot.keyClick(app.window, Key.Key_3)
    assert app.store.state.stain_viewing.view is StainView.SECOND and not app.store.state.what_if.on
    qtbot.keyClick(app.window, Key.Key_1)
    qtbot.keyClick(app.window, Key.Key_W)
    qtbot.waitUntil(lambda: app.store.state.what_if.found is not None)
    app.scoring.score()
    assert not app.store.state.what_if.on
    qtbot.waitUntil(lambda: app.store.state.scoring.evidence is not None)
    qtbot.keyClick(app.window, Key.Key_W)
    opened(app, qtbot, other_pair)
    assert not app.store.state.what_if.on
    assert not app.window.actions_[ActionId.WHAT_IF].isEnabled()


def test_the_map_is_hidden_meanwhile(varied: App) -> None:
    app = varied
    app.store.change(overlay_on=True)
    view = app.window.panes[Stain.IHC].view
    assert not view._overlay_visible
    app.window.what_if_panel.switch.click()
    assert view._overlay_visible


def test_esc_stops_it_while_it_is_computed(scored_app: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    app = scored_app
    qtbot.waitUntil(lambda: dab_vectors(app.store.state) is not None)
    scorer.gate.clear()
    app.what_if.set_on(True)
    shown = resolve_what_if(app.store.state)
    assert shown.on and shown.found is None and shown.words.startswith("Scoring the field")
    assert app.window.actions_[ActionId.CANCEL].isEnabled()
    app.cancel()
    assert not app.store.state.what_if.on
    scorer.gate.set()
    qtbot.waitUntil(lambda: not app.lanes.inference.busy)
    assert app.store.state.what_if.found is None

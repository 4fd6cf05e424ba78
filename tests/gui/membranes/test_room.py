"""The membranes of a phantom read in a real window, beside a scorer that is quick."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.membranes.room import LARGEST_UNASKED
from her2viewer.gui.membranes.state import MembraneState
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.gui.state import ScorePhase
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, opened
from ..test_pane import pixels_of
from .conftest import made

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def phantom_app(app: App, qtbot: QtBot, phantom_pair: tuple[Path, Path]) -> App:
    opened(app, qtbot, phantom_pair)
    return app


def read(app: App, qtbot: QtBot) -> None:
    qtbot.keyClick(app.window, Key.Key_C, SHIFT)
    qtbot.waitUntil(lambda: app.store.state.membranes.reading is not None)


def score(app: App, qtbot: QtBot) -> None:
    app.scoring.score()
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)


def placed(app: App, qtbot: QtBot, **fields: object) -> None:
    """Cells of known places over the pair on screen."""
    reading = made()
    app.store.change(membranes=MembraneState(reading, FieldOfView.whole((512, 512)), cells_shown=True, **fields))
    views = [pane.view for pane in app.window.panes.values()]
    for view in views:
        view.go(Viewpoint(128, 128, 1.0))
    qtbot.waitUntil(lambda: all(view.mosaic.settled for view in views))


def test_membranes_are_read_without_a_score_and_the_cells_shown(phantom_app: App, qtbot: QtBot) -> None:
    app, panel = phantom_app, phantom_app.window.membranes_panel
    read(app, qtbot)
    state = app.store.state.membranes
    assert state.reading is not None and state.reading.score is not None and len(state.reading.cells) >= 30
    assert state.cells_shown and state.field == FieldOfView.whole((512, 512))
    assert panel._score.text() == state.reading.score and panel.bars.isVisible() and not panel.read.isVisible()
    assert app.window.actions_[ActionId.SHOW_CELLS].isChecked()
    qtbot.keyClick(app.window, Key.Key_C)
    assert not app.store.state.membranes.cells_shown and not panel.cells.isChecked()


def test_a_score_of_the_same_field_is_set_beside_it(phantom_app: App, qtbot: QtBot) -> None:
    app = phantom_app
    read(app, qtbot)
    reading = app.store.state.membranes.reading
    score(app, qtbot)
    assert app.store.state.membranes.reading is reading, "read once"
    evidence = app.store.state.scoring.evidence
    assert evidence is not None
    assert app.window.membranes_panel._network.text() == evidence.prediction.score
    assert any(name.text() == "Membranes" for name, _ in app.window.score_panel._facts._rows)


def test_by_itself_after_a_score_in_its_own_lane_and_the_cells_wait_to_be_asked_for(
    phantom_app: App, qtbot: QtBot
) -> None:
    app = phantom_app
    app.window.membranes_panel.always.click()
    assert app.settings.membranes_after_score
    score(app, qtbot)
    qtbot.waitUntil(lambda: app.store.state.membranes.reading is not None)
    assert not app.store.state.membranes.cells_shown


def test_a_large_field_is_read_only_when_asked_for(phantom_app: App, qtbot: QtBot) -> None:
    app = phantom_app
    score(app, qtbot)
    app.settings.membranes_after_score = True
    state = app.store.state
    evidence = state.scoring.evidence
    assert evidence is not None and app.membranes._is_due(state)
    large = {stain: FieldOfView.whole((int(LARGEST_UNASKED) + 1, 100)) for stain in Stain}
    large_one = replace(evidence, prediction=replace(evidence.prediction, fields=large))
    assert not app.membranes._is_due(replace(state, scoring=replace(state.scoring, evidence=large_one)))


def test_another_pair_a_typed_scale_or_another_field_forgets_it(
    phantom_app: App, qtbot: QtBot, pair: tuple[Path, Path]
) -> None:
    app = phantom_app
    read(app, qtbot)
    image = app.store.state.image(Stain.IHC)
    assert image is not None
    app.store.change(scales=app.store.state.scales.typed(image.source, 0.25))
    assert app.store.state.membranes.reading is None
    read(app, qtbot)
    opened(app, qtbot, pair)
    assert app.store.state.membranes.reading is None and app.window.membranes_panel.read.isVisible()


def test_an_ihc_alone_is_read_and_its_cells_are_drawn(app: App, qtbot: QtBot, phantom_pair: tuple[Path, Path]) -> None:
    app.images.open({Stain.IHC: phantom_pair[1]})
    qtbot.waitUntil(lambda: app.store.state.image(Stain.IHC) is not None)
    view = app.window.panes[Stain.IHC].view
    qtbot.waitUntil(lambda: view.mosaic.settled)
    plain = pixels_of(view.viewport().grab().toImage())
    read(app, qtbot)
    assert (pixels_of(view.viewport().grab().toImage()) != plain).any()
    # The H&E beside it changes nothing of what was read of the IHC.
    reading = app.store.state.membranes.reading
    app.images.open({Stain.HE: phantom_pair[0]})
    qtbot.waitUntil(lambda: app.store.state.pair is not None)
    assert app.store.state.membranes.reading is reading


def test_it_can_be_cancelled(phantom_app: App, qtbot: QtBot) -> None:
    app = phantom_app
    app.membranes.read()
    assert app.store.state.membranes.busy and app.window.membranes_panel.cancel.isVisible()
    qtbot.keyClick(app.window, Key.Key_Escape)
    assert not app.store.state.membranes.busy
    qtbot.waitUntil(lambda: not app.membranes.lane.busy and not app.lanes.files.busy)
    assert app.store.state.membranes.reading is None


def test_cells_are_drawn_in_both_panes_where_they_lie(phantom_app: App, qtbot: QtBot) -> None:
    app = phantom_app
    views = {stain: pane.view for stain, pane in app.window.panes.items()}
    registration = replace(app.store.state.registration, alignment=Alignment(Affine.stretch(1.0, 20.0, 1.0, 10.0)))
    app.store.change(registration=registration, linked=False)
    app.window.link.set_on(False)
    placed(app, qtbot)
    app.store.change(membranes=replace(app.store.state.membranes, cells_shown=False))
    plain = {stain: pixels_of(view.viewport().grab().toImage()).astype(int) for stain, view in views.items()}
    app.store.change(membranes=replace(app.store.state.membranes, cells_shown=True))
    for stain, view in views.items():
        drawn = np.abs(pixels_of(view.viewport().grab().toImage()) - plain[stain]).max(axis=2) > 8
        rows, columns = np.nonzero(drawn)
        # The middle of what is drawn for the four cells, between the outermost of them.
        expected = np.array([(40.0 - 12, 40.0 - 12), (200.0 + 12, 210.0 + 12)])
        if stain is Stain.HE:
            expected -= (20, 10)
        first, last = (view.to_screen(*at) for at in expected.tolist())
        assert abs(columns.min() - first.x()) < 2 and abs(rows.min() - first.y()) < 2
        assert abs(columns.max() - last.x()) < 2 and abs(rows.max() - last.y()) < 2


def test_a_click_on_a_cell_tells_what_was_measured_and_one_beside_lets_it_go(phantom_app: App, qtbot: QtBot) -> None:
    app = phantom_app
    placed(app, qtbot)
    for stain in Stain:
        view = app.window.panes[stain].view
        at = view.to_screen(200, 210).toPoint()
        qtbot.mouseClick(view.viewport(), LEFT, pos=at)
        qtbot.waitUntil(lambda: app.store.state.membranes.chosen == 3)
        assert "Intense, complete" in app.window.membranes_panel._cell.text()
        qtbot.mouseClick(view.viewport(), LEFT, pos=view.to_screen(150, 150).toPoint())
        qtbot.waitUntil(lambda: app.store.state.membranes.chosen is None)
    qtbot.mousePress(view.viewport(), LEFT, pos=at)
    qtbot.mouseMove(view.viewport(), at + QPointF(30, 0).toPoint())
    qtbot.mouseRelease(view.viewport(), LEFT, pos=at + QPointF(30, 0).toPoint())
    assert app.store.state.membranes.chosen is None, "that was a drag"
    app.scale.set_ruler(on=True)
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.to_screen(200, 210).toPoint())
    QApplication.processEvents()
    assert app.store.state.membranes.chosen is None, "that was the end of a ruler"


def test_a_field_that_is_scored_is_read_alone(phantom_app: App, qtbot: QtBot, scorer: FakeScorer) -> None:
    app = phantom_app
    read(app, qtbot)
    app.fields.scoring.score_here(256, 256)
    qtbot.waitUntil(lambda: app.store.state.scoring.key is not None)
    qtbot.waitUntil(lambda: app.store.state.scoring.phase is ScorePhase.SCORED)
    assert app.store.state.membranes.reading is None, "the reading of the whole image is not the field's"
    read(app, qtbot)
    evidence, membranes = app.store.state.scoring.evidence, app.store.state.membranes
    assert evidence is not None and membranes.field == evidence.prediction.fields[Stain.IHC]
    reading = membranes.reading
    assert reading is not None and len(Grade) == len(reading.counts)

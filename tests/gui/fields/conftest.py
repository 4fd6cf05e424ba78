"""A window with a pair, and hands to draw on it with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.grid import GridCell
from her2viewer.cases.score_map import CellState, MapBasis, ScoreMap, Unscored
from her2viewer.cases.shape import Shape
from her2viewer.gui.app import App
from her2viewer.gui.fields.room import FieldsRoom
from her2viewer.gui.fields.state import FieldsState, GridWish, RunPhase
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.scoring.prediction import FieldOfView, ModelIdentity
from her2viewer.scoring.stains import Stain

from ..conftest import CLASSES, opened

Place = tuple[float, float]
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@dataclass
class Hand:
    """Works on a pane with mouse and keys, at level-0 positions of its image."""

    app: App
    qtbot: QtBot

    def view(self, stain: Stain = Stain.IHC) -> TissueView:
        return self.app.window.panes[stain].view

    def point(self, at: Place, stain: Stain = Stain.IHC) -> QPoint:
        return self.view(stain).to_screen(*at).toPoint()

    def drag(
        self,
        *places: Place,
        stain: Stain = Stain.IHC,
        modifier: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Presses at the first place, goes by way of the others, lets go at the last."""
        viewport = self.view(stain).viewport()
        self.qtbot.mousePress(viewport, LEFT, modifier, self.point(places[0], stain))
        for place in places[1:]:
            self.move(place, stain)
        self.qtbot.mouseRelease(viewport, LEFT, modifier, self.point(places[-1], stain))

    def move(self, at: Place, stain: Stain = Stain.IHC) -> None:
        self.qtbot.mouseMove(self.view(stain).viewport(), self.point(at, stain))
        QApplication.sendPostedEvents()
        QApplication.processEvents()

    def click(self, at: Place, stain: Stain = Stain.IHC) -> None:
        self.qtbot.mouseClick(self.view(stain).viewport(), LEFT, NONE, self.point(at, stain))
        QApplication.processEvents()

    def double_click(self, at: Place, stain: Stain = Stain.IHC) -> None:
        self.click(at, stain)
        self.qtbot.mouseDClick(self.view(stain).viewport(), LEFT, NONE, self.point(at, stain))

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NONE, stain: Stain = Stain.IHC) -> None:
        """Pressed while the pane has the keyboard."""
        view = self.view(stain)
        view.setFocus()
        self.qtbot.keyClick(view, key, modifier)

    def shortcut(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NONE) -> None:
        self.qtbot.keyClick(self.app.window, key, modifier)

    def menu(self, at: Place, stain: Stain = Stain.IHC) -> QMenu:
        """Right-clicks and returns the menu that opens."""
        viewport, point = self.view(stain).viewport(), self.point(at, stain)
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
        QApplication.sendEvent(viewport, event)
        menu = self.room.context.menu
        assert menu is not None
        return menu

    def choose(self, at: Place, name: str, stain: Stain = Stain.IHC) -> None:
        """Takes a line of the menu of a right click."""
        menu = self.menu(at, stain)
        action = next(action for action in menu.actions() if action.objectName() == name)
        assert action.isEnabled()
        action.trigger()
        menu.close()

    @property
    def room(self) -> FieldsRoom:
        return self.app.fields

    @property
    def fields(self) -> FieldsState:
        return self.app.store.state.fields

    @property
    def only(self) -> Annotation:
        """The one field that is there."""
        (annotation,) = self.fields.annotations.values()
        return annotation

    def add(self, x: float = 40, y: float = 50, width: float = 80, height: float = 60) -> Annotation:
        """A rectangle without drawing it, selected."""
        added = self.room.editor.add(Shape.rectangle(x, y, width, height))
        assert added is not None
        return added

    def grid(self, side: int = 64) -> None:
        """Sets the size of fields and starts a grid, over the selected field or the image."""
        self.app.store.change(fields=replace(self.fields, grid=GridWish(side)))
        self.room.start_grid()

    def grid_done(self) -> ScoreMap:
        self.qtbot.waitUntil(lambda: self.fields.run.phase is RunPhase.DONE)
        score_map = self.fields.score_map
        assert score_map is not None
        return score_map

    def follow(self) -> None:
        """Waits until the panel shows what is so."""
        self.qtbot.waitUntil(lambda: not self.room._refresh.isActive())


@pytest.fixture
def hand(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> Hand:
    opened(app, qtbot, pair)
    qtbot.waitUntil(lambda: app.fields.keeping._kept is not None)
    app.fields._reveal()  # not in the middle of a test: the panes give way to it
    made = Hand(app, qtbot)
    made.follow()
    qtbot.waitUntil(lambda: app.window.fields_panel.height() > 100)
    return made


MODEL = ModelIdentity("fake", "1", "0" * 64)


def score_of(field: FieldOfView, place: int = 2, probability: float = 0.7, no_call: str | None = None) -> FieldScore:
    rest = (1 - probability) / 3
    probabilities = tuple(probability if index == place else rest for index in range(4))
    return FieldScore(field, CLASSES[place], CLASSES, probabilities, (CLASSES[place],), no_call, (), MODEL)


def map_of(columns: int, rows: int, side: int = 32, outcomes: Sequence[object] | None = None) -> ScoreMap:
    """A map of side by side cells; by default their scores go round the four classes."""
    cells = tuple(
        GridCell(FieldOfView(c * side, r * side, side, side), r, c, 1.0) for r in range(rows) for c in range(columns)
    )
    if outcomes is None:
        outcomes = [score_of(cell.field, index % 4, 0.4 + 0.1 * (index % 6)) for index, cell in enumerate(cells)]
    basis = MapBasis(dict.fromkeys(Stain, "0" * 64), MODEL)
    region = Shape.rectangle(0, 0, columns * side, rows * side)
    return ScoreMap(region, side, side, basis, CLASSES, cells, tuple(outcomes))  # type: ignore[arg-type]


NO_TISSUE = Unscored(CellState.NO_TISSUE, "There is next to no tissue.")
BROKEN = Unscored(CellState.FAILED, "The tile cannot be read.")

"""Layers over the tissue and tools that take the mouse, in a real pane."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QPainter
from pytestqt.qtbot import QtBot

from her2viewer.gui.app import App
from her2viewer.gui.pane.layer import ContextWish, Sight, Touch
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.scoring.stains import Stain

from .conftest import opened


@dataclass
class Dot:
    """A layer: a green dot at a level-0 position."""

    at: tuple[float, float]

    def paint(self, painter: QPainter, sight: Sight) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 255, 0))
        painter.drawEllipse(sight.to_screen(*self.at), 5, 5)


@dataclass
class Notes:
    """A tool that writes down what it is told."""

    takes: bool = True
    said: list[tuple[str, tuple[float, float]]] = field(default_factory=list)
    cursor: Qt.CursorShape = Qt.CursorShape.CrossCursor

    def press(self, touch: Touch) -> bool:
        self.said.append(("press", touch.at))
        return self.takes

    def drag(self, touch: Touch) -> None:
        self.said.append(("drag", touch.at))

    def release(self, touch: Touch) -> None:
        self.said.append(("release", touch.at))

    def hover(self, touch: Touch) -> None:
        self.said.append(("hover", touch.at))

    def double_click(self, touch: Touch) -> bool:
        return False

    def key(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape


@pytest.fixture
def view(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> TissueView:
    opened(app, qtbot, pair)
    return app.window.panes[Stain.HE].view


def test_a_layer_is_drawn_where_it_says(view: TissueView) -> None:
    view.add_layer(Dot((64, 192)))
    at = view.to_screen(64, 192).toPoint() * view.devicePixelRatio()
    assert view.viewport().grab().toImage().pixelColor(at) == QColor(0, 255, 0)
    assert view.from_screen(view.to_screen(64, 192)) == pytest.approx((64, 192))


def test_a_tool_takes_the_mouse_and_the_tissue_stays(view: TissueView, qtbot: QtBot) -> None:
    tool = Notes()
    view.set_tool(tool)
    before = view.viewpoint
    start, end = QPoint(100, 100), QPoint(140, 120)
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view.viewport(), end)
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert [name for name, _ in tool.said if name != "drag"] == ["press", "release"]
    assert tool.said[0][1] == pytest.approx(view.from_screen(QPointF(start)))
    assert tool.said[-1][1] == pytest.approx(view.from_screen(QPointF(end)))
    assert view.viewpoint == before
    view.set_tool(None)
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    assert len([name for name, _ in tool.said if name == "press"]) == 1


def test_a_right_click_says_where(view: TissueView, qtbot: QtBot) -> None:
    place = QPoint(90, 80)
    with qtbot.waitSignal(view.context_wanted) as told:
        view.contextMenuEvent(
            QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, view.viewport().mapToGlobal(place))
        )
    (wish,) = told.args
    assert isinstance(wish, ContextWish)
    assert wish.at == pytest.approx(view.from_screen(QPointF(place)))

"""The pictures of fields for the user guide, made by driving the window on a phantom pair with the bundled model."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from her2viewer.cases.score_map import NOT_A_CASE_SCORE
from her2viewer.gui.app import App
from her2viewer.gui.demo import demo_pair
from her2viewer.gui.fields.state import GridWish, RunPhase, ToolId, cell_key
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.stains import Stain

from ..conftest import opened
from .conftest import Hand

Key = Qt.Key


@pytest.fixture
def hand(qapp: QApplication, qtbot: QtBot, settings: Settings) -> Iterator[Hand]:
    """A window of 1440 x 900 with the demo pair and the bundled model."""
    pair = demo_pair()
    assert pair is not None
    settings.theme = ThemeChoice.LIGHT
    app = App(qapp, settings)
    app.window.resize(1440, 900)
    app.start()
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    opened(app, qtbot, pair)
    app.store.change(overview_map=False)
    app.fields._reveal()
    made = Hand(app, qtbot)
    qtbot.waitUntil(lambda: app.window.fields_panel.height() > 100)
    made.follow()
    yield made
    app.window.close()


def draw_all(hand: Hand) -> None:
    """A field with each tool."""
    hand.shortcut(Key.Key_R)
    hand.drag((110, 110), (300, 300), (440, 460))
    hand.shortcut(Key.Key_E)
    hand.drag((580, 160), (700, 300), (930, 440), stain=Stain.HE)
    hand.shortcut(Key.Key_P)
    for corner in ((110, 620), (400, 570), (450, 900), (210, 960)):
        hand.click(corner)
    hand.key(Key.Key_Return)
    hand.shortcut(Key.Key_D)
    hand.drag(
        *(
            (
                740 + 150 * math.cos(t / 48 * math.tau) * (1 + 0.1 * math.sin(t / 4)),
                730 + 150 * math.sin(t / 48 * math.tau),
            )
            for t in range(48)
        )
    )
    hand.key(Key.Key_Escape)
    assert [annotation.shape.kind.value for annotation in hand.fields.annotations.values()] == [
        tool.value for tool in ToolId
    ]


def laid_out(hand: Hand) -> None:
    """Until panels that have grown have the room they ask for."""
    hand.follow()
    score = hand.app.window.score_panel
    hand.qtbot.waitUntil(lambda: score.height() >= score.layout().minimumSize().height())
    hand.qtbot.waitUntil(lambda: not hand.app.store.state.drawn.pending)
    QApplication.processEvents()


def test_fields_of_four_kinds_scored_on_both_panes(hand: Hand, guide_picture: Any) -> None:
    draw_all(hand)
    for key in list(hand.fields.annotations):
        hand.room.scoring.score(key)
        hand.qtbot.waitUntil(lambda key=key: hand.fields.annotations[key].score is not None)
    hand.click((200, 200))
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.key == hand.fields.selected)
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.SCORED)
    laid_out(hand)
    guide_picture(hand.app.window, "fields-drawn", 72)
    menu = hand.menu((250, 740))
    framed = _Composed(hand.app.window, menu)
    guide_picture(framed, "fields-context-menu", 72)
    menu.close()
    framed.deleteLater()


def test_a_score_map_with_its_table_and_legend(hand: Hand, guide_picture: Any) -> None:
    hand.app.store.change(fields=replace(hand.fields, grid=GridWish(205)))
    hand.shortcut(Key.Key_T)
    hand.qtbot.waitUntil(lambda: hand.fields.run.phase is RunPhase.DONE, timeout=110_000)
    hand.click((512, 400))
    score_map = hand.fields.score_map
    assert score_map is not None
    assert hand.fields.selected == cell_key(score_map.cell_at(512, 400) or 0)
    hand.qtbot.waitUntil(lambda: hand.app.store.state.scoring.phase is ScorePhase.SCORED)
    laid_out(hand)
    panel = hand.app.window.fields_panel
    assert panel._not_a_case_score.text() == NOT_A_CASE_SCORE
    guide_picture(hand.app.window, "score-map", 70)


class _Composed(QWidget):
    """A window with the menu that is open over it: a menu is a window of its own."""

    def __init__(self, window: QWidget, menu: QWidget) -> None:
        super().__init__()
        self._picture = window.grab()
        place = window.mapFromGlobal(menu.mapToGlobal(QPoint(0, 0)))
        painter = QPainter(self._picture)
        painter.drawPixmap(place, menu.grab())
        painter.end()
        self.resize(window.size())

    def paintEvent(self, event: object) -> None:
        QPainter(self).drawPixmap(0, 0, self._picture)

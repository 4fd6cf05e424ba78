"""The overview map in a real pane: what it marks, where it stands, and where it leads."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QTransform
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.pane.overview_map import everything_seen, map_size
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.scoring.stains import Stain

from .conftest import opened
from .sources import computed
from .test_pane import pixels_of


@pytest.fixture
def pane(qtbot: QtBot) -> ImagePane:
    made = ImagePane(Stain.HE)
    qtbot.addWidget(made)
    made.resize(700, 600)
    made.set_image(computed(60_000, 30_000)[1])
    made.show()
    qtbot.waitExposed(made)
    return made


def test_it_is_hidden_while_everything_is_in_view(pane: ImagePane) -> None:
    assert pane.overview_map.isHidden()
    pane.view.zoom_at(3.0)
    assert pane.overview_map.isVisible()
    pane.view.fit()
    assert pane.overview_map.isHidden()
    pane.view.turn(90)
    assert pane.overview_map.isHidden()
    pane.view.set_viewpoint(Viewpoint(0, 0, 1.0))
    assert pane.overview_map.isVisible()
    pane.set_overview_map(False)
    assert pane.overview_map.isHidden()
    pane.view.zoom_at(2.0)
    assert pane.overview_map.isHidden()
    pane.set_overview_map(True)
    assert pane.overview_map.isVisible()


@pytest.mark.parametrize("rotation", [0.0, 90.0, 30.0])
def test_the_box_is_what_is_seen(pane: ImagePane, rotation: float) -> None:
    pane.view.go(Viewpoint(30_000, 15_000, 20.0, rotation))
    overview = pane.overview_map
    corners = [pane.view.from_screen(point) for point in _corners(pane)]
    drawn = pixels_of(overview.grab().toImage()).astype(int)
    for x, y in corners:
        column, row = 4 + x / 60_000 * (overview.width() - 8), 4 + y / 30_000 * (overview.height() - 8)
        near = drawn[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
        assert near.size and near.min() < 90, (x, y)  # the dark edge of the line; the picture's blue is never that dark
    middle = drawn[overview.height() // 2, overview.width() // 2]
    assert middle[2] > 150


def _corners(pane: ImagePane) -> list:
    rect = QRectF(pane.view.viewport().rect())
    return [rect.topLeft(), rect.topRight(), rect.bottomLeft(), rect.bottomRight()]


def test_click_and_drag_go_there_and_keep_zoom_and_rotation(pane: ImagePane, qtbot: QtBot) -> None:
    pane.view.go(Viewpoint(30_000, 15_000, 4.0, 45.0, True))
    overview = pane.overview_map
    with qtbot.waitSignal(pane.view.moved):
        qtbot.mouseClick(overview, Qt.MouseButton.LeftButton, pos=QPoint(overview.width() // 4, overview.height() // 2))
    at = pane.view.viewpoint
    assert at is not None
    assert (at.px, at.rotation, at.mirrored) == (4.0, 45.0, True)
    assert at.x == pytest.approx((overview.width() // 4 - 4) / (overview.width() - 8) * 60_000, abs=400)
    assert at.y == pytest.approx(15_000, abs=60_000 / overview.height())
    qtbot.mousePress(overview, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    qtbot.mouseMove(overview, QPoint(overview.width() + 50, overview.height() + 50))
    assert pane.view.viewpoint is not None
    assert (pane.view.viewpoint.x, pane.view.viewpoint.y) == (60_000, 30_000)
    qtbot.mouseRelease(overview, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))


@pytest.mark.parametrize("width", [240, 300, 420, 900])
def test_it_meets_neither_scale_bar_nor_notice_nor_edge(pane: ImagePane, width: int) -> None:
    pane.resize(width, 500)
    pane.set_um_per_px(0.25)
    pane.set_opening("Opening a slide")
    pane.view.go(Viewpoint(30_000, 15_000, 4.0))
    overview, view = pane.overview_map, pane.view
    assert overview.isVisible() and pane._scale_bar.isVisible() and pane._notice.isVisible()
    assert view.rect().contains(overview.geometry())
    assert not overview.geometry().intersects(pane._scale_bar.geometry())
    assert not overview.geometry().intersects(pane._notice.geometry())


def test_a_place_too_small_to_see_is_marked(qtbot: QtBot, pane: ImagePane) -> None:
    pane.view.go(Viewpoint(30_000, 15_000, 0.1))
    drawn = pixels_of(pane.overview_map.grab().toImage())
    row, column = pane.overview_map.height() // 2, pane.overview_map.width() // 2
    assert drawn[row - 2 : row + 3, column + 6 : column + 11, 2].min() < 170  # the picture itself is bluer than that


def test_it_shows_the_whole_image(pane: ImagePane) -> None:
    image = computed(4000, 4000)[1]
    shown = pane.overview_map
    shown.set_image(image.overview, image.source.size)
    shown.set_room(500, 90)
    assert shown.height() == shown.width() == 90
    drawn = pixels_of(shown.grab().toImage())
    assert drawn[85, 85, 2] > drawn[4, 4, 2] > 170  # bluer towards the bottom right


def test_sizes_and_what_everything_means() -> None:
    assert (map_size((100, 50), (160, 160)).width(), map_size((100, 50), (160, 160)).height()) == (160, 80)
    assert map_size((100_000, 1), (160, 160)).height() == 1
    viewport = QRectF(0, 0, 100, 100)
    assert everything_seen(QTransform(), (100, 100), viewport)
    assert not everything_seen(QTransform.fromTranslate(2, 0), (100, 100), viewport)


def test_the_key_shows_and_hides_it(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    app.window.zoom_by(4.0)
    assert all(pane.overview_map.isVisible() for pane in app.window.panes.values())
    assert app.window.actions_[ActionId.OVERVIEW_MAP].isChecked()
    qtbot.keyClick(app.window, Qt.Key.Key_N)
    assert not any(pane.overview_map.isVisible() for pane in app.window.panes.values())
    assert not app.window.actions_[ActionId.OVERVIEW_MAP].isChecked()
    qtbot.keyClick(app.window, Qt.Key.Key_N)
    before = app.window.panes[Stain.IHC].view.viewpoint
    overview = app.window.panes[Stain.HE].overview_map
    qtbot.mouseClick(overview, Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert app.window.panes[Stain.IHC].view.viewpoint != before  # the other pane goes along
    assert np.isclose(app.window.panes[Stain.HE].view.viewpoint.x, app.window.panes[Stain.IHC].view.viewpoint.x)

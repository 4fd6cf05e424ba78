"""Flicker, curtain and blend in a real window, pixel for pixel."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.pane.layer import Sight, Touch
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.flat import FlatImage
from her2viewer.scoring.stains import Stain

from ..conftest import opened, tissue, write
from ..test_pane import pixels_of

Key, Left = Qt.Key, Qt.MouseButton.LeftButton
HE, IHC = tissue(1), tissue(2, stain=Stain.IHC)


@pytest.fixture
def paired(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> App:
    """An app with the pair (HE, IHC) of 256 x 256 px."""
    opened(app, qtbot, pair)
    return app


def ihc_view(app: App) -> TissueView:
    return app.window.panes[Stain.IHC].view


def at_one_to_one(app: App) -> tuple[np.ndarray, int]:
    """What is drawn of the 256 x 256 px of the IHC's frame, pixel for pixel, and the column of the viewport's middle in it."""
    view = ihc_view(app)
    width, height = view.viewport_pixels()
    view.go(Viewpoint(128 + width % 2 / 2, 128 + height % 2 / 2, 1.0))
    corner = view.to_screen(0, 0).toPoint()
    grabbed = pixels_of(view.viewport().grab().toImage())
    return grabbed[corner.y() : corner.y() + 256, corner.x() : corner.x() + 256], round(width / 2) - corner.x()


def choose(app: App, mode: CompareMode) -> None:
    app.window.actions_[ActionId(mode)].trigger()


def change(app: App, **fields: object) -> None:
    app.compare._change(**fields)


def test_left_of_the_line_is_the_he_and_right_of_it_the_ihc(paired: App, qtbot: QtBot) -> None:
    qtbot.keyClick(paired.window, Key.Key_F7)
    assert not paired.window.panes[Stain.HE].isVisible()
    picture, middle = at_one_to_one(paired)
    assert np.array_equal(picture[:, : middle - 1], HE[:, : middle - 1])
    assert np.array_equal(picture[:, middle + 1 :], IHC[:, middle + 1 :])
    assert paired.compare.bar._seen.text() == "H&E left, IHC HER2 right"


def test_the_line_is_dragged(paired: App, qtbot: QtBot) -> None:
    choose(paired, CompareMode.SWIPE)
    divider = paired.compare.divider
    assert divider.isVisible()
    start = divider.rect().center()
    qtbot.mousePress(divider, Left, pos=start)
    qtbot.mouseMove(divider, start + QPoint(-100, 0))
    qtbot.mouseRelease(divider, Left, pos=start)
    width = ihc_view(paired).width()
    assert paired.store.state.comparison.divider == pytest.approx(0.5 - 100 / width, abs=2 / width)
    picture, middle = at_one_to_one(paired)
    assert np.array_equal(picture[:, middle - 90 :], IHC[:, middle - 90 :])
    assert divider.geometry().center().x() == pytest.approx(width / 2 - 100, abs=2)


def test_a_blend_goes_from_one_image_to_the_other(paired: App, qtbot: QtBot) -> None:
    qtbot.keyClick(paired.window, Key.Key_F8)
    change(paired, blend=0.0)
    assert np.array_equal(at_one_to_one(paired)[0], IHC)
    change(paired, blend=1.0)
    assert np.array_equal(at_one_to_one(paired)[0], HE)
    paired.compare.bar._blend.slider.setValue(50)
    half = (HE.astype(int) + IHC) / 2
    assert np.abs(at_one_to_one(paired)[0] - half).max() <= 2
    assert paired.compare.bar._seen.text() == "H&E 50%, IHC HER2 50%"


def test_the_he_is_warped_by_the_alignment(paired: App) -> None:
    paired.registration.controller.align_by_hand(Affine.similarity(degrees=90, about=(128, 128)))
    choose(paired, CompareMode.BLEND)
    change(paired, blend=1.0)
    assert np.array_equal(at_one_to_one(paired)[0], np.rot90(HE, -1))
    paired.registration.controller.align_by_hand(Affine(tx=40.0, ty=-10.0))
    picture = at_one_to_one(paired)[0]
    assert np.array_equal(picture[:246, 40:], HE[10:, :216])
    assert (picture[:, :40] == 118).all()  # where there is no H&E, there is no IHC in its place


def test_a_flicker_changes_the_image_and_reads_nothing(
    app: App, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    he = write(tmp_path / "big_HE.png", tissue(1, (2600, 2300)))
    ihc = write(tmp_path / "big_IHC.png", tissue(2, (2600, 2300), Stain.IHC))
    opened(app, qtbot, (he, ihc))
    ihc_view(app).go(Viewpoint(1200, 1100, 1.0))
    change(app, every_ms=100, running=False)
    qtbot.keyClick(app.window, Key.Key_F6)
    at_one_to_one(app)  # painted once, with the IHC in front: what is hidden has been asked for as well
    mosaics = [pane.view.mosaic for pane in app.window.panes.values()]
    qtbot.waitUntil(lambda: all(one.settled for one in mosaics) and not app.window.fetching._threads)
    reads = []
    read = FlatImage.read
    monkeypatch.setattr(FlatImage, "read", lambda *args: reads.append(args) or read(*args))
    pictures: dict[str, np.ndarray] = {}
    change(app, running=True)

    def seen_both() -> bool:
        front = app.store.state.comparison.front
        pictures[front] = pixels_of(ihc_view(app).viewport().grab().toImage())
        assert app.compare.bar._seen.text() == front.caption
        return len(pictures) == 2

    qtbot.waitUntil(seen_both)
    assert not np.array_equal(pictures[Stain.HE], pictures[Stain.IHC])
    assert reads == []


def test_tab_held_shows_the_other_image_and_a_stopped_flicker_stays(paired: App, qtbot: QtBot) -> None:
    choose(paired, CompareMode.FLICKER)
    paired.compare.bar._run.click()
    change(paired, front=Stain.IHC)
    view = ihc_view(paired)
    assert not paired.compare._timer.isActive()
    assert np.array_equal(at_one_to_one(paired)[0], IHC)
    QTest.keyPress(view, Key.Key_Tab)
    assert np.array_equal(at_one_to_one(paired)[0], HE)
    assert paired.compare.bar._seen.text() == "H&E"
    QTest.keyRelease(view, Key.Key_Tab)
    assert np.array_equal(at_one_to_one(paired)[0], IHC)
    QTest.keyPress(view, Key.Key_Tab)
    view.clearFocus()  # the key is released in another window
    assert not paired.store.state.comparison.held


def test_modes_keep_the_place(paired: App, qtbot: QtBot) -> None:
    view = ihc_view(paired)
    view.go(Viewpoint(90, 140, 0.4))
    for mode in (*CompareMode, CompareMode.SIDE_BY_SIDE):
        choose(paired, mode)
        assert paired.window.actions_[ActionId(mode)].isChecked()
        assert (view.viewpoint.x, view.viewpoint.y, view.viewpoint.px) == (90, 140, 0.4)
        view.turn(15)
    he = paired.window.panes[Stain.HE].view.viewpoint
    assert he is not None and (he.x, he.y) == pytest.approx((90, 140))
    assert he.rotation == pytest.approx(view.viewpoint.rotation)
    assert all(pane.isVisible() for pane in paired.window.panes.values())


def test_keys_zoom_the_one_place(paired: App, qtbot: QtBot) -> None:
    choose(paired, CompareMode.BLEND)
    before = ihc_view(paired).viewpoint
    qtbot.keyClick(paired.window, Key.Key_Plus)
    after = ihc_view(paired).viewpoint
    assert before is not None and after is not None
    assert after.px == pytest.approx(before.px / 2)


def test_the_map_stays_over_both(scored_app: App) -> None:
    scored_app.set_map("1+", "layer4")
    choose(scored_app, CompareMode.BLEND)
    change(scored_app, blend=1.0)
    with_map, _ = at_one_to_one(scored_app)
    assert not np.array_equal(with_map, HE)
    scored_app.store.change(overlay_on=False)
    assert np.array_equal(at_one_to_one(scored_app)[0], HE)


class Square:
    """A layer and a tool: what marks do."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self) -> None:
        self.touched: list[tuple[Stain, tuple[float, float]]] = []

    def paint(self, painter: QPainter, sight: Sight) -> None:
        at = sight.to_screen(100, 100)
        painter.fillRect(round(at.x()), round(at.y()), 10, 10, Qt.GlobalColor.green)

    def press(self, touch: Touch) -> bool:
        self.touched.append((touch.sight.stain, touch.at))
        return True

    def drag(self, touch: Touch) -> None: ...

    def release(self, touch: Touch) -> None: ...

    def hover(self, touch: Touch) -> None: ...

    def double_click(self, touch: Touch) -> bool:
        return False

    def key(self, event: QKeyEvent) -> bool:
        return False


def test_layers_and_tools_work_in_the_ihcs_coordinates(paired: App, qtbot: QtBot) -> None:
    view, square = ihc_view(paired), Square()
    view.add_layer(square)
    view.set_tool(square)
    choose(paired, CompareMode.SWIPE)
    picture, _ = at_one_to_one(paired)
    assert (picture[100:110, 100:110] == (0, 255, 0)).all()
    at = QPoint(30, 40)
    qtbot.mouseClick(view.viewport(), Left, pos=at)
    assert square.touched == [(Stain.IHC, pytest.approx(view.from_screen(QPointF(at))))]
    with qtbot.waitSignal(view.cursor_moved):
        qtbot.mouseMove(view.viewport(), view.to_screen(100, 50).toPoint())
    assert paired.window.status_line._place.startswith("IHC HER2")


def test_stain_views_are_shown_and_named_in_the_one_place(paired: App, qtbot: QtBot) -> None:
    choose(paired, CompareMode.BLEND)
    change(paired, blend=1.0)
    before = at_one_to_one(paired)[0]
    assert paired.compare.bar._views.isHidden()
    qtbot.keyClick(paired.window, Key.Key_2)
    qtbot.waitUntil(lambda: not paired.compare.bar._views.isHidden())
    assert paired.compare.bar._views.text() == "Haematoxylin"
    qtbot.waitUntil(lambda: "not quantitative" in paired.window.panes[Stain.IHC]._caution.text())
    qtbot.waitUntil(lambda: not np.array_equal(at_one_to_one(paired)[0], before))


def test_without_a_pair_there_is_nothing_to_compare(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    assert not app.window.actions_[ActionId.SWIPE].isEnabled()
    app.images.open({Stain.IHC: pair[1]})
    qtbot.waitUntil(lambda: app.store.state.image(Stain.IHC) is not None)
    change(app, mode=CompareMode.SWIPE)
    assert app.window.panes[Stain.HE].isVisible() and not app.compare.bar.isVisible()

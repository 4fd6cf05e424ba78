"""Landmarks set, dragged and deleted by the mouse in both panes of a real window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.compare.state import CompareMode
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.registration.resolve import resolve_landmarks
from her2viewer.scoring.stains import Stain

from ..test_pane import pixels_of
from .conftest import TURNED

Key, Left = Qt.Key, Qt.MouseButton.LeftButton


@pytest.fixture
def views(aligned_app: App, qtbot: QtBot) -> dict[Stain, TissueView]:
    """Both panes, with landmarks being set."""
    qtbot.keyClick(aligned_app.window, Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    assert aligned_app.registration.strip.isVisible()
    return {stain: pane.view for stain, pane in aligned_app.window.panes.items()}


def click(qtbot: QtBot, view: TissueView, at: tuple[float, float]) -> tuple[float, float]:
    """Clicks the screen pixel nearest to a level-0 position; returns where that is."""
    place = view.to_screen(*at).toPoint()
    qtbot.mouseClick(view.viewport(), Left, pos=place)
    return view.from_screen(place.toPointF())


def set_landmark(
    qtbot: QtBot, views: dict[Stain, TissueView], at: tuple[float, float], away: tuple[float, float] = (0.0, 0.0)
) -> tuple[tuple[float, float], tuple[float, float]]:
    """One landmark on a tissue that is turned as TURNED says; `away`: how far off it is set in the IHC."""
    x, y = TURNED.to_ihc([at])[0]
    return click(qtbot, views[Stain.HE], at), click(qtbot, views[Stain.IHC], (x + away[0], y + away[1]))


def shown(app: App):
    return resolve_landmarks(app.store.state)


def test_two_clicks_in_each_align_the_images(aligned_app: App, qtbot: QtBot, views) -> None:
    app = aligned_app
    assert "first in one" in shown(app).prompt
    click(qtbot, views[Stain.HE], (60, 80))
    assert "in the IHC HER2 image" in shown(app).prompt
    click(qtbot, views[Stain.IHC], TURNED.to_ihc([(60, 80)])[0])
    assert shown(app).verdict == "1 more landmark to align the images"
    assert app.store.state.registration.alignment.origin == "assumed"
    set_landmark(qtbot, views, (190, 170))
    alignment = app.store.state.registration.alignment
    assert alignment is not None and alignment.origin == "landmarks"
    # A click hits a screen pixel, which is half an image pixel here.
    assert alignment.he_to_ihc.rotation == pytest.approx(20, abs=0.5)
    assert alignment.he_to_ihc.scale == pytest.approx(1.1, abs=0.01)
    assert app.registration.link_button.text() == "Linked by landmarks"
    he = views[Stain.HE].viewpoint
    assert he is not None and he.rotation == pytest.approx(20, abs=0.5)


def test_the_residual_of_each_is_shown_live(aligned_app: App, qtbot: QtBot, views) -> None:
    app = aligned_app
    for at in ((60, 60), (200, 60), (60, 200)):
        set_landmark(qtbot, views, at)
    assert [words for _, words in shown(app).marks] == ["", "", ""]
    assert "a fourth one" in shown(app).verdict
    set_landmark(qtbot, views, (190, 190), away=(8.0, 0.0))
    residuals = [float(words.removesuffix(" px")) for _, words in shown(app).marks]
    assert all(1 < residual < 6 for residual in residuals)
    assert "off" in shown(app).verdict
    # Dragged to where it belongs, all fit again.
    view = views[Stain.IHC]
    at = app.store.state.registration.landmarks.marks[3].ihc
    assert at is not None
    start, end = view.to_screen(*at).toPoint(), view.to_screen(at[0] - 8.0, at[1]).toPoint()
    qtbot.mousePress(view.viewport(), Left, pos=start)
    qtbot.mouseMove(view.viewport(), (start + end) / 2)
    half = [float(words.removesuffix(" px")) for _, words in shown(app).marks]
    qtbot.mouseMove(view.viewport(), end)
    qtbot.mouseRelease(view.viewport(), Left, pos=end)
    after = [float(words.removesuffix(" px")) for _, words in shown(app).marks]
    assert max(after) < max(half) < max(residuals)
    assert max(after) < 1


def test_bending_goes_through_every_landmark(aligned_app: App, qtbot: QtBot, views) -> None:
    app, strip = aligned_app, aligned_app.registration.strip
    for at in ((60, 60), (200, 60), (60, 200)):
        set_landmark(qtbot, views, at)
    assert not strip._bend.isEnabled()
    set_landmark(qtbot, views, (190, 190), away=(8.0, 0.0))
    strip._bend.click()
    alignment, landmarks = app.store.state.registration.alignment, app.store.state.registration.landmarks
    assert alignment is not None and alignment.warp is not None
    away = alignment.to_ihc(landmarks.points(Stain.HE)) - landmarks.points(Stain.IHC)
    assert np.abs(away).max() < 1e-3
    assert "bent through them" in shown(app).verdict
    strip._bend.click()
    assert app.store.state.registration.alignment.warp is None


def test_delete_and_undo_go_back(aligned_app: App, qtbot: QtBot, views) -> None:
    app = aligned_app
    for at in ((60, 60), (200, 60)):
        set_landmark(qtbot, views, at)
    qtbot.keyClick(views[Stain.IHC], Key.Key_Delete)
    assert len(shown(app).marks) == 1
    assert app.store.state.registration.alignment.origin == "assumed"
    set_landmark(qtbot, views, (190, 170))
    assert app.store.state.registration.alignment.origin == "landmarks"
    app.window.actions_[ActionId.UNDO_REGISTRATION].trigger()
    assert app.store.state.registration.alignment.origin == "assumed"


def test_landmarks_on_one_place_are_refused_in_words(aligned_app: App, qtbot: QtBot, views) -> None:
    app = aligned_app
    before = app.store.state.registration.alignment
    at = (100.0, 100.0)
    for _ in range(2):
        app.registration.controller.place(Stain.HE, at)
        app.registration.controller.place(Stain.IHC, at)
    assert app.store.state.registration.alignment is before
    assert shown(app).trouble and shown(app).verdict.endswith(".")
    assert app.registration.strip._verdict.text() == shown(app).verdict
    app.registration.controller.move(1, Stain.HE, (180.0, 150.0))
    app.registration.controller.move(1, Stain.IHC, (180.0, 150.0))
    assert not shown(app).trouble


def test_a_drag_on_tissue_moves_it_and_sets_nothing(aligned_app: App, qtbot: QtBot, views) -> None:
    view = views[Stain.HE]
    before = view.viewpoint
    qtbot.mousePress(view.viewport(), Left, pos=QPoint(150, 150))
    qtbot.mouseMove(view.viewport(), QPoint(180, 160))
    qtbot.mouseMove(view.viewport(), QPoint(210, 170))
    qtbot.mouseRelease(view.viewport(), Left, pos=QPoint(210, 170))
    assert view.viewpoint != before
    assert shown(aligned_app).marks == ()


def test_marks_are_drawn_while_they_are_set_and_esc_leaves(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    he, ihc = (app.window.panes[stain].view for stain in Stain)
    bare = {view: pixels_of(view.viewport().grab().toImage()) for view in (he, ihc)}
    qtbot.keyClick(app.window, Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    unmarked = {view: pixels_of(view.viewport().grab().toImage()) for view in (he, ihc)}
    click(qtbot, he, (128, 128))
    for view in (he, ihc):  # in the other pane a dotted ring stands where it is expected
        marked = pixels_of(view.viewport().grab().toImage())
        at = view.to_screen(128, 128).toPoint() * view.devicePixelRatio()
        near = np.s_[at.y() - 30 : at.y() + 30, at.x() - 30 : at.x() + 60]
        assert not np.array_equal(unmarked[view][near], marked[near])
    qtbot.keyClick(app.window, Key.Key_Escape)
    assert not app.registration.strip.isVisible()
    for view in (he, ihc):
        qtbot.waitUntil(lambda view=view: np.array_equal(bare[view], pixels_of(view.viewport().grab().toImage())))
    click(qtbot, he, (40, 40))  # the mouse is the pane's again
    assert len(app.store.state.registration.landmarks.marks) == 1


def test_the_strip_chooses_clears_and_leaves(aligned_app: App, qtbot: QtBot, views) -> None:
    app, strip = aligned_app, aligned_app.registration.strip
    for at in ((60, 60), (200, 60)):
        set_landmark(qtbot, views, at)
    chips = [button for button in strip.findChildren(QPushButton) if button.isCheckable()]
    qtbot.mouseClick(chips[0], Left)
    assert app.store.state.registration.landmarks.chosen == 0
    qtbot.mouseClick(strip._delete, Left)
    assert len(shown(app).marks) == 1
    qtbot.mouseClick(strip._clear, Left)
    assert shown(app).marks == ()
    qtbot.mouseClick(strip._done, Left)
    assert not strip.isVisible()


def test_landmarks_need_both_panes(aligned_app: App, qtbot: QtBot) -> None:
    app = aligned_app
    app.window.actions_[ActionId.BLEND].trigger()
    app.window.actions_[ActionId.LANDMARKS].trigger()
    assert app.store.state.comparison.mode is CompareMode.SIDE_BY_SIDE
    assert all(pane.isVisible() for pane in app.window.panes.values())
    app.window.actions_[ActionId.SWIPE].trigger()
    assert not app.registration.strip.isVisible()


class Other:
    """Another room's tool."""

    cursor = Qt.CursorShape.ArrowCursor


def test_another_tool_takes_the_mouse_and_landmarks_are_left(aligned_app: App, qtbot: QtBot, views) -> None:
    other = Other()
    for view in views.values():
        view.set_tool(other)
    assert not aligned_app.registration.strip.isVisible()
    assert all(view.tool is other for view in views.values())


def test_delete_is_the_landmarks_while_they_are_set(aligned_app: App, qtbot: QtBot, views) -> None:
    app, view = aligned_app, views[Stain.HE]
    deleted = []
    action = QAction("Delete something else", app.window)
    action.setShortcut(QKeySequence("Del"))
    action.triggered.connect(lambda: deleted.append(1))
    app.window.addAction(action)
    click(qtbot, view, (60, 80))
    qtbot.keyClick(view, Key.Key_Delete)
    assert shown(app).marks == () and deleted == []
    qtbot.keyClick(view, Key.Key_Escape)
    assert not app.registration.strip.isVisible()
    qtbot.keyClick(view, Key.Key_Delete)
    assert deleted == [1]

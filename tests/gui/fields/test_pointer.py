"""Selecting, moving, reshaping, nudging, undo and redo, with mouse and keys in the real window."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from her2viewer.cases.shape import Shape
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.tools import REACH
from her2viewer.scoring.stains import Stain

from .conftest import LEFT, Hand

Key = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def box_of(hand: Hand) -> tuple[float, float, float, float]:
    box = hand.only.shape.bounds
    return box.x, box.y, box.width, box.height


def test_a_click_selects_and_a_drag_elsewhere_moves_the_tissue(hand: Hand) -> None:
    hand.add()
    hand.room.editor.select(None)
    before = hand.view().viewpoint
    hand.click((80, 80))
    assert hand.fields.selected == hand.only.id
    assert hand.view().viewpoint == before
    hand.click((200, 200))
    assert hand.fields.selected is None
    hand.drag((80, 80), (90, 90), (120, 100))
    assert hand.fields.selected is None
    assert hand.view().viewpoint != before
    assert box_of(hand) == (40, 50, 80, 60)


def test_the_selected_field_is_moved_in_one_step_that_can_be_undone(hand: Hand) -> None:
    hand.add()
    hand.drag((80, 80), (100, 90), (110, 95), (120, 100))
    assert box_of(hand)[:2] == pytest.approx((80, 70), abs=1.5)
    assert box_of(hand)[2:] == pytest.approx((80, 60))
    assert hand.app.window.actions_[Id.UNDO].text() == "Undo move Field 1"
    hand.shortcut(Key.Key_Z, CTRL)
    assert box_of(hand) == (40, 50, 80, 60)
    assert hand.app.window.actions_[Id.REDO].text() == "Redo move Field 1"
    hand.shortcut(Key.Key_Z, CTRL | SHIFT)
    assert box_of(hand)[:2] == pytest.approx((80, 70), abs=1.5)
    hand.shortcut(Key.Key_Z, CTRL)
    hand.shortcut(Key.Key_Z, CTRL)
    assert len(hand.fields.annotations) == 0
    assert hand.fields.selected is None


def test_a_field_is_moved_in_the_he_pane_too(hand: Hand) -> None:
    hand.add()
    hand.drag((80, 80), (100, 90), (120, 100), stain=Stain.HE)
    assert box_of(hand)[:2] == pytest.approx((80, 70), abs=1.5)


@pytest.mark.parametrize(("handle", "by", "expected"), [
    ((120, 110), (30, 20), (40, 50, 110, 80)),
    ((40, 50), (-10, -20), (30, 30, 90, 80)),
    ((120, 80), (25, 13), (40, 50, 105, 60)),
])  # fmt: skip
def test_handles_reshape(hand: Hand, handle, by, expected) -> None:
    hand.add()
    hand.drag(handle, (handle[0] + by[0] / 2, handle[1] + by[1] / 2), (handle[0] + by[0], handle[1] + by[1]))
    assert box_of(hand) == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("closer", [1.0, 6.0])
def test_a_handle_is_within_reach_at_every_zoom(hand: Hand, qtbot: QtBot, closer: float) -> None:
    hand.add()
    view = hand.view()
    viewpoint = view.viewpoint
    assert viewpoint is not None
    view.go(replace(viewpoint, x=120, y=110, px=viewpoint.px / closer))
    corner = hand.point((120, 110))
    for off in (QPoint(int(REACH) - 1, 0), QPoint(0, int(REACH) - 1)):
        start = corner + off
        qtbot.mousePress(view.viewport(), LEFT, pos=start)
        qtbot.mouseMove(view.viewport(), start + QPoint(20, 20))
        qtbot.mouseRelease(view.viewport(), LEFT, pos=start + QPoint(20, 20))
        assert hand.only.shape.bounds.width > 80
        hand.room.editor.undo()


def test_a_corner_that_would_cross_stays_and_it_is_said(hand: Hand) -> None:
    added = hand.room.editor.add(Shape.polygon([(40, 40), (160, 40), (160, 160), (40, 160)]))
    assert added is not None
    hand.drag((160, 160), (120, 120), (100, 20), (80, 20))
    assert "cross itself" in hand.app.window.messages.text
    assert hand.only.shape.geometry.is_valid
    assert len(hand.fields.history.past) == 2


def test_corners_are_added_and_taken_away_by_right_click(hand: Hand) -> None:
    hand.room.editor.add(Shape.polygon([(40, 40), (160, 40), (160, 160), (40, 160)]))
    hand.choose((100, 60), "addCorner")
    assert len(hand.only.shape.rings[0]) == 5
    at = next(place for place in hand.only.shape.rings[0].tolist() if np.allclose(place, (100, 60), atol=2))
    hand.choose(tuple(at), "removeCorner")
    assert len(hand.only.shape.rings[0]) == 4


def test_arrows_nudge_in_one_step_and_shift_arrows_move_the_tissue(hand: Hand) -> None:
    hand.add()
    for _ in range(3):
        hand.key(Key.Key_Right)
    hand.key(Key.Key_Down)
    assert box_of(hand) == pytest.approx((43, 51, 80, 60), abs=0.05)
    hand.shortcut(Key.Key_Z, CTRL)
    assert box_of(hand) == (40, 50, 80, 60)
    before = hand.view().viewpoint
    hand.key(Key.Key_Right, SHIFT)
    assert box_of(hand) == (40, 50, 80, 60)
    assert hand.view().viewpoint != before


def test_esc_lets_go_and_delete_takes_away(hand: Hand) -> None:
    hand.add()
    hand.key(Key.Key_Escape)
    assert hand.fields.selected is None
    hand.click((80, 80))
    hand.shortcut(Key.Key_Delete)
    assert len(hand.fields.annotations) == 0
    hand.shortcut(Key.Key_Z, CTRL)
    assert hand.only.name == "Field 1"


def test_a_field_larger_than_the_view_lets_the_tissue_be_moved(hand: Hand) -> None:
    hand.add(10, 10, 236, 236)
    view = hand.view()
    assert view.viewpoint is not None
    view.go(replace(view.viewpoint, px=view.viewpoint.px / 6))
    before = view.viewpoint
    hand.drag((128, 128), (132, 130), (136, 132))
    assert box_of(hand) == (10, 10, 236, 236)
    assert view.viewpoint != before


def test_the_cursor_says_what_a_press_would_do(hand: Hand) -> None:
    hand.add()
    shapes = {}
    for name, at in (("inside", (80, 80)), ("corner", (120, 110)), ("side", (120, 80)), ("outside", (200, 200))):
        hand.move(at)
        shapes[name] = hand.view().viewport().cursor().shape()
    assert shapes == {
        "inside": Qt.CursorShape.SizeAllCursor,
        "corner": Qt.CursorShape.SizeFDiagCursor,
        "side": Qt.CursorShape.SizeHorCursor,
        "outside": Qt.CursorShape.ArrowCursor,
    }

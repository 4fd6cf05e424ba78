"""Drawing with each tool in the real window: mouse, keys, both panes."""

import math

import pytest
from PySide6.QtCore import Qt

from her2viewer.cases.shape import ShapeKind
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.state import ToolId
from her2viewer.scoring.stains import Stain

from .conftest import Hand

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_a_rectangle_is_where_it_was_dragged_and_the_tool_stays(hand: Hand) -> None:
    hand.shortcut(Key.Key_R)
    assert hand.view().viewport().cursor().shape() == Qt.CursorShape.CrossCursor
    hand.drag((40, 50), (60, 70), (140, 110))
    assert hand.only.shape.kind is ShapeKind.RECTANGLE
    box = hand.only.shape.bounds
    assert (box.x, box.y, box.width, box.height) == pytest.approx((40, 50, 100, 60), abs=1)
    assert hand.only.name == "Field 1"
    assert hand.fields.selected == hand.only.id
    assert hand.fields.tool is ToolId.RECTANGLE
    assert hand.app.window.actions_[Id.DRAW_RECTANGLE].isChecked()
    hand.drag((150, 120), (200, 200))
    assert [one.name for one in hand.fields.annotations.values()] == ["Field 1", "Field 2"]


def test_drawn_up_and_to_the_left_and_square_with_shift(hand: Hand) -> None:
    hand.shortcut(Key.Key_R)
    hand.drag((160, 160), (100, 150), (90, 130), modifier=SHIFT)
    box = hand.only.shape.bounds
    assert box.width == pytest.approx(box.height, abs=0.02)
    assert box.x + box.width == pytest.approx(160, abs=1)
    assert box.y + box.height == pytest.approx(160, abs=1)


def test_an_ellipse_drawn_on_the_he_lies_on_the_ihc(hand: Hand) -> None:
    hand.shortcut(Key.Key_E)
    hand.drag((60, 60), (100, 100), (180, 120), stain=Stain.HE)
    assert hand.only.shape.kind is ShapeKind.ELLIPSE
    box = hand.only.shape.bounds
    assert (box.x, box.y, box.width, box.height) == pytest.approx((60, 60, 120, 60), abs=1.5)


@pytest.mark.parametrize("end", ["return", "double click", "first corner"])
def test_a_polygon_is_clicked_and_closed(hand: Hand, end: str) -> None:
    hand.shortcut(Key.Key_P)
    corners = [(40, 40), (160, 50), (150, 170)]
    for corner in corners:
        hand.click(corner)
    assert len(hand.fields.annotations) == 0
    if end == "return":
        hand.click((50, 150))
        hand.key(Key.Key_Return)
    elif end == "double click":
        hand.double_click((50, 150))
    else:
        hand.click((50, 150))
        hand.click((41, 41))
    shape = hand.only.shape
    assert shape.kind is ShapeKind.POLYGON
    assert len(shape.rings[0]) == 4
    for corner in (*corners, (50, 150)):
        assert min(math.dist(corner, place) for place in shape.rings[0].tolist()) < 1.5
    assert hand.fields.tool is ToolId.POLYGON


def test_backspace_takes_the_last_corner_back_and_esc_the_whole(hand: Hand) -> None:
    hand.shortcut(Key.Key_P)
    for corner in ((40, 40), (160, 50), (150, 170), (50, 150)):
        hand.click(corner)
    hand.key(Key.Key_Backspace)
    hand.key(Key.Key_Return)
    assert len(hand.only.shape.rings[0]) == 3
    hand.click((200, 200))
    hand.click((240, 200))
    hand.key(Key.Key_Escape)
    assert hand.fields.tool is ToolId.POLYGON  # the shape is dropped first, the tool with the next press
    hand.key(Key.Key_Return)
    assert len(hand.fields.annotations) == 1
    hand.key(Key.Key_Escape)
    assert hand.fields.tool is None


def test_a_polygon_that_crosses_itself_is_said_and_the_window_goes_on(hand: Hand) -> None:
    hand.shortcut(Key.Key_P)
    for corner in ((40, 40), (160, 160), (160, 40), (40, 160)):
        hand.click(corner)
    hand.key(Key.Key_Return)
    assert len(hand.fields.annotations) == 0
    assert "crosses itself" in hand.app.window.messages.text
    for corner in ((40, 40), (160, 40), (160, 160)):
        hand.click(corner)
    hand.key(Key.Key_Return)
    assert len(hand.fields.annotations) == 1


def test_a_free_hand_line_is_closed_where_it_is_let_go(hand: Hand) -> None:
    hand.shortcut(Key.Key_D)
    circle = [(128 + 60 * math.cos(t / 40 * math.tau), 128 + 60 * math.sin(t / 40 * math.tau)) for t in range(40)]
    hand.drag(*circle)
    assert hand.only.shape.kind is ShapeKind.FREE_HAND
    assert hand.only.shape.area == pytest.approx(math.pi * 60**2, rel=0.05)


def test_a_slip_draws_nothing_and_esc_drops_a_drag(hand: Hand, qtbot) -> None:
    hand.shortcut(Key.Key_R)
    hand.click((100, 100))
    viewport = hand.view().viewport()
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=hand.point((40, 40)))
    hand.move((120, 120))
    assert hand.room._sketch
    hand.key(Key.Key_Escape)
    assert not hand.room._sketch
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=hand.point((120, 120)))
    assert len(hand.fields.annotations) == 0
    assert hand.app.window.messages.text == ""


def test_a_second_press_lays_the_tool_aside_and_another_tool_takes_over(hand: Hand) -> None:
    hand.shortcut(Key.Key_R)
    hand.shortcut(Key.Key_P)
    hand.click((40, 40))
    hand.shortcut(Key.Key_E)
    assert hand.fields.tool is ToolId.ELLIPSE
    assert not hand.room._sketch
    hand.shortcut(Key.Key_E)
    assert hand.fields.tool is None
    assert hand.view().viewport().cursor().shape() == Qt.CursorShape.ArrowCursor


def test_what_lies_outside_is_cut_or_refused(hand: Hand) -> None:
    hand.shortcut(Key.Key_R)
    hand.drag((200, 200), (300, 300))
    box = hand.only.shape.bounds
    assert (box.x + box.width, box.y + box.height) == (256, 256)
    hand.drag((-60, 20), (-20, 60))
    assert len(hand.fields.annotations) == 1
    assert "outside" in hand.app.window.messages.text


def test_another_rooms_tool_lays_ours_aside_and_keeps_the_mouse(hand: Hand) -> None:
    hand.shortcut(Key.Key_R)
    view = hand.view()

    class Foreign:
        cursor = Qt.CursorShape.WhatsThisCursor

    other = Foreign()
    view.set_tool(other)  # type: ignore[arg-type]
    assert hand.fields.tool is None
    assert view.tool is other
    view.set_tool(None)
    assert view.tool is hand.room._pointer

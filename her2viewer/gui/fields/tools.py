"""The drawing tools: rectangle and ellipse by dragging, a polygon by clicking, a free-hand line by dragging."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from her2viewer.cases.shape import MINIMUM_SIDE, Shape, ShapeKind
from her2viewer.errors import AnnotationError
from her2viewer.gui.controllers.messenger import Messenger
from her2viewer.gui.fields.sketch import Sketch
from her2viewer.gui.pane.layer import Touch
from her2viewer.imaging.affine import Points

REACH: Final = 8.0
"""Logical pixels on screen from where something is within reach of the mouse, at every zoom."""

CLICK: Final = 4.0
"""Logical pixels that the mouse may slip during a click."""

Key = Qt.Key
_OUTLINE_POINTS: Final = 96


class DrawingTool(ABC):
    """What the four have in common. A finished outline goes to `done` as a shape; the tool stays for the next one."""

    cursor: Final = Qt.CursorShape.CrossCursor

    def __init__(
        self, sketch: Sketch, done: Callable[[Shape], object], leave: Callable[[], None], messenger: Messenger
    ) -> None:
        """leave: called when the user lays the tool aside with Esc."""
        self._sketch = sketch
        self._done = done
        self._leave = leave
        self._messenger = messenger

    @abstractmethod
    def press(self, touch: Touch) -> bool: ...

    @abstractmethod
    def drag(self, touch: Touch) -> None: ...

    @abstractmethod
    def release(self, touch: Touch) -> None: ...

    def hover(self, touch: Touch) -> None:  # noqa: B027 - most tools have nothing to show before a shape is begun
        """The mouse moves with no button down."""

    def double_click(self, touch: Touch) -> bool:
        return True  # the tissue shall not jump closer under a pen

    def wants(self, event: QKeyEvent) -> bool:
        """Whether `key` would take it, so that no shortcut does."""
        return event.key() == Key.Key_Escape

    def key(self, event: QKeyEvent) -> bool:
        if not self.wants(event):
            return False
        if self._sketch:
            self.drop()
        else:
            self._leave()
        return True

    def drop(self) -> None:
        """Forgets what is half drawn."""
        self._sketch.clear()

    def _finish(self, make: Callable[[], Shape]) -> None:
        self.drop()
        try:
            shape = make()
        except AnnotationError as error:
            self._messenger.say_error(error)
            return
        self._done(shape)


class BoxTool(DrawingTool):
    """A rectangle or an ellipse in the frame that is dragged; Shift keeps it square."""

    def __init__(self, kind: ShapeKind, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._kind = kind
        self._start: tuple[float, float] | None = None
        self._pressed = QPointF()

    def press(self, touch: Touch) -> bool:
        if touch.button != Qt.MouseButton.LeftButton:
            return False
        self._start = self._sketch.at(touch)
        self._pressed = touch.screen
        return self._start is not None

    def drag(self, touch: Touch) -> None:
        frame = self._frame(touch)
        if frame is not None:
            self._sketch.put(self._outline(*frame), closed=True)

    def release(self, touch: Touch) -> None:
        frame, self._start = self._frame(touch), None
        slip = (touch.screen - self._pressed).manhattanLength() < CLICK
        if frame is None or slip:
            self.drop()
            return
        make = Shape.rectangle if self._kind is ShapeKind.RECTANGLE else Shape.ellipse
        self._finish(lambda: make(*frame))

    def drop(self) -> None:
        self._start = None
        super().drop()

    def _frame(self, touch: Touch) -> tuple[float, float, float, float] | None:
        """(x, y, width, height) in level-0 px of the IHC; sides are negative where it is drawn up or to the left."""
        end = self._sketch.at(touch)
        if self._start is None or end is None:
            return None
        width, height = end[0] - self._start[0], end[1] - self._start[1]
        if touch.modifiers & Qt.KeyboardModifier.ShiftModifier:
            side = max(abs(width), abs(height))
            width, height = float(np.copysign(side, width)), float(np.copysign(side, height))
        return (*self._start, width, height)

    def _outline(self, x: float, y: float, width: float, height: float) -> Points:
        if self._kind is ShapeKind.RECTANGLE:
            return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
        angle = np.linspace(0, 2 * np.pi, _OUTLINE_POINTS, endpoint=False)
        return np.column_stack([x + width * (1 + np.cos(angle)) / 2, y + height * (1 + np.sin(angle)) / 2])


class PolygonTool(DrawingTool):
    """A corner a click; Return, a double click or a click on the first corner closes it; Backspace takes one back."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._corners: list[tuple[float, float]] = []

    def press(self, touch: Touch) -> bool:
        at = self._sketch.at(touch)
        if touch.button != Qt.MouseButton.LeftButton or at is None:
            return False
        if len(self._corners) > 2 and self._near_first(touch):
            self._close()
        else:
            self._corners.append(at)
            self._show(at)
        return True

    def drag(self, touch: Touch) -> None:
        """The corner that was just set follows as long as the button is held."""
        at = self._sketch.at(touch)
        if self._corners and at is not None:
            self._corners[-1] = at
            self._show(at)

    def release(self, touch: Touch) -> None:
        """The corner stands."""

    def hover(self, touch: Touch) -> None:
        at = self._sketch.at(touch)
        if self._corners and at is not None:
            self._show(at)

    def double_click(self, touch: Touch) -> bool:
        # Its first click has set the last corner.
        if self._corners:
            self._close()
        return True

    def wants(self, event: QKeyEvent) -> bool:
        drawing = (Key.Key_Return, Key.Key_Enter, Key.Key_Backspace, Key.Key_Delete)
        return super().wants(event) or (bool(self._corners) and event.key() in drawing)

    def key(self, event: QKeyEvent) -> bool:
        if not self.wants(event):
            return False
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            self._close()
            return True
        if event.key() in (Key.Key_Backspace, Key.Key_Delete):
            self._corners.pop()
            if self._corners:
                self._show(self._corners[-1])
            else:
                self.drop()
            return True
        return super().key(event)

    def drop(self) -> None:
        self._corners = []
        super().drop()

    def _show(self, at: tuple[float, float]) -> None:
        self._sketch.put(np.array([*self._corners, at]), closed=False)

    def _close(self) -> None:
        corners = self._corners
        if len(corners) >= 3:
            self._finish(lambda: Shape.polygon(corners))

    def _near_first(self, touch: Touch) -> bool:
        at, px = self._sketch.at(touch), self._sketch.px(touch)
        assert at is not None
        return float(np.hypot(at[0] - self._corners[0][0], at[1] - self._corners[0][1])) <= REACH * px


class FreeHandTool(DrawingTool):
    """A line drawn with the button held; letting go closes it."""

    def __init__(self, *parts: object) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._line: list[tuple[float, float]] = []
        self._px = 1.0

    def press(self, touch: Touch) -> bool:
        at = self._sketch.at(touch)
        if touch.button != Qt.MouseButton.LeftButton or at is None:
            return False
        self._line = [at]
        self._px = self._sketch.px(touch)
        return True

    def drag(self, touch: Touch) -> None:
        at = self._sketch.at(touch)
        if self._line and at is not None:
            self._line.append(at)
            self._sketch.put(np.array(self._line), closed=False)

    def release(self, touch: Touch) -> None:
        line = self._line
        if len(line) < 3 or float(np.ptp(np.array(line), axis=0).max()) < max(CLICK * self._px, MINIMUM_SIDE):
            self.drop()
            return
        self._finish(lambda: Shape.free_hand(line, self._px / 2))

    def drop(self) -> None:
        self._line = []
        super().drop()

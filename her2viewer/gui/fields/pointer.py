"""The mouse while no drawing tool is chosen: selects fields, moves and reshapes the selected one, leaves the rest to the pane."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from her2viewer.cases.annotation import Annotation
from her2viewer.gui.fields.editing import FieldEditor
from her2viewer.gui.fields.placing import Placing, on_screen, px_at
from her2viewer.gui.fields.tools import CLICK, REACH, Key
from her2viewer.gui.pane.layer import Sight, Touch

_ARROWS: Final = {
    Key.Key_Left: (-1.0, 0.0),
    Key.Key_Right: (1.0, 0.0),
    Key.Key_Up: (0.0, -1.0),
    Key.Key_Down: (0.0, 1.0),
}

_gestures = itertools.count(1)


@dataclass(slots=True)
class _Hold:
    """A field in the user's hand: as it was, where it was taken, and by which handle (None: by its middle)."""

    start: Annotation
    at: tuple[float, float]
    screen: QPointF
    handle: int | None
    gesture: str
    moved: bool = False
    refused: bool = False


class Pointer:
    """Takes a press on a handle of the selected field, or inside of it. A press elsewhere moves the tissue, as ever.

    `surface`: the widget that a pane draws on. `on_click`: told the level-0 position of the IHC of a click that moved
    nothing; `on_double_click`: the same, and returns whether there was something to be double-clicked.
    """

    cursor: Final = Qt.CursorShape.ArrowCursor

    def __init__(
        self,
        editor: FieldEditor,
        placing: Callable[[Sight], Placing | None],
        surface: Callable[[Sight], QWidget],
        on_click: Callable[[tuple[float, float]], None],
        on_double_click: Callable[[tuple[float, float]], bool],
    ) -> None:
        self._editor = editor
        self._placing = placing
        self._surface = surface
        self._on_click = on_click
        self._on_double_click = on_double_click
        self._hold: _Hold | None = None
        self._pressed: Touch | None = None
        self._px = 1.0

    def press(self, touch: Touch) -> bool:
        self._hold = self._pressed = None
        if touch.button != Qt.MouseButton.LeftButton:
            return False
        self._pressed = touch
        found = self._grasp(touch)
        if found is None:
            return False
        annotation, handle, at = found
        self._hold = _Hold(annotation, at, touch.screen, handle, f"drag {next(_gestures)}")
        return True

    def drag(self, touch: Touch) -> None:
        hold, placing = self._hold, self._placing(touch.sight)
        if hold is None or placing is None:
            return
        if not hold.moved and (touch.screen - hold.screen).manhattanLength() < CLICK:
            return
        hold.moved = True
        x, y = placing.to_ihc(*touch.at)
        if hold.handle is None:
            self._editor.place(hold.start, x - hold.at[0], y - hold.at[1], hold.gesture)
        else:
            hold.refused = not self._editor.reshape(hold.start, hold.handle, (x, y), hold.gesture)

    def release(self, touch: Touch) -> None:
        hold, self._hold = self._hold, None
        if hold is None:
            return
        if hold.moved:
            self._editor.settle()
            if hold.refused:
                self._editor.say_crossing()
        elif hold.handle is None:
            self.clicked(touch)

    def clicked(self, touch: Touch) -> None:
        """A click that the pane had, where nothing was dragged; told by the room, which sees the button go up."""
        pressed, self._pressed = self._pressed, None
        placing = self._placing(touch.sight)
        if pressed is None or placing is None or pressed.sight is not touch.sight:
            return
        if (touch.screen - pressed.screen).manhattanLength() < CLICK:
            self._on_click(placing.to_ihc(*touch.at))

    def hover(self, touch: Touch) -> None:
        found = self._grasp(touch)
        if found is None:
            shape = Qt.CursorShape.ArrowCursor
        elif found[1] is None:
            shape = Qt.CursorShape.SizeAllCursor
        else:
            shape = self._handle_cursor(touch.sight, found[0], found[1])
        self._surface(touch.sight).setCursor(shape)

    def double_click(self, touch: Touch) -> bool:
        placing = self._placing(touch.sight)
        return placing is not None and self._on_double_click(placing.to_ihc(*touch.at))

    def wants(self, event: QKeyEvent) -> bool:
        """Whether `key` would take it: arrows while a field is selected, and Esc to let it go."""
        if self._editor.fields.selected is None:
            return False
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        return event.key() == Key.Key_Escape or (self._editor.selected is not None and plain and event.key() in _ARROWS)

    def key(self, event: QKeyEvent) -> bool:
        if not self.wants(event):
            return False
        annotation = self._editor.selected
        if event.key() == Key.Key_Escape or annotation is None:
            self._editor.select(None)
            return True
        dx, dy = _ARROWS[Key(event.key())]
        step = max(self._px, 1.0)
        self._editor.move(annotation.id, dx * step, dy * step, f"nudge {annotation.id}")
        return True

    def drop(self) -> None:
        """Another tool takes the mouse."""
        self._hold = self._pressed = None

    def _grasp(self, touch: Touch) -> tuple[Annotation, int | None, tuple[float, float]] | None:
        """What of the selected field is under the mouse: (field, handle or None, where in px of the IHC)."""
        placing, annotation = self._placing(touch.sight), self._editor.selected
        if placing is None:
            return None
        self._px = px_at(touch.sight, placing, touch.screen)
        if annotation is None or annotation.locked:
            return None
        at = placing.to_ihc(*touch.at)
        handle = handle_at(touch.sight, touch.screen, placing, annotation)
        if handle is not None:
            return annotation, handle, at
        inside = annotation.shape.contains(*at)
        return (annotation, None, at) if inside and not self._covers(touch.sight, annotation) else None

    def _covers(self, sight: Sight, annotation: Annotation) -> bool:
        """Whether a field is larger than what the pane shows: then a drag inside of it moves the tissue."""
        seen, frame = self._surface(sight).size(), annotation.shape.bounds
        return frame.width / self._px > seen.width() and frame.height / self._px > seen.height()

    def _handle_cursor(self, sight: Sight, annotation: Annotation, handle: int) -> Qt.CursorShape:
        if annotation.shape.has_vertices:
            return Qt.CursorShape.PointingHandCursor
        placing = self._placing(sight)
        assert placing is not None
        frame = annotation.shape.bounds
        middle = placing.to_image([(frame.x + frame.width / 2, frame.y + frame.height / 2)])[0]
        place = placing.to_image(annotation.shape.handles())[handle]
        way = sight.to_screen(*place.tolist()) - sight.to_screen(*middle.tolist())
        # Which of the four arrows lies nearest to the way from the middle, whatever way the pane is turned.
        eighth = round(np.degrees(np.arctan2(way.y(), way.x())) / 45) % 4
        return (
            Qt.CursorShape.SizeHorCursor,
            Qt.CursorShape.SizeFDiagCursor,
            Qt.CursorShape.SizeVerCursor,
            Qt.CursorShape.SizeBDiagCursor,
        )[eighth]


def handle_at(sight: Sight, screen: QPointF, placing: Placing, annotation: Annotation) -> int | None:
    """The handle of a field within reach of a point of the viewport."""
    places = on_screen(sight).points(placing.to_image(annotation.shape.handles()))
    distance = np.abs(places - (screen.x(), screen.y())).max(axis=1)
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= REACH else None

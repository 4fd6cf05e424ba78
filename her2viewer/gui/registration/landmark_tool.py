"""The mouse while landmarks are being set: a click shows a spot, a drag on a mark moves it, a drag on tissue moves that."""

import math
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

from her2viewer.gui.pane.layer import Sight, Touch
from her2viewer.gui.registration.landmark_layer import RADIUS
from her2viewer.gui.registration.landmarks import Landmarks, Spot, nearest
from her2viewer.scoring.stains import Stain

REACH = RADIUS + 4

_DELETE = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
KEYS = (Qt.Key.Key_Escape, *_DELETE)
"""The keys that the tool takes."""


class LandmarkWishes(Protocol):
    """Who does what the mouse and the keys ask for."""

    def place(self, stain: Stain, at: Spot) -> None: ...

    def move(self, index: int, stain: Stain, at: Spot) -> None: ...

    def delete_chosen(self) -> None: ...

    def leave(self) -> None: ...


class LandmarkTool:
    """One for both panes: each touch says whose it is."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self,
        landmarks: Callable[[], Landmarks],
        wishes: LandmarkWishes,
        pan: Callable[[Sight, float, float], object],
    ) -> None:
        """pan: moves the tissue of a pane by logical px."""
        self._landmarks = landmarks
        self._wishes = wishes
        self._pan = pan
        self.touched = Stain.IHC
        """The stain of the pane that was pressed in last."""
        self._held: int | None = None
        self._grip = QPointF()
        self._start = QPointF()
        self._last = QPointF()
        self._panning = False

    def press(self, touch: Touch) -> bool:
        if touch.button != Qt.MouseButton.LeftButton:
            return False
        self.touched = touch.sight.stain
        self._start = self._last = touch.screen
        self._panning = False
        self._held = self._mark_at(touch)
        if self._held is not None:
            spot = self._landmarks().marks[self._held].at(touch.sight.stain)
            assert spot is not None
            # Taken hold of beside its middle, a mark does not jump.
            self._grip = touch.sight.to_screen(*spot) - touch.screen
            self._wishes.move(self._held, touch.sight.stain, spot)
        return True

    def drag(self, touch: Touch) -> None:
        if self._held is not None:
            self._wishes.move(self._held, touch.sight.stain, touch.sight.from_screen(touch.screen + self._grip))
            return
        away = touch.screen - self._start
        if self._panning or math.hypot(away.x(), away.y()) >= QGuiApplication.styleHints().startDragDistance():
            self._panning = True
            step = touch.screen - self._last
            self._last = touch.screen
            self._pan(touch.sight, step.x(), step.y())

    def release(self, touch: Touch) -> None:
        image = touch.sight.image
        if self._held is None and not self._panning and image is not None:
            width, height = image.source.size
            if 0 <= touch.at[0] < width and 0 <= touch.at[1] < height:
                self._wishes.place(touch.sight.stain, touch.at)
        self._held = None

    def hover(self, touch: Touch) -> None:
        """Nothing follows the mouse but its cursor."""

    def double_click(self, touch: Touch) -> bool:
        return True  # the second click of two is no wish to zoom

    def key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            self._wishes.leave()
        elif event.key() in _DELETE:
            self._wishes.delete_chosen()
        else:
            return False
        return True

    def _mark_at(self, touch: Touch) -> int | None:
        def distance(spot: Spot) -> float:
            away = touch.sight.to_screen(*spot) - touch.screen
            return math.hypot(away.x(), away.y())

        return nearest(self._landmarks(), touch.sight.stain, distance, REACH)

"""What may be drawn over the tissue of a pane, and what may take its mouse: layers and tools.

A layer paints, in logical pixels of the viewport, over tissue and map. A tool takes the mouse while it is chosen: drawing a
field, measuring, setting a landmark. Neither knows how the pane shows its pixels; both work in level-0 pixels of its image.
"""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from her2viewer.gui.state import OpenedImage
from her2viewer.scoring.stains import Stain


class Sight(Protocol):
    """How a pane sees its image, for who draws over it."""

    @property
    def stain(self) -> Stain: ...

    @property
    def image(self) -> OpenedImage | None: ...

    def to_screen(self, x: float, y: float) -> QPointF:
        """Where a level-0 position is in the viewport, logical pixels."""
        ...

    def from_screen(self, position: QPointF) -> tuple[float, float]:
        """The level-0 position (x, y) under a point of the viewport, also outside the image."""
        ...

    def repaint_layers(self) -> None:
        """Something that a layer draws has changed."""
        ...


class Layer(Protocol):
    """Something drawn over tissue and map."""

    def paint(self, painter: QPainter, sight: Sight) -> None:
        """Paints in logical pixels of the viewport. The painter's state is restored afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Touch:
    """The mouse over a pane. `at`: level-0 position (x, y), also outside the image; `screen`: logical pixels of the viewport."""

    sight: Sight
    at: tuple[float, float]
    screen: QPointF
    button: Qt.MouseButton
    modifiers: Qt.KeyboardModifier


class Tool(Protocol):
    """Takes the mouse of a pane while it is chosen."""

    @property
    def cursor(self) -> Qt.CursorShape: ...

    def press(self, touch: Touch) -> bool:
        """A button went down. True takes it: `drag` and `release` follow; False leaves it to the pane, which moves the tissue."""
        ...

    def drag(self, touch: Touch) -> None: ...

    def release(self, touch: Touch) -> None: ...

    def hover(self, touch: Touch) -> None:
        """The mouse moved with no button down."""
        ...

    def double_click(self, touch: Touch) -> bool: ...

    def key(self, event: QKeyEvent) -> bool:
        """A key while the tool is chosen; True takes it (Esc, Return, Delete)."""
        ...


@dataclass(frozen=True, slots=True)
class ContextWish:
    """A right click on tissue: the level-0 position (x, y) and where a menu belongs, in global pixels."""

    sight: Sight
    at: tuple[float, float]
    place: QPoint

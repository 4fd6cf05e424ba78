"""Rulers on the tissue: what was measured, the tool that measures, and the layer that draws it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter, QPen

from her2viewer.gui.pane.layer import Sight, Touch
from her2viewer.gui.scale.magnification import MAGNIFICATION_RULE
from her2viewer.gui.scale.typed import key_of
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.stains import Stain

REACH: Final = 8.0
"""Logical pixels: how near to a ruler or its end the mouse takes hold of it."""

SHORTEST: Final = 3.0
"""Logical pixels: a shorter drag is a click."""

_PLATE: Final = QColor(0, 0, 0, 190)
_INK: Final = QColor(255, 255, 255)
_CHOSEN: Final = QColor(255, 214, 90)
_DAB: Final = QColor(176, 112, 62)
_DRAWN_FROM: Final = 6.0
"""Logical pixels that the widest membrane has to have for the marks to be drawn to scale."""

ScaleOf = Callable[[Stain], float | None]
"""Micrometres per level-0 pixel of a stain's image on screen, or None."""


@dataclass(frozen=True, slots=True)
class Ruler:
    """A straight measure between two level-0 positions (x, y)."""

    start: tuple[float, float]
    end: tuple[float, float]

    @property
    def length(self) -> float:
        """Level-0 pixels."""
        return math.dist(self.start, self.end)


def length_words(length: float, um_per_px: float | None) -> str:
    """A length of level-0 pixels in words: '2.14 µm', '1.25 mm', or '132 px' where no scale is known."""
    if um_per_px is None:
        return f"{length:.0f} px"
    um = length * um_per_px
    if um >= 1000:
        return f"{um / 1000:.2f} mm"
    return f"{um:.{2 if um < 10 else 1 if um < 100 else 0}f} µm"


class Rulers:
    """The rulers of every image of this session, and the one that is chosen. Tells who listens when something changes."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._of: dict[str, list[Ruler]] = {}
        self.chosen: tuple[str, int] | None = None

    def of(self, source: ImageSource) -> tuple[Ruler, ...]:
        return tuple(self._of.get(key_of(source), ()))

    def is_chosen(self, source: ImageSource, index: int) -> bool:
        return self.chosen == (key_of(source), index)

    def add(self, source: ImageSource, ruler: Ruler) -> int:
        """Adds a ruler, chosen; returns its place."""
        rulers = self._of.setdefault(key_of(source), [])
        rulers.append(ruler)
        self.choose(source, len(rulers) - 1)
        return len(rulers) - 1

    def change(self, source: ImageSource, index: int, ruler: Ruler) -> None:
        self._of[key_of(source)][index] = ruler
        self._changed()

    def choose(self, source: ImageSource, index: int | None) -> None:
        self.chosen = (key_of(source), index) if index is not None else None
        self._changed()

    def remove(self, source: ImageSource, index: int) -> None:
        rulers = self._of[key_of(source)]
        del rulers[index]
        self.choose(source, len(rulers) - 1 if rulers else None)

    def clear(self, source: ImageSource) -> None:
        """Removes all rulers of an image."""
        self._of.pop(key_of(source), None)
        self.choose(source, None)


@dataclass(slots=True)
class _Hold:
    """A drag under way: the ruler's place, the end that stays, and what it was before (None: it is new)."""

    index: int
    fixed: tuple[float, float]
    before: Ruler | None
    pressed: QPointF


class RulerTool:
    """Drag measures; an end can be dragged again; Delete removes the chosen ruler; Esc gives a drag up, or the tool away."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, rulers: Rulers, leave: Callable[[], object]) -> None:
        self._rulers = rulers
        self._leave = leave
        self._hold: _Hold | None = None
        self._last: Sight | None = None

    def press(self, touch: Touch) -> bool:
        image = touch.sight.image
        if touch.button != Qt.MouseButton.LeftButton or image is None:
            return False
        self._last = touch.sight
        for index, ruler in enumerate(self._rulers.of(image.source)):
            for near, far in ((ruler.start, ruler.end), (ruler.end, ruler.start)):
                if QLineF(touch.sight.to_screen(*near), touch.screen).length() <= REACH:
                    self._hold = _Hold(index, far, ruler, touch.screen)
                    self._rulers.choose(image.source, index)
                    return True
        index = self._rulers.add(image.source, Ruler(touch.at, touch.at))
        self._hold = _Hold(index, touch.at, None, touch.screen)
        return True

    def drag(self, touch: Touch) -> None:
        image, hold = touch.sight.image, self._hold
        if image is not None and hold is not None:
            self._rulers.change(image.source, hold.index, Ruler(hold.fixed, touch.at))

    def release(self, touch: Touch) -> None:
        image, hold = touch.sight.image, self._hold
        if image is None or hold is None:
            return
        self.drag(touch)
        self._hold = None
        if hold.before is None and QLineF(hold.pressed, touch.screen).length() < SHORTEST:
            self._rulers.remove(image.source, hold.index)
            self._rulers.choose(image.source, _under(self._rulers.of(image.source), touch))

    def hover(self, touch: Touch) -> None:
        """Nothing follows the mouse."""

    def double_click(self, touch: Touch) -> bool:
        return True  # two quick clicks must not zoom the tissue away from what is measured

    def key(self, event: QKeyEvent) -> bool:
        match event.key():
            case Qt.Key.Key_Escape:
                if not self.give_up():
                    self._leave()
                return True
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                return self.remove_chosen()
        return False

    def give_up(self) -> bool:
        """Ends a drag as if it had not begun; False where there is none."""
        hold, self._hold = self._hold, None
        image = self._last.image if self._last is not None else None
        if hold is None or image is None:
            return False
        if hold.before is None:
            self._rulers.remove(image.source, hold.index)
        else:
            self._rulers.change(image.source, hold.index, hold.before)
        return True

    def remove_chosen(self) -> bool:
        """Removes the chosen ruler; False where none is chosen in the pane that was measured in last."""
        image = self._last.image if self._last is not None else None
        if image is None or self._hold is not None:
            return False
        for index in range(len(self._rulers.of(image.source))):
            if self._rulers.is_chosen(image.source, index):
                self._rulers.remove(image.source, index)
                return True
        return False


def _under(rulers: tuple[Ruler, ...], touch: Touch) -> int | None:
    """The ruler that a click is on."""
    for index, ruler in enumerate(rulers):
        line = QLineF(touch.sight.to_screen(*ruler.start), touch.sight.to_screen(*ruler.end))
        if _distance(touch.screen, line) <= REACH:
            return index
    return None


def _distance(point: QPointF, line: QLineF) -> float:
    """Between a point and the nearest place of a line, in its units."""
    along = line.p2() - line.p1()
    squared = QPointF.dotProduct(along, along)
    share = QPointF.dotProduct(point - line.p1(), along) / squared if squared else 0.0
    return QLineF(line.pointAt(min(max(share, 0.0), 1.0)), point).length()


class RulerLayer:
    """Draws the rulers of the image on screen, and the membrane widths of the magnification rule while the tool is chosen."""

    def __init__(self, rulers: Rulers, scale_of: ScaleOf) -> None:
        self._rulers = rulers
        self._scale_of = scale_of
        self.tool_on = False

    def paint(self, painter: QPainter, sight: Sight) -> None:
        if sight.image is None:
            return
        um = self._scale_of(sight.stain)
        for index, ruler in enumerate(self._rulers.of(sight.image.source)):
            chosen = self.tool_on and self._rulers.is_chosen(sight.image.source, index)
            _paint_ruler(painter, sight, ruler, length_words(ruler.length, um), chosen=chosen)
        if self.tool_on and sight.stain is Stain.IHC:
            _paint_membranes(painter, sight, um)


def _paint_ruler(painter: QPainter, sight: Sight, ruler: Ruler, words: str, *, chosen: bool) -> None:
    line = QLineF(sight.to_screen(*ruler.start), sight.to_screen(*ruler.end))
    ink = _CHOSEN if chosen else _INK
    across = line.normalVector().unitVector()
    step = QPointF(across.dx(), across.dy()) * 6
    for width, colour in ((4.0, QColor(0, 0, 0, 170)), (1.5, ink)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(line)
        for end in (line.p1(), line.p2()):
            painter.drawLine(QLineF(end - step, end + step))
    metrics = QFontMetricsF(painter.font())
    size = QRectF(0, 0, metrics.horizontalAdvance(words) + 12, metrics.height() + 4)
    # Beside the middle, on the side that points down, so that it covers neither end.
    away = QPointF(across.dx(), across.dy())
    if away.y() < 0 or (away.y() == 0 and away.x() < 0):
        away = -away
    size.moveCenter(line.center() + QPointF(away.x() * (size.width() / 2 + 8), away.y() * (size.height() / 2 + 8)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(size, 4, 4)
    painter.setPen(ink)
    painter.drawText(size, Qt.AlignmentFlag.AlignCenter, words)


def _paint_membranes(painter: QPainter, sight: Sight, um_per_px: float | None) -> None:
    """The membrane widths as strokes as wide as they would be in this view, and in words."""
    metrics = QFontMetricsF(painter.font())
    rows = [f"{membrane.score}  about {membrane.um:.2f} µm" for membrane in MAGNIFICATION_RULE]
    head = "Membrane width"
    px_per_um = None if um_per_px is None else _logical_px_per_level0(sight) / um_per_px
    drawn = px_per_um is not None and MAGNIFICATION_RULE[-1].um * px_per_um >= _DRAWN_FROM
    widest = min(MAGNIFICATION_RULE[-1].um * px_per_um, 96.0) if px_per_um is not None and drawn else 0.0
    foot = (
        "drawn to scale" if drawn else "closer, they are drawn to scale" if px_per_um is not None else "no scale known"
    )
    line = metrics.height() + 4
    text = max(metrics.horizontalAdvance(words) for words in (*rows, foot))
    width = max(metrics.horizontalAdvance(head), text + (widest + 12 if drawn else 0)) + 16
    plate = QRectF(8, 8, width, line * 5 + 12)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(_INK)
    top = plate.top() + 6
    place = QRectF(plate.left() + 8, top, plate.width() - 16, line)
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.drawText(place, middle, head)
    for membrane, words in zip(MAGNIFICATION_RULE, rows, strict=True):
        place.translate(0, line)
        painter.drawText(place, middle, words)
        if drawn and px_per_um is not None:
            stroke = QRectF(place.right() - widest, place.top() + 2, min(membrane.um * px_per_um, widest), line - 4)
            painter.fillRect(stroke, _DAB)
    place.translate(0, line)
    painter.drawText(place, middle, foot)


def _logical_px_per_level0(sight: Sight) -> float:
    return QLineF(sight.to_screen(0, 0), sight.to_screen(1, 0)).length()

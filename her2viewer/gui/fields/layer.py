"""Fields drawn over both panes: outline with a halo, name and score as text, handles on the selected one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.shape import Shape, ShapeKind
from her2viewer.gui.fields.map_painter import MapPainter
from her2viewer.gui.fields.outdated import Now
from her2viewer.gui.fields.placing import Placing, on_screen, polygon, transform
from her2viewer.gui.fields.sketch import Sketch
from her2viewer.gui.fields.state import FieldsState, cell_index
from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.theme import score_colour
from her2viewer.imaging.affine import Points
from her2viewer.scoring.stains import Stain

HALO: Final = QColor(255, 255, 255, 200)
"""Around every outline, so that it is seen on dark stain; the outline itself is seen on white glass."""
PLATE: Final = QColor(20, 20, 20, 205)
"""Behind text over tissue."""
FILL: Final = 56
"""Alpha of the score's colour within a scored field: the tissue stays to be judged."""
CROSSES: Final = 150
"""Alpha of the crosses of an outdated score, which cover less of the tissue."""
HANDLE: Final = 9.0
"""Logical pixels of a handle's side, at every zoom."""
SMALLEST_LABEL: Final = 28.0
"""A field smaller on screen than this has no text unless it is selected."""
_SPECK: Final = 3.0
_MARGINS: Final = QMarginsF(5, 2, 5, 2)
_OUTLINE_POINTS: Final = 2_000


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """What is drawn: the fields, what outdates their scores, and the key of the one whose evidence lies over the tissue, on
    which no other colour is laid.
    """

    fields: FieldsState
    now: Now = Now()  # noqa: RUF009  immutable
    explained: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class _Outline:
    """A shape as one pane draws it, in level-0 px of the pane's image. `frame`: (left, top, right, bottom)."""

    shape: Shape
    path: QPainterPath
    frame: tuple[float, float, float, float]


class FieldsLayer:
    """Paints fields, the score map beneath them and what is being drawn above. Only what is in view is painted."""

    def __init__(
        self,
        drawn: Callable[[], Drawn],
        placing: Callable[[Sight], Placing | None],
        sketch: Sketch,
    ) -> None:
        self._drawn = drawn
        self._placing = placing
        self._sketch = sketch
        self._map = MapPainter()
        self._outlines: dict[Stain, dict[str, _Outline]] = {stain: {} for stain in Stain}
        self._placed: dict[Stain, Placing | None] = dict.fromkeys(Stain)

    def paint(self, painter: QPainter, sight: Sight) -> None:
        placing = self._placing(sight)
        if placing is None:
            return
        drawn = self._drawn()
        fields, explained = drawn.fields, drawn.explained
        map_outdated = bool(drawn.now.outdates_map(fields.score_map))
        has_map = fields.score_map is not None and fields.style.visible
        self._map.paint(painter, sight, placing, fields, cell_index(explained), outdated=map_outdated)
        outlines = self._placed_outlines(placing, fields)
        view = transform(on_screen(sight))
        seen = QRectF(painter.viewport())
        labels = []
        for key, outline in outlines.items():
            left, top, right, bottom = outline.frame
            place = view.mapRect(QRectF(left, top, right - left, bottom - top))
            chosen = key == fields.selected
            if not place.adjusted(-4, -24, 4, 4).intersects(seen):
                continue
            annotation = fields.annotations[key]
            path, outdated = view.map(outline.path), bool(drawn.now.outdates(annotation.score))
            if not has_map and key != explained:
                _paint_score(painter, path, annotation, outdated=outdated)
            _paint_outline(painter, path, place, annotation, chosen, outdated=outdated)
            if chosen or min(place.width(), place.height()) >= SMALLEST_LABEL:
                labels.append((place, _label(annotation, outdated=outdated), chosen))
        for place, words, chosen in labels:
            paint_label(painter, place, seen, words, chosen)
        selected = fields.selected_annotation
        if selected is not None:
            self._paint_scored_frame(painter, sight, placing, selected)
            if not selected.locked and fields.tool is None:
                _paint_handles(painter, sight, placing, selected)
        if self._sketch:
            _paint_sketch(painter, sight, placing.to_image(self._sketch.points), closed=self._sketch.closed)

    def _placed_outlines(self, placing: Placing, fields: FieldsState) -> dict[str, _Outline]:
        """The outlines of a pane, made once for each shape and alignment."""
        stain, annotations = placing.stain, fields.annotations
        known = self._outlines[stain] if self._placed[stain] == placing else {}
        self._placed[stain] = placing
        outlines = {}
        for key, annotation in annotations.items():
            made = known.get(key)
            outlines[key] = (
                made if made is not None and made.shape is annotation.shape else _outline(annotation.shape, placing)
            )
        self._outlines[stain] = outlines
        return outlines

    def _paint_scored_frame(self, painter: QPainter, sight: Sight, placing: Placing, annotation: Annotation) -> None:
        """The rectangle that the network saw, where the selected field is no rectangle itself."""
        if annotation.score is None or annotation.shape.kind is ShapeKind.RECTANGLE:
            return
        field = annotation.score.field
        corners = [
            (field.x, field.y),
            (field.x + field.width, field.y),
            (field.x + field.width, field.y + field.height),
            (field.x, field.y + field.height),
        ]
        frame = on_screen_polygon(sight, placing.to_image(corners))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(HALO, 3.0), QPen(QColor(annotation.colour), 1.25, Qt.PenStyle.DashLine)):
            painter.setPen(pen)
            painter.drawPolygon(frame)


def _paint_score(painter: QPainter, path: QPainterPath, annotation: Annotation, *, outdated: bool) -> None:
    """A light fill in the colour of a field's score; hatched where there is no call, crossed where it is outdated."""
    if (score := annotation.score) is not None:
        fill = score_colour(score.classes.index(score.score), len(score.classes))
        fill.setAlpha(FILL)
        pattern = Qt.BrushStyle.BDiagPattern if score.no_call else Qt.BrushStyle.SolidPattern
        if outdated:
            pattern = Qt.BrushStyle.DiagCrossPattern
            fill.setAlpha(CROSSES)
        painter.fillPath(path, QBrush(fill, pattern))


def _paint_outline(
    painter: QPainter, path: QPainterPath, place: QRectF, annotation: Annotation, chosen: bool, *, outdated: bool
) -> None:
    """The outline in its own colour; dashed where its score is outdated."""
    colour = QColor(annotation.colour)
    if max(place.width(), place.height()) < _SPECK:
        painter.fillRect(QRectF(place.center() - QPointF(1.5, 1.5), place.center() + QPointF(1.5, 1.5)), colour)
        return
    for pen in (QPen(HALO, 5.0 if chosen else 3.5), QPen(colour, 3.0 if chosen else 1.75)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if outdated and pen.color() == colour:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.strokePath(path, pen)


def on_screen_polygon(sight: Sight, points: Points) -> QPolygonF:
    """Level-0 px of a pane's own image, (n, 2), in logical pixels of its viewport."""
    return polygon(on_screen(sight).points(points))


def paint_label(painter: QPainter, place: QRectF, seen: QRectF, text: str, chosen: bool) -> None:
    """A field's name and score above its upper left, or inside where there is no room; never outside of what is seen."""
    metrics = QFontMetricsF(painter.font())
    size = metrics.size(0, text).grownBy(_MARGINS)
    top = place.top() - size.height() - 3
    if top < seen.top():
        top = max(place.top(), seen.top()) + 3
    left = min(max(place.left(), seen.left() + 2), max(seen.right() - size.width() - 2, seen.left()))
    plate = QRectF(QPointF(left, top), size)
    painter.setPen(QPen(QColor(255, 255, 255), 1.5) if chosen else Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def _label(annotation: Annotation, *, outdated: bool) -> str:
    score = annotation.score
    if score is None:
        return annotation.title
    return f"{annotation.title}   {'No call' if score.no_call else score.score}{', outdated' if outdated else ''}"


def _outline(shape: Shape, placing: Placing) -> _Outline:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.OddEvenFill)
    rings = [shape.outline(_OUTLINE_POINTS), *shape.rings[1:]]
    placed = [placing.to_image(ring) for ring in rings]
    for ring in placed:
        path.addPolygon(polygon(ring))
        path.closeSubpath()
    low, high = placed[0].min(axis=0), placed[0].max(axis=0)
    return _Outline(shape, path, (*low.tolist(), *high.tolist()))


def _paint_handles(painter: QPainter, sight: Sight, placing: Placing, annotation: Annotation) -> None:
    painter.setPen(QPen(QColor(20, 20, 20), 1.25))
    painter.setBrush(QColor(255, 255, 255))
    half = HANDLE / 2
    for x, y in on_screen(sight).points(placing.to_image(annotation.shape.handles())).tolist():
        painter.drawRect(QRectF(x - half, y - half, HANDLE, HANDLE))


def _paint_sketch(painter: QPainter, sight: Sight, points: Points, *, closed: bool) -> None:
    outline = on_screen_polygon(sight, points)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(HALO, 4.0), QPen(QColor(20, 20, 20), 1.5, Qt.PenStyle.DashLine)):
        painter.setPen(pen)
        if closed:
            painter.drawPolygon(outline)
        else:
            painter.drawPolyline(outline)
    if not closed and len(points):
        painter.setPen(QPen(QColor(20, 20, 20), 1.25))
        painter.setBrush(QColor(255, 255, 255))
        painter.drawEllipse(outline.first(), HANDLE / 2, HANDLE / 2)

"""The score map over a pane: thousands of cells in the colours of their scores, with the score as text where there is room."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap

from her2viewer.cases.grid import GridCell
from her2viewer.cases.score_map import CellState, ScoreMap
from her2viewer.gui.fields.placing import Placing, on_screen, polygon, transform
from her2viewer.gui.fields.state import FieldsState
from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.theme import score_colour
from her2viewer.imaging.affine import Affine
from her2viewer.scoring.stains import Stain

ROOM_FOR_TEXT: Final = 26.0
"""Logical pixels of a cell's side on screen from where its score is written into it."""
_ROOM_FOR_FRAMES: Final = 6.0
_PLATE: Final = QColor(20, 20, 20, 190)

WAITING: Final = -1
NO_TISSUE: Final = -2
FAILED: Final = -3
NO_CALL: Final = -4
BELOW: Final = -5
"""What stands in place of the class of a cell that has no colour. `BELOW`: less probable than the threshold."""

_MARKS: Final = {FAILED: "x", NO_CALL: "?"}

Floats = NDArray[np.float64]


def codes(score_map: ScoreMap, threshold: float) -> NDArray[np.int8]:
    """(cells,) int8: the place of each cell's score among the classes, or one of the words above."""
    found = np.full(len(score_map.cells), WAITING, np.int8)
    places = {name: place for place, name in enumerate(score_map.classes)}
    for index, outcome in enumerate(score_map.outcomes):
        if outcome is None:
            continue
        score = score_map.score(index)
        if score is None:
            found[index] = NO_TISSUE if score_map.state(index) is CellState.NO_TISSUE else FAILED
        elif score.no_call is not None:
            found[index] = NO_CALL
        else:
            found[index] = places[score.score] if score.probability >= threshold else BELOW
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Boxes:
    """Where the cells are drawn: `left`, `top` (n,) and one `side`, level-0 px of the IHC; `rects` the same for Qt."""

    cells: tuple[GridCell, ...]
    left: Floats
    top: Floats
    width: float
    height: float
    rects: NDArray[np.object_]


class MapPainter:
    """Paints a score map. What does not change from one picture to the next is kept."""

    def __init__(self) -> None:
        self._boxes: _Boxes | None = None
        self._codes: tuple[ScoreMap, float, NDArray[np.int8]] | None = None
        self._bent: tuple[tuple[GridCell, ...], Placing, Floats] | None = None
        self._texts: dict[tuple[str, float], QPixmap] = {}

    def paint(
        self,
        painter: QPainter,
        sight: Sight,
        placing: Placing,
        fields: FieldsState,
        bare: int | None,
        *,
        outdated: bool = False,
    ) -> None:
        """bare: the cell whose evidence lies over the tissue, which has no other colour. outdated: crossed, not filled."""
        score_map, style = fields.score_map, fields.style
        if score_map is None or not score_map.cells:
            return
        boxes, code = self._boxes_of(score_map), self._codes_of(score_map, style.threshold)
        screen = on_screen(sight)
        affine = placing.affine
        # Where it bends, what is in view and how large a cell is are told by the map that touches it in the middle.
        near = affine if affine is not None else _touching(placing, boxes)
        view = near.then(screen)
        seen = _in_view(boxes, view, QRectF(painter.viewport()), spare=0 if affine is not None else boxes.width)
        filled = seen.copy()
        if bare is not None and bare < len(filled):
            filled[bare] = False
        if style.visible and style.opacity > 0:
            self._paint_cells(
                painter,
                score_map,
                boxes,
                code,
                filled,
                view,
                None if affine is not None else placing,
                screen,
                style.opacity,
                Qt.BrushStyle.DiagCrossPattern if outdated else Qt.BrushStyle.SolidPattern,
            )
        self._paint_frames(painter, boxes, seen & (code < 0), view, score_map)
        if style.visible and boxes.width * view.scale >= ROOM_FOR_TEXT:
            self._paint_texts(painter, score_map, boxes, code, np.flatnonzero(seen), view)
        if (chosen := fields.selected_cell) is not None:
            _paint_chosen(painter, score_map.cells[chosen], placing, screen)

    def _paint_cells(
        self,
        painter: QPainter,
        score_map: ScoreMap,
        boxes: _Boxes,
        code: NDArray[np.int8],
        seen: NDArray[np.bool_],
        view: Affine,
        bent: Placing | None,
        screen: Affine,
        opacity: float,
        pattern: Qt.BrushStyle,
    ) -> None:
        painter.save()
        # Edges that share a pixel would be painted twice where they are smoothed: seams over the tissue.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setOpacity(opacity)
        painter.setTransform(transform(view if bent is None else screen))
        classes = len(score_map.classes)
        brushes = {place: QBrush(score_colour(place, classes), pattern) for place in range(classes)}
        brushes[NO_CALL] = QBrush(QColor(255, 255, 255), Qt.BrushStyle.BDiagPattern)
        for place, brush in brushes.items():
            drawn = seen & (code == place)
            if not drawn.any():
                continue
            painter.setBrush(brush)
            if bent is None:
                painter.drawRects(boxes.rects[drawn].tolist())
            else:
                path = QPainterPath()
                for corners in self._bent_corners(boxes, bent)[drawn]:
                    path.addPolygon(polygon(corners))
                    path.closeSubpath()
                painter.drawPath(path)
        painter.restore()

    def _paint_frames(
        self, painter: QPainter, boxes: _Boxes, shown: NDArray[np.bool_], view: Affine, score_map: ScoreMap
    ) -> None:
        """A faint frame around cells without a colour, as long as that is more than a grey mist."""
        if boxes.width * view.scale < _ROOM_FOR_FRAMES or not shown.any():
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setTransform(transform(view))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(QColor(40, 40, 40, 70), 1.0)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawRects(boxes.rects[shown].tolist())
        painter.restore()

    def _paint_texts(
        self,
        painter: QPainter,
        score_map: ScoreMap,
        boxes: _Boxes,
        code: NDArray[np.int8],
        seen: NDArray[np.intp],
        view: Affine,
    ) -> None:
        centres = np.column_stack([boxes.left[seen] + boxes.width / 2, boxes.top[seen] + boxes.height / 2])
        ratio = painter.device().devicePixelRatio()
        for place, (x, y) in zip(code[seen].tolist(), view.points(centres).tolist(), strict=True):
            words = score_map.classes[place] if place >= 0 else _MARKS.get(place, "")
            if words:
                pixmap = self._text(words, ratio, painter.font())
                size = pixmap.deviceIndependentSize()
                painter.drawPixmap(QPointF(x - size.width() / 2, y - size.height() / 2), pixmap)

    def _text(self, words: str, ratio: float, font: QFont) -> QPixmap:
        """A word on its plate, drawn once and then copied."""
        made = self._texts.get((words, ratio))
        if made is None:
            size = QFontMetricsF(font).size(0, words) + QSizeF(6, 0)
            made = QPixmap((size * ratio).toSize())
            made.setDevicePixelRatio(ratio)
            made.fill(Qt.GlobalColor.transparent)
            painter = QPainter(made)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(font)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_PLATE)
            plate = QRectF(QPointF(0, 0), size)
            painter.drawRoundedRect(plate, 3, 3)
            painter.setPen(QColor(255, 255, 255))
            painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)
            painter.end()
            self._texts[words, ratio] = made
        return made

    def _boxes_of(self, score_map: ScoreMap) -> _Boxes:
        cells = score_map.cells
        if self._boxes is None or self._boxes.cells is not cells:
            fields = np.array([(c.field.x, c.field.y, c.field.width, c.field.height) for c in cells])
            # Overlapping fields are drawn as the tiles that they stand for.
            width, height = np.minimum(fields[0, 2:], score_map.step).tolist()
            left = fields[:, 0] + (fields[:, 2] - width) / 2
            top = fields[:, 1] + (fields[:, 3] - height) / 2
            rects = np.empty(len(cells), object)
            rects[:] = [QRectF(x, y, width, height) for x, y in zip(left.tolist(), top.tolist(), strict=True)]
            self._boxes = _Boxes(cells, left, top, width, height, rects)
        return self._boxes

    def _codes_of(self, score_map: ScoreMap, threshold: float) -> NDArray[np.int8]:
        if self._codes is None or self._codes[0] is not score_map or self._codes[1] != threshold:
            self._codes = (score_map, threshold, codes(score_map, threshold))
        return self._codes[2]

    def _bent_corners(self, boxes: _Boxes, placing: Placing) -> Floats:
        """(n, 4, 2): the corners of each cell in px of the pane's own image."""
        if self._bent is None or self._bent[0] is not boxes.cells or self._bent[1] != placing:
            right, bottom = boxes.left + boxes.width, boxes.top + boxes.height
            across = np.stack([boxes.left, right, right, boxes.left], axis=1)
            down = np.stack([boxes.top, boxes.top, bottom, bottom], axis=1)
            corners = placing.to_image(np.stack([across, down], axis=2).reshape(-1, 2)).reshape(-1, 4, 2)
            self._bent = (boxes.cells, placing, corners)
        return self._bent[2]


def _touching(placing: Placing, boxes: _Boxes) -> Affine:
    """The affine map from the IHC to the pane's own image that touches a bent alignment in the middle of the map."""
    assert placing.stain is Stain.HE
    middle = [(float(boxes.left.mean()) + boxes.width / 2, float(boxes.top.mean()) + boxes.height / 2)]
    return placing.alignment.affine_at(*placing.to_image(middle)[0].tolist()).inverse()


def _in_view(boxes: _Boxes, view: Affine, viewport: QRectF, spare: float) -> NDArray[np.bool_]:
    """(n,): which cells a viewport shows, and those up to `spare` px of the IHC beyond it."""
    corners = [(viewport.left(), viewport.top()), (viewport.right(), viewport.top())]
    corners += [(viewport.left(), viewport.bottom()), (viewport.right(), viewport.bottom())]
    seen = view.inverse().points(corners)
    (x0, y0), (x1, y1) = seen.min(axis=0) - spare, seen.max(axis=0) + spare
    across = (boxes.left < x1) & (boxes.left + boxes.width > x0)
    found: NDArray[np.bool_] = across & (boxes.top < y1) & (boxes.top + boxes.height > y0)
    return found


def _paint_chosen(painter: QPainter, cell: GridCell, placing: Placing, screen: Affine) -> None:
    """The frame of the cell that is selected: the field as it was scored."""
    x, y, right, bottom = cell.field.x, cell.field.y, cell.field.x + cell.field.width, cell.field.y + cell.field.height
    frame = polygon(screen.points(placing.to_image([(x, y), (right, y), (right, bottom), (x, bottom)])))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(255, 255, 255, 230), 5.0), QPen(QColor(20, 20, 20), 2.0)):
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawPolygon(frame)

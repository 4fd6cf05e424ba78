"""The list itself: a model of rows, a delegate that draws them, a view that says which of them are seen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QKeyEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from her2viewer.gui.cases.cases import key_of
from her2viewer.gui.cases.shown import CaseShown
from her2viewer.gui.icons import themed_icon
from her2viewer.gui.theme import score_colour

Index = QModelIndex | QPersistentModelIndex

ROW_ROLE: Final = Qt.ItemDataRole.UserRole
"""The CaseShown of a row."""

ROW_HEIGHT: Final = 56
THUMBNAIL: Final = 40
"""Logical pixels, as are all lengths here."""

ROOM_FOR_BOTH: Final = 208
"""A list narrower than this shows the IHC thumbnail alone."""

_GAP: Final = 8


class CaseListModel(QAbstractListModel):
    """Rows as `resolve_cases` made them. Where the cases are the same, only what differs is told."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[CaseShown, ...] = ()

    @property
    def rows(self) -> Sequence[CaseShown]:
        return self._rows

    def set_rows(self, rows: tuple[CaseShown, ...]) -> None:
        before = self._rows
        if [key_of(row.pair) for row in before] != [key_of(row.pair) for row in rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        self._rows = rows
        for place, (old, new) in enumerate(zip(before, rows, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(place), self.index(place))

    def repaint(self, path: Path) -> None:
        """Something is known of a file's picture."""
        for place, row in enumerate(self._rows):
            if path in (row.pair.he, row.pair.ihc):
                self.dataChanged.emit(self.index(place), self.index(place))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.name
            case Qt.ItemDataRole.ToolTipRole:
                return f"{row.state}, {row.label}\n{row.more}" if row.label else f"{row.state}\n{row.more}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(part for part in (row.name, row.state, row.label) if part)
            case _ if role == ROW_ROLE:
                return row
        return None


class CaseDelegate(QStyledItemDelegate):
    """Two thumbnails, the name, and below it the state with its sign. Everything is drawn at the screen's own resolution."""

    def __init__(self, thumbnail_of: Callable[[Path], QImage | None], parent: QAbstractItemView) -> None:
        super().__init__(parent)
        self._thumbnail_of = thumbnail_of

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, max(ROW_HEIGHT, 2 * option.fontMetrics.height() + 2 * _GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: CaseShown = index.data(ROW_ROLE)
        area: QRect = option.rect
        palette: QPalette = option.palette
        state: QStyle.StateFlag = option.state
        font: QFont = option.font
        chosen = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        _paint_ground(painter, area, palette, state, current=row.current)
        left = area.left() + _GAP
        top = area.top() + (area.height() - THUMBNAIL) // 2
        # Where there is little room the stain that is scored stands for both.
        narrow = area.width() < ROOM_FOR_BOTH
        for path in (row.pair.ihc,) if narrow else row.pair.both:
            _paint_thumbnail(painter, QRect(left, top, THUMBNAIL, THUMBNAIL), self._thumbnail_of(path), palette)
            left += THUMBNAIL + 2
        left += _GAP - 2
        ink = palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        quiet = ink if chosen else palette.color(QPalette.ColorRole.PlaceholderText)
        metrics = QFontMetrics(font)
        line = metrics.height()
        first = QRect(left, area.center().y() - line, area.right() - _GAP - left, line)
        strong = QFont(font)
        strong.setWeight(QFont.Weight.DemiBold if row.current else QFont.Weight.Normal)
        painter.setFont(strong)
        painter.setPen(ink)
        painter.drawText(
            first,
            Qt.AlignmentFlag.AlignVCenter,
            QFontMetrics(strong).elidedText(row.name, Qt.TextElideMode.ElideMiddle, first.width()),
        )
        painter.setFont(font)
        second = first.translated(0, line + 2)
        sign = QRect(second.left(), second.top() + (line - 14) // 2, 14, 14)
        if row.class_index >= 0:
            _paint_swatch(painter, sign, score_colour(row.class_index, row.classes), ink)
        else:
            colours = QPalette(palette)
            colours.setColor(QPalette.ColorRole.WindowText, quiet)
            themed_icon(row.sign, colours).paint(painter, sign)
        second.setLeft(sign.right() + 5)
        painter.setPen(quiet)
        room = second.width() - metrics.horizontalAdvance(row.state) - 2 * _GAP
        if row.label and metrics.horizontalAdvance(row.label) <= room:
            painter.drawText(second, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.label)
        painter.drawText(
            second,
            Qt.AlignmentFlag.AlignVCenter,
            metrics.elidedText(row.state, Qt.TextElideMode.ElideRight, second.width()),
        )
        painter.restore()


def _paint_ground(painter: QPainter, area: QRect, palette: QPalette, state: QStyle.StateFlag, *, current: bool) -> None:
    role = QPalette.ColorRole
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(area, palette.color(role.Highlight))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(area, palette.color(role.AlternateBase))
    if current:  # what is on screen is marked beside its weight, also where another row is chosen
        ink = role.HighlightedText if state & QStyle.StateFlag.State_Selected else role.Highlight
        painter.fillRect(QRect(area.left(), area.top() + 6, 3, area.height() - 12), palette.color(ink))
    painter.setPen(palette.color(role.Mid))
    painter.drawLine(area.bottomLeft(), area.bottomRight())


def _paint_thumbnail(painter: QPainter, place: QRect, image: QImage | None, palette: QPalette) -> None:
    if image is None:
        painter.fillRect(place, palette.color(QPalette.ColorRole.Midlight))
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(place).adjusted(0.5, 0.5, -0.5, -0.5))
        return
    size = image.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
    drawn = QRect(place.topLeft(), size)
    drawn.moveCenter(place.center())
    painter.drawImage(drawn, image)


def _paint_swatch(painter: QPainter, place: QRect, colour: QColor, ink: QColor) -> None:
    """A score's colour; the text beside it says the score, so that colour is never the only sign."""
    painter.setPen(QPen(ink, 1))
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(place).adjusted(1.5, 1.5, -1.5, -1.5), 2, 2)


class CaseListView(QListView):
    """Says which case is asked for (`opened`, a Pair) and which rows are seen (`seen_changed`)."""

    opened = Signal(object)
    seen_changed = Signal()

    def __init__(self, thumbnail_of: Callable[[Path], QImage | None]) -> None:
        super().__init__()
        self.setAccessibleName("Cases")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.rows = CaseListModel()
        self.setModel(self.rows)
        self.setItemDelegate(CaseDelegate(thumbnail_of, self))
        self.clicked.connect(self._open)
        self.verticalScrollBar().valueChanged.connect(self.seen_changed)
        self.rows.modelReset.connect(self.seen_changed)

    def choose(self, place: int) -> None:
        """Marks a row and brings it into sight; -1 marks none."""
        index = self.rows.index(place)
        if place < 0:
            self.clearSelection()
        elif self.currentIndex() != index or not self.selectionModel().isSelected(index):
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def seen(self) -> list[CaseShown]:
        """The rows that are in sight, from the top."""
        if not self.isVisible() or not self.rows.rowCount():
            return []
        first = self.indexAt(self.viewport().rect().topLeft())
        last = self.indexAt(self.viewport().rect().bottomLeft())
        start = first.row() if first.isValid() else 0
        stop = last.row() if last.isValid() else self.rows.rowCount() - 1
        return list(self.rows.rows[start : stop + 1])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._open(self.currentIndex())
            case Qt.Key.Key_Left | Qt.Key.Key_Right | Qt.Key.Key_PageUp | Qt.Key.Key_PageDown | Qt.Key.Key_Space:
                event.ignore()  # these page, or look beneath the map, wherever the keyboard is
            case _:
                super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.seen_changed.emit()

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(index.data(ROW_ROLE).pair)

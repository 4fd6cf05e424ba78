"""The table of fields: one row a drawn field or a cell of the score map, sorted and filtered by itself.

Qt's own sorting proxy asks Python twice for each comparison; ten thousand rows are sorted here in one go by their keys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont, QIcon, QPixmap
from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from her2viewer.cases.names import natural

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What the table says of one field. `centre`: level-0 px (x, y) of the IHC; `share` of it inside its region, 0..1.

    `order` is the place of the score among the classes, -1 where there is none; `note` says in a word why there is no score,
    `more` is for who points at the row. `outdated`: another model or another alignment gave the score.
    """

    key: str
    name: str
    colour: str
    score: str
    order: int
    probability: float | None
    prediction_set: tuple[str, ...]
    no_call: str
    centre: tuple[float, float]
    share: float
    drawn: bool
    note: str = ""
    more: str = ""
    outdated: bool = False


class Column(IntEnum):
    """The columns, in their order."""

    NAME = 0
    COLOUR = 1
    SCORE = 2
    PROBABILITY = 3
    SET = 4
    NO_CALL = 5
    POSITION = 6
    SHARE = 7


TITLES: Final[Mapping[Column, str]] = {
    Column.NAME: "Field",
    Column.COLOUR: "Colour",
    Column.SCORE: "Score",
    Column.PROBABILITY: "Probability",
    Column.SET: "Set",
    Column.NO_CALL: "No call",
    Column.POSITION: "Position",
    Column.SHARE: "In shape",
}


@lru_cache(maxsize=65_536)
def _natural(name: str) -> str:
    """The order of `natural` as one word, which compares faster. Thousands of cells keep their names while a map grows."""
    return "".join(f"{part:012d}" if isinstance(part, int) else part for _, part in natural(name))


_KEYS: Final[Mapping[Column, Callable[[FieldRow], Any]]] = {
    Column.NAME: lambda row: _natural(row.name),
    Column.COLOUR: lambda row: row.colour,
    Column.SCORE: lambda row: (row.order, row.probability or 0.0),
    Column.PROBABILITY: lambda row: -1.0 if row.probability is None else row.probability,
    Column.SET: lambda row: (len(row.prediction_set), row.prediction_set),
    Column.NO_CALL: lambda row: row.no_call,
    Column.POSITION: lambda row: (row.centre[1], row.centre[0]),
    Column.SHARE: lambda row: row.share,
}

_FIGURES: Final = (Column.PROBABILITY, Column.POSITION, Column.SHARE)
_OF_SCORE: Final = (Column.SCORE, Column.PROBABILITY, Column.SET)
_RIGHT: Final = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

EVERY: Final = "all"
DRAWN: Final = "drawn"
CELLS: Final = "cells"
NO_CALLS: Final = "no call"
UNSCORED: Final = "unscored"
OUTDATED: Final = "outdated"


def passes(row: FieldRow, kind: str, typed: str) -> bool:
    """Whether a row is shown under a filter: a kind (`EVERY`, `DRAWN`, ... or a score) and words of its name or no call."""
    match kind:
        case "all":
            right = True
        case "drawn":
            right = row.drawn
        case "cells":
            right = not row.drawn
        case "no call":
            right = bool(row.no_call)
        case "unscored":
            right = not row.score
        case "outdated":
            right = row.outdated
        case score:
            right = row.score == score
    if not right or not typed:
        return right
    words = f"{row.name} {row.score} {row.no_call} {row.note}{' outdated' if row.outdated else ''}".lower()
    return all(part in words for part in typed.lower().split())


class FieldTable(QAbstractTableModel):
    """`renamed` (key, name) and `recoloured` (key, colour) carry what the user typed or chose in a row."""

    renamed = Signal(str, str)
    recoloured = Signal(str, str)

    def __init__(self, colours: Mapping[str, str], score_colour: Callable[[int], QColor], parent: Any = None) -> None:
        """colours: what a field's colour may be, hex to name; score_colour: of a score by its place among the classes."""
        super().__init__(parent)
        self.colours = colours
        self._score_colour = score_colour
        self._all: Sequence[FieldRow] = ()
        self._shown: list[FieldRow] = []
        self._places: dict[str, int] = {}
        self._column, self._descending = Column.NAME, False
        self._kind, self._typed = EVERY, ""

    @property
    def rows(self) -> Sequence[FieldRow]:
        """The rows that are shown, in their order."""
        return self._shown

    def set_rows(self, rows: Sequence[FieldRow]) -> None:
        """Shows other rows; what is selected stays selected as long as it is there."""
        self._all = rows
        self._arrange()

    def set_filter(self, kind: str, typed: str = "") -> None:
        self._kind, self._typed = kind, typed
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._descending = Column(max(column, 0)), order == Qt.SortOrder.DescendingOrder
        self._arrange()

    def place(self, key: str) -> int | None:
        """The row of a field, None where it is not shown."""
        return self._places.get(key)

    def _arrange(self) -> None:
        shown = [row for row in self._all if passes(row, self._kind, self._typed)]
        shown.sort(key=_KEYS[self._column], reverse=self._descending)
        keys = {row.key for row in shown}
        gone = any(key not in keys for key in self._places)
        if gone or not self._shown:
            # Rows left, or all are new: nothing that points into the table stays true one by one.
            self.beginResetModel()
            self._put(shown)
            self.endResetModel()
            return
        fresh = [row for row in shown if row.key not in self._places]
        if fresh:
            first = len(self._shown)
            self.beginInsertRows(QModelIndex(), first, first + len(fresh) - 1)
            self._put([*self._shown, *fresh])
            self.endInsertRows()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        moved = [self._shown[index.row()].key for index in before]
        self._put(shown)
        after = [self.index(self._places[key], index.column()) for key, index in zip(moved, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _put(self, shown: list[FieldRow]) -> None:
        self._shown = shown
        self._places = {row.key: place for place, row in enumerate(shown)}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole and Column(section) in _FIGURES:
            return _RIGHT
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if self._shown[index.row()].drawn and index.column() in (Column.NAME, Column.COLOUR):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self._shown[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._words(row, column)
            case Qt.ItemDataRole.EditRole:
                return row.colour if column is Column.COLOUR else row.name
            case Qt.ItemDataRole.DecorationRole:
                return self._swatch(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return row.more or None
            case Qt.ItemDataRole.TextAlignmentRole if column in _FIGURES:
                return _RIGHT
            case Qt.ItemDataRole.FontRole if row.outdated and column in _OF_SCORE:
                font = QFont()
                font.setItalic(True)
                return font
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole:
            return False
        row, text = self._shown[index.row()], str(value).strip()
        if index.column() == Column.COLOUR and text != row.colour:
            self.recoloured.emit(row.key, text)
        elif index.column() == Column.NAME and text not in ("", row.name):
            self.renamed.emit(row.key, text)
        else:
            return False
        return True

    def _swatch(self, row: FieldRow, column: Column) -> QColor | None:
        if column is Column.COLOUR and row.drawn:
            return QColor(row.colour)
        return self._score_colour(row.order) if column is Column.SCORE and row.score else None

    def _words(self, row: FieldRow, column: Column) -> str:
        if column is Column.COLOUR:
            return self.colours.get(row.colour, row.colour)
        return _words(row, column)


class ColourDelegate(QStyledItemDelegate):
    """A colour is chosen from a list of named ones."""

    def __init__(self, colours: Mapping[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self._colours = colours

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        box = QComboBox(parent)
        box.setAccessibleName("Colour")
        for colour, name in self._colours.items():
            box.addItem(swatch(QColor(colour)), name, colour)
        box.activated.connect(lambda _: self._commit(box))
        return box

    def _commit(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        editor.setCurrentIndex(editor.findData(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        if editor.currentData() is not None:
            model.setData(index, editor.currentData())


def swatch(colour: QColor, side: int = 12) -> QIcon:
    """A small square of a colour."""
    pixmap = QPixmap(side, side)
    pixmap.fill(colour)
    return QIcon(pixmap)


def _words(row: FieldRow, column: Column) -> str:
    match column:
        case Column.NAME | Column.COLOUR:
            return row.name
        case Column.SCORE:
            return f"{row.score}, outdated" if row.outdated else row.score or row.note or "Not scored"
        case Column.PROBABILITY:
            return "" if row.probability is None else f"{row.probability:.2f}"
        case Column.SET:
            return ", ".join(row.prediction_set)
        case Column.NO_CALL:
            return "No call" if row.no_call else ""
        case Column.POSITION:
            return f"{row.centre[0]:.0f}, {row.centre[1]:.0f}"
        case Column.SHARE:
            return f"{row.share:.0%}"

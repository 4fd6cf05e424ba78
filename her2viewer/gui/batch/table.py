"""The table of a batch: pairs, and what was left out, each with what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from her2viewer.batch.row import BatchRow
from her2viewer.cases.names import natural, same, without_label
from her2viewer.cases.pair import Pair, Pairing
from her2viewer.export.results import ResultDocument
from her2viewer.gui.panels.probabilities import figure
from her2viewer.gui.theme import score_colour

Index = QModelIndex | QPersistentModelIndex

SORT_ROLE: Final = Qt.ItemDataRole.UserRole
PAIR_ROLE: Final = Qt.ItemDataRole.UserRole + 1
"""The Pair of a row, or None."""
LINE_ROLE: Final = Qt.ItemDataRole.UserRole + 2

CASE, HE, IHC, LABEL, SCORE, SURE, FIRST_CLASS = range(7)
"""Columns; then a probability a class, seconds, state."""
THUMBNAIL: Final = 28
"""Logical pixels."""
_DEFAULT_CLASSES = ("0", "1+", "2+", "3+")


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a pair and what became of it, or a file that was left out (`path`) and why. `doubt`: what is odd about a pair."""

    name: str
    pair: Pair | None = None
    row: BatchRow | None = None
    state: str = ""
    path: Path | None = None
    doubt: str = ""


class Kind(Enum):
    """Which rows are shown."""

    ALL = "All rows"
    DOUBTFUL = "Doubtful"
    LEFT_OUT = "Left out"
    SCORED = "Scored"
    NO_CALL = "No call"
    FAILED = "Failed"
    DIFFERS = "Not as labelled"

    def holds(self, line: Line) -> bool:
        result = line.row.result if line.row is not None else None
        match self:
            case Kind.DOUBTFUL:
                return bool(line.doubt)
            case Kind.LEFT_OUT:
                return line.pair is None
            case Kind.SCORED:
                return result is not None
            case Kind.NO_CALL:
                return result is not None and result.no_call is not None
            case Kind.FAILED:
                return line.row is not None and result is None
            case Kind.DIFFERS:
                return result is not None and result.label is not None and result.label != result.score
            case Kind.ALL:
                return True


class BatchTable(QAbstractTableModel):
    """Columns: case, files, label, score, probability of the score and of each class, seconds, state. Lines come once, rows as
    they are done. Case and label can be typed over until a run begins.
    """

    edited = Signal()

    def __init__(
        self, thumbnail_of: Callable[[Path], QImage | None] = lambda _: None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []
        self._place: dict[str, int] = {}
        self._classes: tuple[str, ...] = _DEFAULT_CLASSES
        self._thumbnail_of = thumbnail_of
        self.editable = True
        self._hides: Callable[[Pair], bool] = lambda _: False

    def hide_where(self, hides: Callable[[Pair], bool]) -> None:
        """Pairs whose score is not shown: their reader is to score first. Called again whenever the answers change."""
        self._hides = hides
        self._told(0, len(self._lines) - 1)

    def is_hidden(self, line: Line) -> bool:
        """Whether what became of a pair may not be shown yet."""
        return line.pair is not None and self._hides(line.pair)

    def result(self, line: Line) -> ResultDocument | None:
        """What may be shown of what became of a pair."""
        return None if line.row is None or self.is_hidden(line) else line.row.result

    def words(self, line: Line) -> str:
        """The state of a line, as far as it may be told."""
        if line.row is not None and line.row.result is not None and self.is_hidden(line):
            return "Scored, hidden until you have read it"
        return line.state

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What would be scored."""
        return tuple(line.pair for line in self._lines if line.pair is not None)

    def set_pairing(self, pairing: Pairing | None) -> None:
        """Lists what was found; None empties the table."""
        lines = []
        if pairing is not None:
            lines += [Line(pair.case_id, pair, state="Waiting") for pair in pairing.pairs]
            lines += [Line(_short(path), state="Left out: no partner", path=path) for path in pairing.unpaired]
            lines += [Line(_short(path), state=f"Left out: {why}", path=path) for path, why in pairing.refused]
        self._reset(lines)

    def _reset(self, lines: list[Line]) -> None:
        self.beginResetModel()
        self._lines = lines
        self._place = {line.pair.case_id: i for i, line in enumerate(lines) if line.pair is not None}
        self.endResetModel()

    def set_doubts(self, doubts: Mapping[str, str]) -> None:
        """What is odd about pairs, by case id."""
        for case_id, place in self._place.items():
            line = self._lines[place]
            doubt = doubts.get(case_id, "")
            if line.doubt != doubt:
                state = line.state if line.row is not None else f"Doubtful: {doubt}" if doubt else "Waiting"
                self._lines[place] = replace(line, doubt=doubt, state=state)
                self._told(place, place)

    def remove(self, lines: Sequence[Line]) -> None:
        """Pairs that are not to be scored; their files are left out by hand."""
        kept = [line for line in self._lines if line not in lines]
        for line in lines:
            if line.pair is not None:
                files = (path for path in (line.pair.he, line.pair.ihc) if path is not None)
                kept += [Line(_short(path), state="Left out: by hand", path=path) for path in files]
        self._reset(kept)
        self.edited.emit()

    def swap(self, lines: Sequence[Line]) -> None:
        """The two files of pairs change sides."""
        for line in lines:
            pair = line.pair
            if pair is not None and pair.he is not None:
                place = self._place[pair.case_id]
                self._lines[place] = replace(
                    line, pair=replace(pair, he=pair.ihc, ihc=pair.he), doubt="", state="Waiting"
                )
                self._told(place, place)
        self.edited.emit()

    def join(self, line: Line, pair: Pair) -> None:
        """A file that was left out gets a partner, and is scored."""
        case_id, number = pair.case_id, 1
        taken = {same(name) for name in self._place}
        while same(case_id) in taken:
            number += 1
            case_id = f"{pair.case_id} ({number})"
        pair = replace(pair, case_id=case_id)
        lines = [one for one in self._lines if one is not line and one.path not in (pair.he, pair.ihc)]
        place = sum(one.pair is not None for one in lines)
        self._reset([*lines[:place], Line(case_id, pair, state="Waiting"), *lines[place:]])
        self.edited.emit()

    def set_waiting(self) -> None:
        """Before a run: every pair waits again."""
        for place in self._place.values():
            self._lines[place] = replace(self._lines[place], row=None, state="Waiting")
        self._told(0, len(self._lines) - 1)

    def set_state(self, pair: Pair, state: str) -> None:
        """What is being done with a pair."""
        place = self._place[pair.case_id]
        self._lines[place] = replace(self._lines[place], row=None, state=state)
        self._told(place, place)

    def set_row(self, row: BatchRow) -> None:
        """A pair is done."""
        place = self._place[row.pair.case_id]
        if row.result is not None and tuple(row.result.probabilities) != self._classes:
            self.beginResetModel()
            self._classes = tuple(row.result.probabilities)
            self.endResetModel()
        self._lines[place] = replace(self._lines[place], row=row, state=_state(row))
        self._told(place, place)

    def repaint(self, path: Path) -> None:
        """There is a thumbnail of a file."""
        for place, line in enumerate(self._lines):
            if line.path == path or (line.pair is not None and line.pair.ihc == path):
                self.dataChanged.emit(self.index(place, CASE), self.index(place, CASE))

    def _told(self, first: int, last: int) -> None:
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))

    def headings(self) -> tuple[str, ...]:
        of_classes = (f"P({name})" for name in self._classes)
        return ("Case", "H&E", "IHC", "Label", "Score", "How sure", *of_classes, "Seconds", "State")

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.headings())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.headings()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole and section == SURE:
            return "The probability of the score that is given"
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        line = self._lines[index.row()]
        if self.editable and index.column() in (CASE, LABEL) and line.pair is not None:
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        line, text = self._lines[index.row()], str(value).strip()
        if role != Qt.ItemDataRole.EditRole or line.pair is None:
            return False
        if index.column() == LABEL:
            pair = replace(line.pair, label=text or None)
        else:
            others = {same(name) for name in self._place} - {same(line.pair.case_id)}
            if not text or same(text) in others:
                return False
            del self._place[line.pair.case_id]
            pair = replace(line.pair, case_id=text)
            self._place[text] = index.row()
        self._lines[index.row()] = replace(line, pair=pair, name=pair.case_id)
        self._told(index.row(), index.row())
        self.edited.emit()
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line, column = self._lines[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return self._text(line, column)
            case Qt.ItemDataRole.ToolTipRole:
                return self._text(line, column)
            case Qt.ItemDataRole.DecorationRole if column == SCORE:
                return self._swatch(line)
            case Qt.ItemDataRole.DecorationRole if column == CASE:
                return self._thumbnail(line)
            case Qt.ItemDataRole.ForegroundRole if line.pair is None:
                return QApplication.palette().color(QPalette.ColorRole.PlaceholderText)
            case _ if role == SORT_ROLE:
                return self._sort_key(line, column)
            case _ if role == PAIR_ROLE:
                return line.pair
            case _ if role == LINE_ROLE:
                return line
        return None

    def _text(self, line: Line, column: int) -> str:
        result = self.result(line)
        last = self.columnCount() - 1
        if column == CASE:
            return without_label(line.name) if self.is_hidden(line) else line.name
        if column in (HE, IHC):
            path = None if line.pair is None else line.pair.he if column == HE else line.pair.ihc
            if path is None:
                return ""
            return f"{path.parent.name}/{without_label(path.stem)}" if self.is_hidden(line) else _short(path)
        if column == LABEL:
            return (line.pair.label or "") if line.pair is not None and not self.is_hidden(line) else ""
        if column == last:
            return self.words(line)
        if result is None:
            return ""
        if column == SCORE:
            return result.score
        if column == last - 1:
            return "" if line.row is None or line.row.resumed else f"{line.row.seconds:.2f}"
        return figure(result.probabilities[result.score if column == SURE else self._classes[column - FIRST_CLASS]])

    def _sort_key(self, line: Line, column: int) -> str | float:
        """Natural order for names, numbers for numbers; what is not there comes last."""
        result = self.result(line)
        last = self.columnCount() - 1
        if column in (CASE, HE, IHC):
            text = self._text(line, column)
            return " ".join(f"{part:012d}" if isinstance(part, int) else part for _, part in natural(text))
        if column in (LABEL, last):
            return self._text(line, column)
        if result is None or line.row is None:
            return float("inf")
        if column == SCORE:
            return float(self._classes.index(result.score))
        if column == SURE:
            return result.probabilities[result.score]
        return line.row.seconds if column == last - 1 else result.probabilities[self._classes[column - FIRST_CLASS]]

    def _swatch(self, line: Line) -> QPixmap | None:
        result = self.result(line)
        if result is None:
            return None
        swatch = QPixmap(24, 24)
        swatch.setDevicePixelRatio(2)
        swatch.fill(score_colour(self._classes.index(result.score), len(self._classes)))
        return swatch

    def _thumbnail(self, line: Line) -> QImage | None:
        path = line.path if line.pair is None else line.pair.ihc
        image = None if path is None else self._thumbnail_of(path)
        if image is None:
            return None
        # The middle square, sharp at 200% too.
        side = min(image.width(), image.height())
        square = image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
        square.setDevicePixelRatio(side / THUMBNAIL)
        return square


class BatchOrder(QSortFilterProxyModel):
    """The rows that are of a kind and hold every word typed, in the order of a column."""

    def __init__(self, table: BatchTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._kind = Kind.ALL
        self.setSourceModel(table)
        self.setSortRole(SORT_ROLE)

    def set_filter(self, words: str, kind: Kind) -> None:
        self._words, self._kind = tuple(same(words).split()), kind
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        table: Any = self.sourceModel()
        line: Line = table.lines[row]
        hidden = table.is_hidden(line)
        # What may not be seen is not found by it either.
        if not self._kind.holds(line) or (hidden and self._kind in (Kind.NO_CALL, Kind.DIFFERS)):
            return False
        result = table.result(line)
        files = () if line.pair is None or hidden else (path.name for path in (line.pair.he, line.pair.ihc) if path is not None)
        label = line.pair.label if line.pair is not None and not hidden else None
        name = without_label(line.name) if hidden else line.name
        text = same(" ".join((name, table.words(line), label or "", result.score if result is not None else "", *files)))
        return all(word in text for word in self._words)


def _short(path: Path) -> str:
    """A file by its folder's and its own name."""
    return f"{path.parent.name}/{path.name}"


def _state(row: BatchRow) -> str:
    if row.result is None:
        return f"Failed: {row.error}"
    if row.result.no_call:
        return f"No call: {row.result.no_call}"
    if row.result.checks:
        return f"Scored, but: {row.result.checks[0].message}"
    return "Scored before" if row.resumed else "Scored"

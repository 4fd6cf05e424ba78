"""The table of a batch: pairs, and what was left out, each with what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from her2viewer.batch.row import BatchRow
from her2viewer.cases.names import natural, without_label
from her2viewer.cases.pair import Pair, Pairing
from her2viewer.export.results import ResultDocument
from her2viewer.gui.panels.probabilities import figure
from her2viewer.gui.theme import score_colour

Index = QModelIndex | QPersistentModelIndex

SORT_ROLE: Final = Qt.ItemDataRole.UserRole
PAIR_ROLE: Final = Qt.ItemDataRole.UserRole + 1
"""The Pair of a row, or None."""

_CASE, _LABEL, _SCORE = range(3)
_DEFAULT_CLASSES = ("0", "1+", "2+", "3+")


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a pair and what became of it, or a file that was left out and why."""

    name: str
    pair: Pair | None = None
    row: BatchRow | None = None
    state: str = ""


class BatchTable(QAbstractTableModel):
    """Columns: case, label, score, a probability a class, seconds, state. Lines come once, rows as they are done."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []
        self._place: dict[str, int] = {}
        self._classes: tuple[str, ...] = _DEFAULT_CLASSES
        self._hides: Callable[[Pair], bool] = lambda _: False

    def hide_where(self, hides: Callable[[Pair], bool]) -> None:
        """Pairs whose score is not shown: their reader is to score first. Called again whenever the answers change."""
        self._hides = hides
        self._told(0, len(self._lines) - 1)

    def _result(self, line: Line) -> ResultDocument | None:
        """What may be shown of what became of a pair."""
        if line.row is None or line.pair is None or self._hides(line.pair):
            return None
        return line.row.result

    def _words(self, line: Line) -> str:
        hidden = line.row is not None and line.row.result is not None and self._result(line) is None
        return "Scored, hidden until you have read it" if hidden else line.state

    @property
    def lines(self) -> Sequence[Line]:
        return self._lines

    def set_pairing(self, pairing: Pairing | None) -> None:
        """Lists what was found; None empties the table."""
        self.beginResetModel()
        self._lines = []
        if pairing is not None:
            self._lines += [Line(pair.case_id, pair, state="Waiting") for pair in pairing.pairs]
            self._lines += [Line(_short(path), state="Left out: no partner") for path in pairing.unpaired]
            self._lines += [Line(_short(path), state=f"Left out: {why}") for path, why in pairing.refused]
        self._place = {line.pair.case_id: i for i, line in enumerate(self._lines) if line.pair is not None}
        self.endResetModel()

    def set_waiting(self) -> None:
        """Before a run: every pair waits again."""
        for place in self._place.values():
            line = self._lines[place]
            self._lines[place] = Line(line.name, line.pair, None, "Waiting")
        self._told(0, len(self._lines) - 1)

    def set_state(self, pair: Pair, state: str) -> None:
        """What is being done with a pair."""
        place = self._place[pair.case_id]
        self._lines[place] = Line(pair.case_id, pair, None, state)
        self._told(place, place)

    def set_row(self, row: BatchRow) -> None:
        """A pair is done."""
        place = self._place[row.pair.case_id]
        if row.result is not None and tuple(row.result.probabilities) != self._classes:
            self.beginResetModel()
            self._classes = tuple(row.result.probabilities)
            self.endResetModel()
        self._lines[place] = Line(row.pair.case_id, row.pair, row, _state(row))
        self._told(place, place)

    def _told(self, first: int, last: int) -> None:
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))

    def headings(self) -> tuple[str, ...]:
        return ("Case", "Label", "Score", *(f"P({name})" for name in self._classes), "Seconds", "State")

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.headings())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.headings()[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line, column = self._lines[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(line, column)
            case Qt.ItemDataRole.ToolTipRole:
                return self._words(line) if column == self.columnCount() - 1 else None
            case Qt.ItemDataRole.DecorationRole if column == _SCORE:
                return self._swatch(line)
            case Qt.ItemDataRole.ForegroundRole if line.pair is None:
                return QApplication.palette().color(QPalette.ColorRole.PlaceholderText)
            case _ if role == SORT_ROLE:
                return self._sort_key(line, column)
            case _ if role == PAIR_ROLE:
                return line.pair
        return None

    def _text(self, line: Line, column: int) -> str:
        result = self._result(line)
        last = self.columnCount() - 1
        if column == _CASE:
            hidden = line.pair is not None and self._hides(line.pair)
            return without_label(line.name) if hidden else line.name
        if column == _LABEL:
            told = line.pair is not None and not self._hides(line.pair)
            return (line.pair.label or "") if told and line.pair is not None else ""
        if column == last:
            return self._words(line)
        if result is None:
            return ""
        if column == _SCORE:
            return result.score
        if column == last - 1:
            return "" if line.row is None or line.row.resumed else f"{line.row.seconds:.2f}"
        return figure(result.probabilities[self._classes[column - _SCORE - 1]])

    def _sort_key(self, line: Line, column: int) -> str | float:
        """Natural order for names, numbers for numbers; what is not there comes last."""
        result = self._result(line)
        last = self.columnCount() - 1
        if column == _CASE:
            return " ".join(f"{part:012d}" if isinstance(part, int) else part for _, part in natural(line.name))
        if column in (_LABEL, last):
            return self._text(line, column)
        if result is None or line.row is None:
            return float("inf")
        if column == _SCORE:
            return float(self._classes.index(result.score))
        return line.row.seconds if column == last - 1 else result.probabilities[self._classes[column - _SCORE - 1]]

    def _swatch(self, line: Line) -> QPixmap | QColor | None:
        result = self._result(line)
        return None if result is None else score_colour(self._classes.index(result.score), len(self._classes))


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

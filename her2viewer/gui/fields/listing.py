"""The list of fields: a table that is sorted, filtered and searched."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from her2viewer.gui.fields.state import COLOURS
from her2viewer.gui.fields.table import (
    CELLS,
    DRAWN,
    EVERY,
    NO_CALLS,
    OUTDATED,
    UNSCORED,
    ColourDelegate,
    Column,
    FieldRow,
    FieldTable,
)
from her2viewer.gui.panels.section import quiet
from her2viewer.gui.theme import score_colour

_WIDTHS = {
    Column.NAME: 130,
    Column.COLOUR: 84,
    Column.SCORE: 136,
    Column.PROBABILITY: 94,
    Column.SET: 98,
    Column.NO_CALL: 66,
    Column.POSITION: 104,
    Column.SHARE: 64,
}


class FieldListing(QWidget):
    """Shows the rows of a `FieldTable`. `chosen`: the user went to a row, with its key; `scoring_wanted`: of a row, or of the
    selected field where it is empty; `delete_wanted`: of the selected field.
    """

    chosen = Signal(str)
    scoring_wanted = Signal(str)
    delete_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._total = 0
        self._classes = 4
        self.table = FieldTable(COLOURS, lambda order: score_colour(order, self._classes), self)
        self._view = QTableView()
        self._view.setObjectName("fieldsTable")
        self._view.setAccessibleName("Table of fields")
        self._view.setModel(self.table)
        self._view.setItemDelegateForColumn(Column.COLOUR, ColourDelegate(COLOURS, self._view))
        self._view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self._view.setSortingEnabled(True)
        self._view.sortByColumn(Column.NAME, Qt.SortOrder.AscendingOrder)
        self._view.setShowGrid(False)
        self._view.setWordWrap(False)
        self._view.verticalHeader().hide()
        self._view.verticalHeader().setDefaultSectionSize(28)
        header = self._view.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in _WIDTHS.items():
            self._view.setColumnWidth(column, width)
        self._view.selectionModel().currentRowChanged.connect(self._on_row)
        self._view.doubleClicked.connect(self._on_double_click)
        for key in ("Return", "Enter"):
            shortcut = QShortcut(QKeySequence(key), self._view, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(lambda: self.scoring_wanted.emit(""))
        delete = QShortcut(QKeySequence("Del"), self._view, context=Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.delete_wanted)
        self.filter = QComboBox()
        self.filter.setObjectName("fieldsFilter")
        self.filter.setAccessibleName("Which fields are listed")
        self.filter.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.search = QLineEdit()
        self.search.setObjectName("fieldsSearch")
        self.search.setPlaceholderText("Find a field")
        self.search.setAccessibleName("Find a field")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(200)
        self._count = quiet()
        self.set_classes(("0", "1+", "2+", "3+"))
        self.filter.activated.connect(lambda _: self._on_filter())
        self.search.textChanged.connect(lambda _: self._on_filter())
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.filter)
        bar.addWidget(self.search)
        bar.addStretch(1)
        bar.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(bar)
        layout.addWidget(self._view, 1)

    def set_classes(self, classes: tuple[str, ...]) -> None:
        """The scores that rows can be filtered by."""
        titles = [("All fields", EVERY), ("Drawn fields", DRAWN), ("Fields of the grid", CELLS)]
        titles += [(f"Score {name}", name) for name in classes]
        titles += [("No call", NO_CALLS), ("Without a score", UNSCORED), ("Outdated", OUTDATED)]
        if [self.filter.itemData(index) for index in range(self.filter.count())] == [data for _, data in titles]:
            return
        chosen = self.filter.currentData()
        self.filter.clear()
        for title, data in titles:
            self.filter.addItem(title, data)
        self.filter.setCurrentIndex(max(self.filter.findData(chosen), 0))

    def set_class_count(self, classes: int) -> None:
        """How many classes the colours of scores are of."""
        self._classes = classes

    def show_rows(self, rows: Sequence[FieldRow]) -> None:
        """Other rows; what is selected stays selected."""
        selected = self.selected
        self.table.set_rows(rows)
        self.select(selected)
        self._say_count(len(rows))

    @property
    def selected(self) -> str | None:
        """The key of the row that is selected."""
        index = self._view.selectionModel().currentIndex()
        return self.table.rows[index.row()].key if index.isValid() else None

    def select(self, key: str | None) -> None:
        """Marks the row of a field, without telling anybody."""
        place = self.table.place(key) if key is not None else None
        with QSignalBlocker(self._view.selectionModel()):
            if place is None:
                self._view.clearSelection()
                self._view.setCurrentIndex(QModelIndex())
            elif self._view.currentIndex().row() != place or not self._view.selectionModel().hasSelection():
                self._view.selectRow(place)
                self._view.setCurrentIndex(self.table.index(place, Column.NAME))
                self._view.scrollTo(self.table.index(place, Column.NAME))
        self._view.viewport().update()

    def edit_name(self, key: str) -> None:
        """Opens the editor of a field's name."""
        place = self.table.place(key)
        if place is not None:
            self._view.edit(self.table.index(place, Column.NAME))

    def _on_row(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(self.table.rows[index.row()].key)

    def _on_double_click(self, index: QModelIndex) -> None:
        row = self.table.rows[index.row()]
        if not (row.drawn and index.column() in (Column.NAME, Column.COLOUR)):
            self.scoring_wanted.emit(row.key)

    def _on_filter(self) -> None:
        self.table.set_filter(self.filter.currentData(), self.search.text())
        self._say_count(None)

    def _say_count(self, total: int | None) -> None:
        if total is not None:
            self._total = total
        shown = len(self.table.rows)
        words = f"{shown:,} fields" if shown == self._total else f"{shown:,} of {self._total:,} fields"
        self._count.setText("1 field" if shown == self._total == 1 else words)

"""Scoring a folder: choose it, see what was found, run it, watch the rows come."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from her2viewer import RESEARCH_USE
from her2viewer.batch.row import BatchRow
from her2viewer.cases.pair import Pair, Pairing
from her2viewer.errors import UserError
from her2viewer.gui.batch.controller import BatchEnd
from her2viewer.gui.batch.table import PAIR_ROLE, SORT_ROLE, BatchTable
from her2viewer.gui.panels.section import quiet


@dataclass(frozen=True, slots=True)
class BatchWish:
    """What the user wants of a run."""

    pairs: tuple[Pair, ...]
    out: Path
    overlays: bool
    resume: bool
    root: Path | None
    align: bool = False


class BatchDialog(QDialog):
    """Not modal: the window stays usable, and closing the dialog lets a run go on. Implements `BatchView`."""

    look_requested = Signal(object, object)
    start_requested = Signal(object)
    cancel_requested = Signal()
    pair_wanted = Signal(object)

    def __init__(self, out: str, show_folder: Callable[[Path], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Score a folder")
        self.resize(960, 640)
        self._pairing: Pairing | None = None
        self._looked_for = ("", "")
        self._running = False
        self._model_ready = False
        self._show_folder = show_folder
        self.first = self._folder_line("A folder with HE and IHC in it, or a CSV with the columns he and ihc")
        self.second = self._folder_line("Only where the IHC images are in a folder elsewhere")
        self.out = self._folder_line("A new or empty folder for tables, results and overlays", out)
        self.first.editingFinished.connect(self._look)
        self.second.editingFinished.connect(self._look)
        self.out.textChanged.connect(self._refresh)
        self.overlays = QCheckBox("Write an annotated picture of each pair")
        self.overlays.setChecked(True)
        self.resume = QCheckBox("Go on with results that are in the folder already")
        self.resume.setToolTip("Pairs that were scored by the same model from the same bytes are not scored again")
        self.align = QCheckBox("Register each pair first")
        self.align.setToolTip("A few seconds a pair; where the two are not found to match, the pair is scored as it is")
        self._found = quiet("Choose a folder to see its pairs.")
        self._found.setWordWrap(True)
        self._trouble = QLabel()
        self._trouble.setObjectName("trouble")
        self._trouble.setWordWrap(True)
        self._trouble.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._trouble.hide()
        self.table = BatchTable()
        self.view = self._table_view()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the batch")
        self._words = QLabel()
        self.start = QPushButton("Start")
        self.start.setProperty("primary", True)
        self.start.setDefault(True)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Finish the pair at hand and stop; what is done stays")
        self.open_folder = QPushButton("Open results")
        self.start.clicked.connect(self._on_start)
        self.cancel.clicked.connect(self.cancel_requested)
        self.open_folder.clicked.connect(lambda: self._show_folder(Path(self.out.text().strip())))
        self._lay_out()
        self._refresh()

    def _folder_line(self, hint: str, text: str = "") -> QLineEdit:
        line = QLineEdit(text)
        line.setPlaceholderText(hint)
        return line

    def _table_view(self) -> QTableView:
        view = QTableView()
        view.setAccessibleName("Pairs")
        order = QSortFilterProxyModel(self)
        order.setSourceModel(self.table)
        order.setSortRole(SORT_ROLE)
        view.setModel(order)
        view.setSortingEnabled(True)
        view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setIconSize(QSize(12, 12))
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(28)
        header = view.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((192, 64, 72, 80, 80, 80, 80, 80)):
            header.resizeSection(column, width)
        view.doubleClicked.connect(self._on_double_click)
        return view

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        rows = (("Pairs", self.first), ("IHC elsewhere", self.second), ("Results", self.out))
        for place, (name, line) in enumerate(rows):
            label = QLabel(name)
            label.setBuddy(line)
            line.setAccessibleName(name)
            browse = QPushButton("Browse...")
            browse.setAutoDefault(False)
            browse.setAccessibleName(f"Browse: {name}")
            browse.clicked.connect(lambda _=False, line=line, name=name: self._browse(line, name))
            grid.addWidget(label, place, 0)
            grid.addWidget(line, place, 1)
            grid.addWidget(browse, place, 2)
        options = QHBoxLayout()
        options.setSpacing(24)
        options.addWidget(self.overlays)
        options.addWidget(self.align)
        options.addWidget(self.resume)
        options.addStretch(1)
        grid.addLayout(options, 3, 1, 1, 2)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(quiet(f"Field-level predictions. {RESEARCH_USE}"), 1)
        for button in (self.open_folder, self.cancel, self.start):
            button.setAutoDefault(False)
            bottom.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(grid)
        layout.addWidget(self._found)
        layout.addWidget(self._trouble)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._words)
        layout.addWidget(self._bar)
        layout.addSpacing(4)
        layout.addLayout(bottom)

    def set_model_ready(self, ready: bool) -> None:
        """Without a model nothing can be started."""
        self._model_ready = ready
        self._refresh()

    def show_pairing(self, pairing: Pairing) -> None:
        """What was found."""
        self._pairing = pairing
        self._say_trouble("")
        self.table.set_pairing(pairing)
        words = [f"{_count(len(pairing.pairs), 'pair')} by {pairing.rule}"]
        if pairing.unpaired:
            words.append(f"{_count(len(pairing.unpaired), 'image')} without a partner")
        if pairing.refused:
            words.append(f"{_count(len(pairing.refused), 'file')} left out")
        self._found.setText(", ".join(words) + ".")
        if not self.out.text().strip():
            place = Path(self.first.text().strip())
            self.out.setText(str(place.parent / f"{place.stem}-her2"))
        self._refresh()

    def show_trouble(self, error: UserError) -> None:
        """Why there are no pairs, or why it cannot start."""
        if self._pairing is None:
            self._looked_for = ("", "")  # once the folder is mended, the same line may be looked at again
        self._say_trouble(str(error))
        self._refresh()

    def show_started(self, total: int) -> None:
        """A run has begun."""
        self._running = True
        self._say_trouble("")
        self.table.set_waiting()
        self._bar.setRange(0, total)
        self._bar.setValue(0)
        self._words.setText(f"0 of {total}")
        self._refresh()

    def show_working(self, pair: Pair) -> None:
        """A pair has been begun."""
        self.table.set_state(pair, "Working")

    def show_row(self, row: BatchRow, done: int, total: int, seconds: float) -> None:
        """A pair is done."""
        self.table.set_row(row)
        self._bar.setValue(done)
        rate = done / max(seconds, 1e-6)
        self._words.setText(
            f"{done} of {total}, {rate:.1f} pairs a second, about {_duration((total - done) / rate)} left"
        )

    def show_ended(self, end: BatchEnd) -> None:
        """The run is over, one way or another."""
        self._running = False
        for line in self.table.lines:
            if line.pair is not None and line.row is None:
                self.table.set_state(line.pair, "Not scored")
        failed = f", {end.failed} of them failed" if end.failed else ""
        tables = (
            f" Written: {', '.join(path.name for path in end.files)} and a result for each pair." if end.files else ""
        )
        how = "Done" if end.done == end.total and end.error is None else "Stopped"
        self._words.setText(f"{how}: {end.done} of {end.total} pairs{failed}, {_duration(end.seconds)}.{tables}")
        self._bar.setValue(end.done)
        if end.error is not None:
            self._say_trouble(str(end.error))
        self._refresh()

    def _say_trouble(self, text: str) -> None:
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))

    def _browse(self, line: QLineEdit, name: str) -> None:
        chosen = QFileDialog.getExistingDirectory(self, name, line.text())
        if chosen:
            line.setText(chosen)
            line.editingFinished.emit()

    def _look(self) -> None:
        first, second = self.first.text().strip(), self.second.text().strip()
        # Leaving a line says that it was edited, also where it was not: pressing Start must not look again.
        if not first or self._running or (first, second) == self._looked_for:
            return
        self._looked_for = (first, second)
        self._pairing = None
        self.table.set_pairing(None)
        self._found.setText("Looking for pairs")
        self._refresh()
        self.look_requested.emit(Path(first), Path(second) if second else None)

    def _on_start(self) -> None:
        if self._pairing is None:
            return
        first = Path(self.first.text().strip())
        root = None if self.second.text().strip() else (first if first.is_dir() else first.parent)
        out = Path(self.out.text().strip())
        wish = BatchWish(
            self._pairing.pairs, out, self.overlays.isChecked(), self.resume.isChecked(), root, self.align.isChecked()
        )
        self.start_requested.emit(wish)

    def _on_double_click(self, index: QModelIndex) -> None:
        pair = index.data(PAIR_ROLE)
        if isinstance(pair, Pair):
            self.pair_wanted.emit(pair)

    def _refresh(self) -> None:
        """What can be pressed now."""
        ready = self._pairing is not None and bool(self._pairing.pairs) and bool(self.out.text().strip())
        self.start.setEnabled(ready and self._model_ready and not self._running)
        self.start.setToolTip("" if self._model_ready else "The model is not loaded")
        self.cancel.setEnabled(self._running)
        self.open_folder.setEnabled(bool(self.out.text().strip()) and Path(self.out.text().strip()).is_dir())
        for widget in (self.first, self.second, self.out, self.overlays, self.align, self.resume):
            widget.setEnabled(not self._running)
        self._bar.setVisible(self._running)


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _duration(seconds: float) -> str:
    """'8 s', '3 min 20 s', '2 h 5 min'."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"

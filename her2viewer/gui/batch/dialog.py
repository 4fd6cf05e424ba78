"""Scoring a folder: choose it, see what was found, run it, watch the rows come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
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
from her2viewer.cases.names import guess_stain
from her2viewer.cases.pair import Pair, Pairing, pair_files
from her2viewer.cases.rule import Rule
from her2viewer.errors import UserError
from her2viewer.gui.batch.controller import BatchEnd
from her2viewer.gui.batch.summary import SummaryPanel, summed
from her2viewer.gui.batch.table import (
    HE,
    IHC,
    LABEL,
    LINE_ROLE,
    PAIR_ROLE,
    SURE,
    THUMBNAIL,
    BatchOrder,
    BatchTable,
    Kind,
    Line,
)
from her2viewer.gui.panels.section import quiet
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class BatchWish:
    """What the user wants of a run."""

    pairs: tuple[Pair, ...]
    out: Path
    overlays: bool
    resume: bool
    root: Path | None
    align: bool = False
    explain: bool = False
    no_names: bool = False


class BatchDialog(QDialog):
    """Not modal: the window stays usable, and closing the dialog lets a run go on. Implements `BatchView`."""

    look_requested = Signal(object, object, object, str)
    doubt_requested = Signal(object)
    save_list_requested = Signal(object, object)
    start_requested = Signal(object)
    pause_requested = Signal()
    go_on_requested = Signal()
    cancel_requested = Signal()
    pair_wanted = Signal(object)
    seen_changed = Signal(object)

    def __init__(
        self,
        out: str,
        show_folder: Callable[[Path], object],
        parent: QWidget | None = None,
        thumbnail_of: Callable[[Path], QImage | None] = lambda _: None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Score a folder")
        self.resize(1120, 720)
        self.setAcceptDrops(True)
        self._pairing: Pairing | None = None
        self._looked_for: tuple[object, ...] = ()
        self._running = self._paused = self._ran = False
        self._model_ready = False
        self._show_folder = show_folder
        self.first = self._folder_line("A folder with HE and IHC in it, or a CSV with the columns he and ihc")
        self.second = self._folder_line("Only where the IHC images are in a folder elsewhere")
        self.out = self._folder_line("A new or empty folder for tables, results and overlays", out)
        self.rule = QComboBox()
        self.rule.setAccessibleName("Matched by")
        for one in Rule:
            self.rule.addItem(one.words, one)
        self.pattern = QLineEdit("{case}_{stain}*")
        self.pattern.setAccessibleName("Pattern of names")
        self.pattern.setToolTip("{case} and {stain} (HE, IHC, HER2) once each, * for anything; without the ending .png")
        self.pattern.hide()
        self.rule.activated.connect(self._on_rule)
        self.pattern.editingFinished.connect(self._look)
        self.first.editingFinished.connect(self._look)
        self.second.editingFinished.connect(self._look)
        self.out.textChanged.connect(self._refresh)
        self.overlays = QCheckBox("Write an annotated picture of each pair")
        self.overlays.setChecked(True)
        self.resume = QCheckBox("Go on with results that are in the folder already")
        self.resume.setToolTip("Pairs that were scored by the same model from the same bytes are not scored again")
        self.no_names = QCheckBox("Leave out names")
        self.no_names.setToolTip("In all that is written, each case is called by a hash of its images, and no file by its name")
        self.align = QCheckBox("Register each pair first")
        self.align.setToolTip("A few seconds a pair; where the two are not found to match, the pair is scored as it is")
        self.explain = QCheckBox("Question each score")
        self.explain.setToolTip("Checks, trust, membranes and what if, as files beside each result; some seconds a pair")
        self.summary = SummaryPanel()
        self.summary.hide()
        self._summing = QTimer(self)
        self._summing.setSingleShot(True)
        self._summing.setInterval(300)
        self._summing.timeout.connect(self._sum_up)
        self._found = quiet("Choose a folder to see its pairs, or drop one here.")
        self._found.setWordWrap(True)
        self._trouble = QLabel()
        self._trouble.setObjectName("trouble")
        self._trouble.setWordWrap(True)
        self._trouble.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._trouble.hide()
        self.table = BatchTable(thumbnail_of, self)
        self.table.edited.connect(self._on_edited)
        self.view = self._table_view()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the batch")
        self._words = QLabel()
        self.start = QPushButton("Start")
        self.start.setProperty("primary", True)
        self.start.setDefault(True)
        self.pause = QPushButton("Pause")
        self.pause.setToolTip("Finish the pairs at hand and wait")
        self.pause.clicked.connect(self._on_pause)
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
        self.order = BatchOrder(self.table, self)
        view.setModel(self.order)
        view.setSortingEnabled(True)
        view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)  # F2; a double click opens the pair
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(32)
        header = view.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate((216, 184, 184, 72, 80, 88, 80, 80, 80, 80, 80)):
            header.resizeSection(column, width)
        # What became of a pair stands beside its score; the figures behind it are for who looks further.
        header.moveSection(self.table.columnCount() - 1, SURE + 1)
        header.resizeSection(self.table.columnCount() - 1, 264)
        view.doubleClicked.connect(self._on_double_click)
        view.verticalScrollBar().valueChanged.connect(self._on_seen)
        self.order.modelReset.connect(self._on_seen)
        self.order.layoutChanged.connect(self._on_seen)
        view.selectionModel().selectionChanged.connect(self._refresh)
        return view

    def _tools(self) -> QHBoxLayout:
        """Above the table: which rows are shown, and what can be done with those chosen."""
        self.words = QLineEdit()
        self.words.setPlaceholderText("Filter: name, label, 2+, failed")
        self.words.setClearButtonEnabled(True)
        self.words.setAccessibleName("Filter the rows by words")
        self.words.setMaximumWidth(280)
        self.kind = QComboBox()
        self.kind.setAccessibleName("Which rows are shown")
        for kind in Kind:
            self.kind.addItem(kind.value, kind)
        self.words.textChanged.connect(self._on_filter)
        self.kind.currentIndexChanged.connect(self._on_filter)
        self._shown = quiet()
        self.remove = self._tool("Leave out", "The pairs chosen are not scored", self._on_remove)
        self.swap = self._tool("Swap", "The two images of the pairs chosen change sides", self._on_swap)
        self.partner = self._tool("Partner...", "Choose the other image of a file that was left out", self._on_partner)
        self.save = self._tool("Save list...", "The pairs as a CSV, which can be opened here again", self._on_save)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.kind)
        row.addWidget(self._shown)
        row.addStretch(1)
        for button in (self.remove, self.swap, self.partner, self.save):
            row.addWidget(button)
        return row

    def _tool(self, text: str, tip: str, work: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _=False: work())
        return button

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
        matched = QHBoxLayout()
        matched.setSpacing(8)
        matched.addWidget(self.rule)
        matched.addWidget(self.pattern, 1)
        matched.addStretch(1)
        by = QLabel("Matched by")
        by.setBuddy(self.rule)
        grid.addWidget(by, 3, 0)
        grid.addLayout(matched, 3, 1)
        options = QHBoxLayout()
        options.setSpacing(24)
        options.addWidget(self.overlays)
        options.addWidget(self.align)
        options.addWidget(self.explain)
        options.addStretch(1)
        more = QHBoxLayout()
        more.setSpacing(24)
        more.addWidget(self.no_names)
        more.addWidget(self.resume)
        more.addStretch(1)
        grid.addLayout(options, 4, 1, 1, 2)
        grid.addLayout(more, 5, 1, 1, 2)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(quiet(f"Field-level predictions. {RESEARCH_USE}"), 1)
        for button in (self.open_folder, self.pause, self.cancel, self.start):
            button.setAutoDefault(False)
            bottom.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(grid)
        layout.addWidget(self._found)
        layout.addWidget(self._trouble)
        layout.addLayout(self._tools())
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(self.view, 1)
        middle.addWidget(self.summary)
        layout.addLayout(middle, 1)
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
        self._ran = False
        self._say_trouble("")
        self.table.editable = True
        self.table.set_pairing(pairing)
        self.summary.hide()
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
            self._looked_for = ()  # once the folder is mended, the same line may be looked at again
        self._say_trouble(str(error))
        self._refresh()

    def show_doubts(self, doubts: Mapping[str, str]) -> None:
        """What is odd about pairs, by case id."""
        if self._running or self._ran:
            return
        self.table.set_doubts(doubts)
        if doubts:
            self._found.setText(f"{self._found.text().split(' Look at')[0]} Look at {_count(len(doubts), 'doubtful pair')}.")
        self._on_filter()

    def show_list_saved(self, path: Path) -> None:
        """The pairs were written as a table."""
        self._words.setText(f"Saved: {path.name}. Choose it under Pairs to score these pairs again.")

    def show_paused(self, *, paused: bool) -> None:
        """A run waits, or goes on."""
        self._paused = paused
        self.pause.setText("Go on" if paused else "Pause")
        if paused:
            self._words.setText(f"Paused: {self._bar.value()} of {self._bar.maximum()} pairs are done and kept.")

    def show_started(self, total: int) -> None:
        """A run has begun."""
        self._running = self._ran = True
        self.table.editable = False
        self.kind.setCurrentIndex(0)
        self.words.clear()
        self.summary.show()
        self._sum_up()
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
        if not self._summing.isActive():
            self._summing.start()
        if self._paused:
            self.show_paused(paused=True)
            return
        rate = done / max(seconds, 1e-6)
        self._words.setText(
            f"{done} of {total}, {rate:.1f} pairs a second, about {_duration((total - done) / rate)} left"
        )

    def show_ended(self, end: BatchEnd) -> None:
        """The run is over, one way or another."""
        self._running = False
        self.show_paused(paused=False)
        self._sum_up()
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

    def _on_rule(self) -> None:
        self.pattern.setVisible(self._rule() is Rule.PATTERN)
        self._look()

    def _rule(self) -> Rule:
        return Rule(self.rule.currentData())  # Qt gives back a plain string

    def _look(self) -> None:
        first, second = self.first.text().strip(), self.second.text().strip()
        rule = self._rule()
        wanted = (first, second, rule, self.pattern.text() if rule is Rule.PATTERN else "")
        # Leaving a line says that it was edited, also where it was not: pressing Start must not look again.
        if not first or self._running or wanted == self._looked_for:
            return
        self._looked_for = wanted
        self._pairing = None
        self.table.set_pairing(None)
        self._found.setText("Looking for pairs")
        self._refresh()
        self.look_requested.emit(Path(first), Path(second) if second else None, rule, self.pattern.text())

    def _on_start(self) -> None:
        if self._pairing is None:
            return
        first = Path(self.first.text().strip())
        root = None if self.second.text().strip() else (first if first.is_dir() else first.parent)
        out = Path(self.out.text().strip())
        wish = BatchWish(
            self.table.pairs,
            out,
            self.overlays.isChecked(),
            self.resume.isChecked(),
            root,
            self.align.isChecked(),
            self.explain.isChecked(),
            self.no_names.isChecked(),
        )
        self.start_requested.emit(wish)

    def _on_pause(self) -> None:
        (self.go_on_requested if self._paused else self.pause_requested).emit()

    def _on_filter(self) -> None:
        self.order.set_filter(self.words.text(), self.kind.currentData())
        shown, total = self.order.rowCount(), self.table.rowCount()
        self._shown.setText(f"{shown} of {total}" if shown != total else "")
        self._on_seen()

    def _on_seen(self) -> None:
        """Thumbnails are made of the rows on screen."""
        first, last = self.view.rowAt(0), self.view.rowAt(self.view.viewport().height() - 1)
        rows = range(max(first, 0), (self.order.rowCount() if last < 0 else last + 1))
        lines = (self.order.index(row, 0).data(LINE_ROLE) for row in rows)
        paths = (line.path if line.pair is None else line.pair.ihc for line in lines if line is not None)
        self.seen_changed.emit([path for path in paths if path is not None])

    def _chosen(self) -> list[Line]:
        return [index.data(LINE_ROLE) for index in self.view.selectionModel().selectedRows()]

    def _on_remove(self) -> None:
        self.table.remove([line for line in self._chosen() if line.pair is not None])

    def _on_swap(self) -> None:
        self.table.swap([line for line in self._chosen() if line.pair is not None])

    def _on_partner(self) -> None:
        """The side that the name does not tell is taken for the H&E's."""
        (line,) = self._chosen()
        if line.path is None:
            return
        stain = guess_stain(line.path) or Stain.HE
        other = Stain.IHC if stain is Stain.HE else Stain.HE
        chosen, _ = QFileDialog.getOpenFileName(self, f"The {other.caption} of {line.path.name}", str(line.path.parent))
        if chosen:
            self.join(line, Path(chosen))

    def join(self, line: Line, partner: Path) -> None:
        """A file that was left out is scored with this one."""
        assert line.path is not None
        he, ihc = (line.path, partner) if guess_stain(line.path) is not Stain.IHC else (partner, line.path)
        self.table.join(line, pair_files(he, ihc))

    def _on_save(self) -> None:
        start = Path(self.first.text().strip() or ".")
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the list of pairs", str(start.parent / "pairs.csv"), "CSV (*.csv)")
        if chosen:
            self.save_list_requested.emit(self.table.pairs, Path(chosen))

    def _on_edited(self) -> None:
        self._found.setText(f"{_count(len(self.table.pairs), 'pair')}, changed by hand.")
        self.doubt_requested.emit(self.table.pairs)
        self._on_filter()
        self._refresh()

    def _sum_up(self) -> None:
        # Counts of what may not be seen would tell it as well.
        rows = [line.row for line in self.table.lines if line.row is not None and not self.table.is_hidden(line)]
        results = [row.result for row in rows if row.result is not None]
        self.summary.show_summary(summed(results, len(rows) - len(results), self.table.classes))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self._running and any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder or table, or two folders: the H&E's first, as their names tell."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()][:2]
        if len(paths) == 2 and guess_stain(paths[0]) is Stain.IHC:
            paths.reverse()
        self.first.setText(str(paths[0]))
        self.second.setText(str(paths[1]) if len(paths) == 2 else "")
        self._look()

    def _on_double_click(self, index: QModelIndex) -> None:
        pair = index.data(PAIR_ROLE)
        if isinstance(pair, Pair):
            self.pair_wanted.emit(pair)

    def _refresh(self) -> None:
        """What can be pressed now."""
        ready = self._pairing is not None and bool(self.table.pairs) and bool(self.out.text().strip())
        self.start.setEnabled(ready and self._model_ready and not self._running)
        self.start.setToolTip("" if self._model_ready else "The model is not loaded")
        self.cancel.setEnabled(self._running)
        self.pause.setEnabled(self._running)
        chosen, before = self._chosen(), not self._running and not self._ran
        pairs = [line for line in chosen if line.pair is not None]
        for button in (self.remove, self.swap):
            button.setEnabled(before and bool(pairs))
        self.partner.setEnabled(before and len(chosen) == 1 and chosen[0].path is not None)
        self.save.setEnabled(bool(self.table.pairs))
        header = self.view.horizontalHeader()
        last = self.table.columnCount() - 1
        for column in range(HE, last):
            of_files = column in (HE, IHC)
            header.setSectionHidden(column, column != LABEL and of_files == (self._running or self._ran))
        self.open_folder.setEnabled(bool(self.out.text().strip()) and Path(self.out.text().strip()).is_dir())
        lines = (self.first, self.second, self.out, self.rule, self.pattern)
        for widget in (*lines, self.overlays, self.align, self.explain, self.no_names, self.resume):
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

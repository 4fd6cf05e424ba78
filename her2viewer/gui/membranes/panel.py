"""The section 'Membranes': the score that the membranes give beside the network's, the shares behind it, and what it rests on."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from her2viewer.gui.membranes.bars import GradeBars
from her2viewer.gui.membranes.resolve import MembranesShown
from her2viewer.gui.panels.fold import Fold
from her2viewer.gui.panels.section import quiet

_SELECTABLE: Final = Qt.TextInteractionFlag.TextSelectableByMouse


class MembranesPanel(QWidget):
    """Shows what `resolve_membranes` decided. Signals go out; it decides nothing."""

    read_requested = Signal()
    cancel_requested = Signal()
    cells_toggled = Signal(bool)
    always_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Membranes")
        self.cells = QCheckBox("Show the cells")
        self.cells.setToolTip(
            "Draw each cell's membrane over both images, by its grade (C); hold Space to look beneath"
        )
        self.cells.clicked.connect(self.cells_toggled)
        self.fold = Fold("Membranes", self.cells)
        self._scores = QWidget()
        row = QHBoxLayout(self._scores)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._score, self._network = QLabel(), QLabel()
        self._network_name = quiet("Network")
        for label in (self._score, self._network):
            label.setProperty("emphasis", True)
        for widget in (quiet("By the membranes"), self._score, self._network_name, self._network):
            row.addWidget(widget)
        row.insertStretch(2, 1)
        self._sentence, self._borderline, self._words = QLabel(), QLabel(), QLabel()
        self._counted = quiet()
        self._cell = QLabel()
        for label in (self._sentence, self._borderline, self._words, self._counted, self._cell):
            label.setWordWrap(True)
            label.setTextInteractionFlags(_SELECTABLE)
        self._cell.setToolTip(
            "DAB: optical density across the cell's side of its membrane, times micrometres.\n"
            "The share of the outline that is stained says whether a membrane is complete."
        )
        self.bars = GradeBars()
        self.basis = Fold("What it rests on", small=True, is_open=False)
        self._limits = quiet()
        self._limits.setWordWrap(True)
        self._limits.setTextInteractionFlags(_SELECTABLE)
        self.basis.body.addWidget(self._limits)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 0)
        self._progress.setAccessibleName("Progress")
        self.read = QPushButton("Read membranes")
        self.read.setToolTip("Find the cells of this field and measure their membranes (Shift+C)")
        self.read.clicked.connect(self.read_requested)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop reading (Esc)")
        self.cancel.clicked.connect(self.cancel_requested)
        self.always = QCheckBox("Read them after every score")
        self.always.setToolTip("In a worker of its own once the score is shown; large fields wait for the button")
        self.always.clicked.connect(self.always_toggled)
        for button in (self.cells, self.read, self.cancel, self.always):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        parts: tuple[QWidget, ...] = (
            self._scores,
            self._sentence,
            self._borderline,
            self.bars,
            self._counted,
            self._cell,
            self.basis,
            self._words,
            self._progress,
            self.read,
            self.cancel,
            self.always,
        )
        for part in parts:
            self.fold.body.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self.fold)

    def show_membranes(self, shown: MembranesShown) -> None:
        there = bool(shown.score)
        self._scores.setVisible(there)
        self._score.setText(shown.score)
        self._network.setText(shown.network)
        self._network_name.setVisible(bool(shown.network))
        for label, text in (
            (self._sentence, shown.sentence),
            (self._borderline, shown.borderline),
            (self._words, shown.words),
            (self._counted, shown.counted),
            (self._cell, shown.cell),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.bars.setVisible(bool(shown.rows))
        self.bars.show_rows(shown.rows)
        self.basis.setVisible(bool(shown.limits))
        self._limits.setText("\n\n".join(shown.limits))
        self.cells.setVisible(bool(shown.rows))
        self.cells.setChecked(shown.cells_shown)
        self._progress.setVisible(shown.busy)
        self.cancel.setVisible(shown.busy)
        self.read.setVisible(not shown.busy and not there)
        self.read.setEnabled(shown.can)

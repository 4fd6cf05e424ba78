"""The side panel of cases: a filter, the list, what was found, and what to do where there is nothing yet."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QStackedLayout, QVBoxLayout, QWidget
from superqt import QElidingLabel

from her2viewer.gui.cases.case_list import CaseListView
from her2viewer.gui.cases.shown import CasesShown
from her2viewer.gui.panels.section import heading, quiet


class CasePanel(QWidget):
    """Shows what `resolve_cases` decided. Signals go out: `opened` a Pair, `filtered` a text, `folder_wanted`."""

    opened = Signal(object)
    filtered = Signal(str)
    folder_wanted = Signal()
    seen_changed = Signal()

    def __init__(self, thumbnail_of: Callable[[Path], QImage | None]) -> None:
        super().__init__()
        self.setAccessibleName("Cases")
        self.setMinimumWidth(184)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: name, tag, 2+, failed")
        self.filter.setAccessibleName("Filter the cases")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.filtered)
        self.count = quiet()
        self.list = CaseListView(thumbnail_of)
        self.list.opened.connect(self.opened)
        self.list.seen_changed.connect(self.seen_changed)
        self.note = QElidingLabel()
        self.note.setProperty("quiet", True)
        self.note.setElideMode(Qt.TextElideMode.ElideRight)
        self._nothing = quiet()
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setContentsMargins(16, 16, 16, 16)
        self._bar = QWidget()
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self.filter, 1)
        row.addWidget(self.count)
        listed = QWidget()
        self._listed = QStackedLayout(listed)
        self._listed.addWidget(self.list)
        self._listed.addWidget(self._nothing)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(listed, 1)
        self._foot = QWidget()
        below = QHBoxLayout(self._foot)
        below.setContentsMargins(8, 8, 8, 8)
        below.addWidget(self.note)
        column.addWidget(self._foot)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(full)
        self._stack.addWidget(self._teaching())

    def _teaching(self) -> QWidget:
        page = QWidget()
        title = heading("No cases yet")
        text = quiet(
            "Open a folder with HE and IHC in it, or with files whose names end in _HE and _IHC. "
            "Every pair that you open is listed here, with its score."
        )
        text.setWordWrap(True)
        self.open_folder = QPushButton("Open folder of pairs...")
        self.open_folder.clicked.connect(self.folder_wanted)
        self._trouble = QLabel()
        self._trouble.setObjectName("trouble")
        self._trouble.setWordWrap(True)
        self._trouble.hide()
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        for widget in (title, text, self.open_folder, self._trouble):
            column.addWidget(widget)
        column.addStretch(1)
        return page

    def show_cases(self, shown: CasesShown) -> None:
        """Shows rows; the row where paging stands is marked and in sight."""
        self._stack.setCurrentIndex(0 if shown.rows or shown.empty else 1)
        self.list.rows.set_rows(shown.rows)
        self.list.choose(shown.at)
        self.count.setText(shown.count)
        self._foot.setVisible(bool(shown.note))
        self.note.setText(shown.note)
        self.note.setToolTip(shown.more)
        self._nothing.setText(shown.empty)
        self._listed.setCurrentIndex(1 if shown.empty else 0)

    def set_filter(self, text: str) -> None:
        """Shows a filter; nobody is told."""
        if self.filter.text() != text:
            blocked = self.filter.blockSignals(True)
            self.filter.setText(text)
            self.filter.blockSignals(blocked)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen_changed.emit()

"""The strip under the panes while landmarks are being set: what to click next, how well each one fits, and how to leave."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from her2viewer.gui.panels.section import heading, quiet
from her2viewer.gui.registration.resolve import LandmarksShown


class LandmarkStrip(QFrame):
    """Shows what `resolve_landmarks` decided. Signals go out; it decides nothing."""

    chosen = Signal(int)
    delete_requested = Signal()
    clear_requested = Signal()
    bend_toggled = Signal(bool)
    done_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName("Landmarks")
        self._prompt = QElidingLabel()
        self._verdict = QLabel()
        self._verdict.setWordWrap(True)
        self._verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bend = QCheckBox("Bend to fit")
        self._bend.setToolTip("A thin plate through every landmark, for tissue that was stretched or torn")
        self._bend.toggled.connect(self.bend_toggled)
        self._delete = _button("Delete", "Delete the chosen landmark (Del)")
        self._delete.clicked.connect(self.delete_requested)
        self._clear = _button("Clear all", "Delete all landmarks; the alignment before them comes back")
        self._clear.clicked.connect(self.clear_requested)
        self._done = _button("Done", "Keep the alignment and leave (Esc)")
        self._done.setProperty("primary", True)
        self._done.clicked.connect(self.done_requested)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        self._marks = QWidget()
        self._mark_row = QHBoxLayout(self._marks)
        self._mark_row.setContentsMargins(0, 0, 0, 0)
        self._mark_row.setSpacing(4)
        self._mark_row.addStretch(1)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFixedHeight(40)
        scroll.setWidget(self._marks)
        words = QHBoxLayout()
        words.setSpacing(16)
        words.addWidget(heading("Landmarks"))
        words.addWidget(self._prompt, 1)
        words.addWidget(quiet("Del deletes, Esc leaves"))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._verdict, 1)
        for widget in (self._bend, self._delete, self._clear, self._done):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(4)
        column.addLayout(words)
        column.addWidget(scroll)
        column.addLayout(row)

    def show_landmarks(self, shown: LandmarksShown) -> None:
        self._prompt.setText(shown.prompt)
        self._verdict.setText(shown.verdict)
        self._verdict.setObjectName("warning" if shown.trouble else "")
        self._verdict.style().unpolish(self._verdict)
        self._verdict.style().polish(self._verdict)
        self._show_marks(shown)
        blocked = self._bend.blockSignals(True)
        self._bend.setChecked(shown.bend)
        self._bend.blockSignals(blocked)
        self._bend.setEnabled(shown.can_bend)
        self._delete.setEnabled(shown.chosen is not None)
        self._clear.setEnabled(bool(shown.marks))
        self.setVisible(shown.setting)

    def _show_marks(self, shown: LandmarksShown) -> None:
        while len(self._group.buttons()) > len(shown.marks):
            button = self._group.buttons()[-1]
            self._group.removeButton(button)
            self._mark_row.removeWidget(button)
            button.deleteLater()
        while len(self._group.buttons()) < len(shown.marks):
            place = len(self._group.buttons())
            button = _button("", "Choose this landmark")
            button.setCheckable(True)
            self._group.addButton(button, place)
            self._mark_row.insertWidget(place, button)
        for place, (number, words) in enumerate(shown.marks):
            button = self._group.button(place)
            plain = words.replace("&", "&&")  # to a button one & says that the next letter is a key
            button.setText(f"{number}:  {plain}" if words else number)
            button.setAccessibleName(f"Landmark {number} {words}")
            if place == shown.chosen:
                button.setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_requested.emit()
        else:
            super().keyPressEvent(event)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button

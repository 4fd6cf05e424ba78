"""The section 'Your score': five buttons, a line on the model, a reason, and below a fold tags and notes."""

from typing import Final

from PySide6.QtCore import QEvent, QStringListModel, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from her2viewer.cases.library.records import NOT_ASSESSABLE, READER_SCORES
from her2viewer.gui.actions.specs import SPECS, key_words
from her2viewer.gui.panels.fold import Fold
from her2viewer.gui.panels.section import heading, quiet
from her2viewer.gui.readings.resolve import SCORE_ACTIONS, ReadingShown

PAUSE_MS: Final = 700
"""After the last letter of notes: they are kept when the typing pauses, a step of undo each."""
_NOTES_HEIGHT: Final = 88


class ReadingPanel(QWidget):
    """Shows what `resolve_reading` decided. Signals go out: `read` a score, `reason_given`, `tags_given` a tuple, `notes_given`
    (case, text), `blind_toggled`.
    """

    read = Signal(str)
    reason_given = Signal(str)
    tags_given = Signal(object)
    notes_given = Signal(int, str)
    blind_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Your score")
        self._shown = ReadingShown(False, "")
        self.blind = QCheckBox("Blind first")
        self.blind.setToolTip("Hide the model until you have given your own score (Shift+B)")
        self.blind.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.blind.clicked.connect(self.blind_toggled)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.buttons = {score: self._button(score) for score in READER_SCORES}
        self._group.buttonClicked.connect(self._on_button)
        self._words = QLabel()
        self._words.setObjectName("readingWords")
        self._words.setWordWrap(True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, where you wish to give one")
        self.reason.setAccessibleName("Reason of your score")
        self.reason.setMaxLength(500)
        self.reason.editingFinished.connect(self._on_reason)
        self.tags = QLineEdit()
        self.tags.setPlaceholderText("Tags, with commas between")
        self.tags.setAccessibleName("Tags of this case")
        self.tags.setToolTip("Words by which the case is found again (Ctrl+T); commas stand between them")
        self.tags.editingFinished.connect(self._on_tags)
        self._offered = QStringListModel(self)
        completer = QCompleter(self._offered, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.tags.setCompleter(completer)
        self.notes = QPlainTextEdit()
        self.notes.setPlaceholderText("Notes")
        self.notes.setAccessibleName("Notes on this case")
        self.notes.setToolTip("Kept with the case on this computer (Ctrl+Shift+N)")
        self.notes.setTabChangesFocus(True)
        self.notes.setFixedHeight(_NOTES_HEIGHT)
        self.notes.textChanged.connect(self._on_typed)
        self._typed = False
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.settle)
        self._agreed = quiet()
        self.fold = Fold("Tags and notes", small=True, is_open=False)
        self.fold.body.addWidget(self.tags)
        self.fold.body.addWidget(self.notes)
        self._lay_out()
        self.show_reading(self._shown)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(heading("Your score"))
        top.addStretch(1)
        top.addWidget(self.blind)
        row = QHBoxLayout()
        row.setSpacing(4)
        for score, button in self.buttons.items():
            row.addWidget(button, 3 if score == NOT_ASSESSABLE else 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addLayout(row)
        for widget in (self._words, self.reason, self.fold):
            layout.addWidget(widget)

    def _button(self, score: str) -> QPushButton:
        spec = next(spec for spec in SPECS if spec.id is SCORE_ACTIONS[score])
        button = QPushButton("n/a" if score == NOT_ASSESSABLE else score)
        button.setObjectName(f"read_{score}")
        button.setCheckable(True)
        button.setProperty("segment", True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(spec.text)
        button.setToolTip(f"{spec.tip} ({key_words(spec)})")
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._group.addButton(button)
        return button

    def show_reading(self, shown: ReadingShown) -> None:
        """What is being typed stays as long as it is of the same case."""
        other = shown.case != self._shown.case
        before, self._shown = self._shown, shown
        self._group.setExclusive(False)  # otherwise the last one pressed could not be let go
        for score, button in self.buttons.items():
            button.setChecked(score == shown.score)
            button.setEnabled(shown.can)
        self._group.setExclusive(True)
        self._words.setText(shown.words)
        self._words.setVisible(bool(shown.words))
        self._words.setProperty("quiet", not shown.score)
        self._words.style().unpolish(self._words)
        self._words.style().polish(self._words)
        self.blind.setChecked(shown.blind)
        self.reason.setVisible(bool(shown.score))
        for widget in (self.reason, self.tags, self.notes):
            widget.setEnabled(shown.can)
        if other or (before.reason != shown.reason or not self.reason.hasFocus()):
            self.reason.setText(shown.reason)
        if other or before.tags != shown.tags or not self.tags.hasFocus():
            self.tags.setText(", ".join(shown.tags))
        if other or (not self._typed and self.notes.toPlainText() != shown.notes):
            blocked = self.notes.blockSignals(True)
            self.notes.setPlainText(shown.notes)
            self.notes.blockSignals(blocked)
            self._typed = False
        if self._offered.stringList() != list(shown.known_tags):
            self._offered.setStringList(list(shown.known_tags))
        self.fold.set_title(_fold_title(shown))

    def settle(self) -> None:
        """What was typed is kept now."""
        self._pause.stop()
        if self._typed and self._shown.case:
            self._typed = False
            self.notes_given.emit(self._shown.case, self.notes.toPlainText())
        self._on_reason()
        self._on_tags()

    def edit_tags(self) -> None:
        self.fold.set_open(True)
        self.tags.setFocus()
        self.tags.selectAll()

    def edit_notes(self) -> None:
        self.fold.set_open(True)
        self.notes.setFocus()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._pause.stop()

    def _on_button(self, button: QPushButton) -> None:
        score = next(score for score, one in self.buttons.items() if one is button)
        # The library says what stands; until then the button shows what it showed.
        self.show_reading(self._shown)
        self.read.emit(score)

    def _on_reason(self) -> None:
        reason = self.reason.text().strip()
        if self._shown.score and reason != self._shown.reason:
            self.reason_given.emit(reason)

    def _on_tags(self) -> None:
        tags = tuple(dict.fromkeys(filter(None, (tag.strip() for tag in self.tags.text().split(",")))))
        if self._shown.can and tuple(sorted(tags)) != tuple(sorted(self._shown.tags)):
            self.tags_given.emit(tags)

    def _on_typed(self) -> None:
        self._typed = True
        self._pause.start()


def _fold_title(shown: ReadingShown) -> str:
    """Says what is folded away."""
    told = [", ".join(shown.tags)] if shown.tags else []
    told += ["notes"] if shown.notes else []
    return f"Tags and notes: {'; '.join(told)}" if told else "Tags and notes"

"""The answer: the score first, then the probabilities, then what speaks against it, then who said it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from her2viewer.gui.guard.checks import ChecksView
from her2viewer.gui.panels.probabilities import ProbabilityBars
from her2viewer.gui.panels.section import FactRows, heading, quiet
from her2viewer.gui.resolve.score import ScoreFace, ScoreShown
from her2viewer.gui.theme import score_colour


class ScorePanel(QWidget):
    """Shows what `resolve_score` decided. Signals go out; it decides nothing."""

    score_requested = Signal()
    cancel_requested = Signal()
    swap_requested = Signal()
    whole_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Score")
        self._swatch = QLabel()
        self._swatch.setFixedSize(8, 48)
        self._score = QLabel()
        self._score.setObjectName("score")
        self._kind = quiet("Field-level prediction")
        self._kind.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._answer = QWidget()
        row = QHBoxLayout(self._answer)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self._swatch)
        row.addWidget(self._score)
        row.addStretch(1)
        row.addWidget(self._kind, 0, Qt.AlignmentFlag.AlignBottom)
        self._title = heading("")
        self._text = QLabel()
        self._bars = ProbabilityBars()
        self._set = QLabel()
        self._against = QLabel()
        self._against.setObjectName("against")
        self.checks = ChecksView()
        self._facts = FactRows()
        for label in (self._text, self._set, self._against):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._swap = QPushButton("Swap stains")
        self._swap.setToolTip("Exchange the H&E and the IHC image (X)")
        self._swap.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._swap.clicked.connect(self.swap_requested)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Progress")
        self._button = QPushButton("Score this field")
        self._button.setObjectName("scoreButton")
        self._button.setProperty("primary", True)
        self._button.setToolTip("Ask the model for the HER2 score of this field (S)")
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._button.clicked.connect(self.score_requested)
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("cancelButton")
        self._cancel.setToolTip("Stop scoring (Esc)")
        self._cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._cancel.clicked.connect(self.cancel_requested)
        self._subject = QLabel()
        self._subject.setObjectName("subject")
        self._whole = QPushButton("Whole image")
        self._whole.setObjectName("wholeButton")
        self._whole.setToolTip("Show the score of the whole image again (Backspace)")
        self._whole.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._whole.clicked.connect(self.whole_requested)
        self._of = QWidget()
        of = QHBoxLayout(self._of)
        of.setContentsMargins(0, 0, 0, 0)
        of.addWidget(self._subject, 1)
        of.addWidget(self._whole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        for widget in (
            heading("HER2 score"),
            self._of,
            self._answer,
            self._bars,
            self._set,
            self._title,
            self._text,
            self._against,
            self._swap,
            self.checks,
            self._facts,
            self._progress,
            self._button,
            self._cancel,
        ):
            layout.addWidget(widget)

    def show_score(self, shown: ScoreShown) -> None:
        scored = shown.face is ScoreFace.SCORED and shown.prediction is not None
        working = shown.face is ScoreFace.WORKING
        self._of.setVisible(bool(shown.subject))
        self._subject.setText(shown.subject)
        self._answer.setVisible(scored)
        self._bars.setVisible(scored)
        self._set.setVisible(scored)
        self._title.setVisible(not scored)
        self._text.setVisible(not scored and bool(shown.text))
        self._title.setText(shown.title)
        self._text.setText(shown.text)
        self._set.setText(shown.set_words)
        self._set.setToolTip(shown.set_more)
        self._against.setText("\n\n".join(shown.against))
        self._against.setVisible(bool(shown.against))
        self._swap.setVisible(shown.offers_swap)
        self._facts.set_rows(shown.provenance)
        self._progress.setVisible(working)
        if shown.fraction is None:
            self._progress.setRange(0, 0)
        else:
            self._progress.setRange(0, 1000)
            self._progress.setValue(round(shown.fraction * 1000))
        sealed = shown.face is ScoreFace.SEALED
        self._button.setVisible(not working and not sealed and (not scored or shown.stale))
        self._button.setText("Score again" if shown.stale else "Score this field")
        self._button.setEnabled(shown.can_score)
        self._cancel.setVisible(working)
        self._bars.set_prediction(shown.prediction)
        if shown.prediction is not None:
            prediction = shown.prediction
            self._score.setText(shown.answer)
            self._score.setAccessibleName(f"{shown.kind}: HER2 {shown.answer}")
            self._kind.setText(shown.kind)
            colour = score_colour(prediction.classes.index(prediction.score), len(prediction.classes))
            self._swatch.setStyleSheet(f"background: {colour.name()}; border-radius: 2px;")
            self._swatch.setVisible(shown.answer == prediction.score)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._bars.update()

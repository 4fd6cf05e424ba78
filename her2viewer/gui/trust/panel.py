"""The section 'Trust': the verdict on the map on screen, then its curves, then every measurement."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from her2viewer.gui.panels.fold import Fold
from her2viewer.gui.panels.section import quiet
from her2viewer.gui.trust.plot import CurvePlot
from her2viewer.gui.trust.resolve import UNTRAINED, TrustShown


class TrustPanel(QWidget):
    """Shows what `resolve_trust` decided. Signals go out; it decides nothing."""

    asked = Signal()
    cancel_requested = Signal()
    untrained_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Trust")
        self.fold = Fold("Trust in this map")
        self._headline, self._words, self._limit = QLabel(), QLabel(), quiet()
        self._headline.setProperty("emphasis", True)
        for label in (self._headline, self._words, self._limit):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.plot = CurvePlot()
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._labels: list[tuple[QLabel, QLabel]] = []
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setRange(0, 0)
        self._progress.setAccessibleName("Progress")
        self.ask = QPushButton("Question this map")
        self.ask.setToolTip("Measure whether this map tells more than chance (Q)")
        self.ask.clicked.connect(self.asked)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop measuring (Esc)")
        self.cancel.clicked.connect(self.cancel_requested)
        self.untrained = QPushButton(UNTRAINED)
        self.untrained.setCheckable(True)
        self.untrained.setToolTip(
            "Show in the panes, in place of this map, what the same network draws with random weights (Shift+Q).\n"
            "If the two look alike, the map shows the picture and not the reason. It is drawn from its own lowest value on."
        )
        self.untrained.clicked.connect(self.untrained_toggled)
        for button in (self.ask, self.cancel, self.untrained):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for widget in (
            self._headline,
            self.plot,
            self._words,
            self._rows,
            self.untrained,
            self._limit,
            self._progress,
            self.ask,
            self.cancel,
        ):
            self.fold.body.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(self.fold)

    def show_trust(self, shown: TrustShown) -> None:
        self._headline.setText(shown.headline)
        self._headline.setVisible(bool(shown.headline))
        self._words.setText(shown.words)
        self._words.setToolTip(shown.more)
        self.plot.setVisible(shown.report is not None)
        self.plot.show_curves(shown.report.perturbation if shown.report is not None else None)
        self._set_rows(shown)
        self.untrained.setVisible(shown.can_show_untrained)
        self.untrained.setChecked(shown.untrained)
        self._limit.setText(shown.limit)
        self._limit.setVisible(bool(shown.limit))
        self._progress.setVisible(shown.asking)
        self.cancel.setVisible(shown.asking)
        self.ask.setVisible(not shown.asking and not shown.limit)
        self.ask.setEnabled(shown.can)

    def _set_rows(self, shown: TrustShown) -> None:
        while len(self._labels) < len(shown.rows):
            name, figures = quiet(), QLabel()
            for column, label in enumerate((name, figures)):
                label.setWordWrap(True)
                label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
                self._grid.addWidget(label, len(self._labels), column)
            name.setFixedWidth(96)
            self._labels.append((name, figures))
        for index, (name, figures) in enumerate(self._labels):
            used = index < len(shown.rows)
            name.setVisible(used)
            figures.setVisible(used)
            if used:
                row = shown.rows[index]
                name.setText(row.name)
                figures.setText(row.figures)
                for label in (name, figures):
                    label.setToolTip(row.meaning)
                figures.setAccessibleDescription(row.meaning)
        self._rows.setVisible(bool(shown.rows))

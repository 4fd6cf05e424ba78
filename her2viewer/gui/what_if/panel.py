"""The section 'What if': a slider for the DAB, and what the model would say."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QSlider, QVBoxLayout, QWidget

from her2viewer.gui.panels.section import heading, quiet
from her2viewer.gui.what_if.plot import WhatIfPlot
from her2viewer.gui.what_if.resolve import STEPS, WhatIfShown
from her2viewer.scoring.what_if import FACTORS

_MOST: Final = round(FACTORS[-1] * STEPS)


class WhatIfPanel(QWidget):
    """Shows what `resolve_what_if` decided. Signals go out; it decides nothing."""

    toggled = Signal(bool)
    factor_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What if")
        self.switch = QCheckBox("Vary the DAB")
        self.switch.setToolTip("Make the IHC's stain weaker or stronger and see how the score would move (W)")
        self.switch.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.switch.clicked.connect(self.toggled)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _MOST)
        self.slider.setPageStep(STEPS // 10)
        self.slider.setAccessibleName("Strength of the DAB")
        self.slider.setToolTip("How many times its own DAB the IHC is shown and asked about with")
        self.slider.valueChanged.connect(lambda value: self.factor_changed.emit(value / STEPS))
        self._figure = QLabel()
        self._figure.setFixedWidth(48)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.back = QPushButton("As it is")
        self.back.setToolTip("Back to the field's own DAB")
        self.back.setAccessibleName("Back to the field's own DAB")
        self.back.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.back.clicked.connect(lambda: self.factor_changed.emit(1.0))
        self.plot = WhatIfPlot()
        self.plot.chosen.connect(self.factor_changed)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Progress")
        self._said, self._words = QLabel(), QLabel()
        self._note = quiet("The score above stays that of the slide. The map is hidden meanwhile.")
        for label in (self._said, self._words, self._note):
            label.setWordWrap(True)
        for label in (self._said, self._words):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._said.setProperty("emphasis", True)
        self._lay_out()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(heading("What if"))
        top.addStretch(1)
        top.addWidget(self.switch)
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self._figure)
        row.addWidget(self.back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        for widget in (self._row, self._said, self.plot, self._words, self._progress, self._note):
            layout.addWidget(widget)

    def show_what_if(self, shown: WhatIfShown) -> None:
        self.switch.setChecked(shown.on)
        self.switch.setEnabled(shown.can or shown.on)
        ready = shown.on and shown.found is not None
        for widget in (self._row, self.plot, self._said, self._note):
            widget.setVisible(ready)
        self._words.setVisible(shown.on)
        self._progress.setVisible(shown.on and shown.fraction is not None)
        self._progress.setRange(0, 1000)
        self._progress.setValue(round(1000 * (shown.fraction or 0)))
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(shown.factor * STEPS))
        self.slider.blockSignals(blocked)
        self._figure.setText(f"{shown.factor:.2f}x")
        self.back.setEnabled(shown.factor != 1)
        self._said.setText(shown.said)
        self._words.setText(shown.words)
        self.plot.show_what_if(shown.found, shown.factor)

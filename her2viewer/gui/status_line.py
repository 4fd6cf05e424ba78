"""The status bar: which model on which device, the research-use line always, where the mouse is, and what is being done."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QLabel, QProgressBar, QStatusBar, QToolButton, QWidget

from her2viewer import RESEARCH_USE
from her2viewer.gui.panels.section import quiet
from her2viewer.gui.resolve.doing import Doing


class StatusLine(QStatusBar):
    """Setters in, signals out: `model_requested` by a click on the model's name."""

    cancel_requested = Signal()
    model_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.setFixedHeight(32)
        self._model = QToolButton()
        self._model.setObjectName("modelName")
        self._model.setToolTip("Show the model card: figures, limits, what it was not tested on")
        self._model.setCursor(Qt.CursorShape.PointingHandCursor)
        self._model.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._model.clicked.connect(self.model_requested)
        self._research = QLabel(RESEARCH_USE)
        self._research.setObjectName("researchUse")
        self._research.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._cursor = quiet()
        self._cursor.setFixedWidth(QFontMetrics(self.font()).horizontalAdvance("IHC HER2  00000, 00000   00.0%") + 32)
        self._cursor.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._doing = QLabel()
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(64)
        self._cancel = QToolButton()
        self._cancel.setText("Cancel")
        self._cancel.setToolTip("Stop what is being worked on (Esc)")
        self._cancel.clicked.connect(self.cancel_requested)
        self.addWidget(self._model)
        self.addWidget(self._research, 1)
        for widget in (self._doing, self._bar, self._cancel, self._cursor):
            self.addPermanentWidget(widget)
        self.setContentsMargins(12, 0, 12, 0)
        self._place = ""
        self._zoom = ""
        self.set_doing(Doing())

    def set_model(self, text: str) -> None:
        self._model.setText(text)

    def set_doing(self, doing: Doing) -> None:
        """What takes time just now; nothing is shown where nothing does."""
        self._doing.setText(doing.text)
        self._doing.setVisible(bool(doing.text))
        self._bar.setVisible(bool(doing.text))
        self._cancel.setVisible(doing.can_cancel)
        if doing.fraction is None:
            self._bar.setRange(0, 0)
        else:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(doing.fraction * 1000))

    def set_place(self, text: str) -> None:
        """What the mouse points at."""
        self._place = text
        self._cursor.setText(f"{self._place}   {self._zoom}")

    def set_zoom(self, text: str) -> None:
        self._zoom = text
        self._cursor.setText(f"{self._place}   {self._zoom}")

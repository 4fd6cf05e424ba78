"""The header of the one place in which both images are seen: which of them is, and how."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QSlider, QStackedLayout, QToolButton, QWidget
from superqt import QElidingLabel

from her2viewer.gui.compare.state import FASTEST_MS, SLOWEST_MS, CompareMode, Comparison
from her2viewer.gui.icons import themed_icon
from her2viewer.gui.panels.section import PercentSlider, quiet

_STEP_MS = 50


class CompareBar(QFrame):
    """Shows a comparison and its words. Signals go out; it decides nothing."""

    run_toggled = Signal(bool)
    every_changed = Signal(int)
    """Milliseconds that a flicker shows each image."""
    divider_changed = Signal(float)
    blend_changed = Signal(float)
    leave_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("compareBar")
        self.setAccessibleName("Comparison")
        self.setFixedHeight(40)
        self._seen = QLabel()
        self._seen.setProperty("emphasis", True)
        self._names = QElidingLabel()
        self._names.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._names.setProperty("quiet", True)
        self._views = quiet()
        self._leave = QToolButton()
        self._leave.setAccessibleName("Side by side")
        self._leave.setToolTip("Show the images beside each other again (F5)")
        self._leave.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._leave.clicked.connect(self.leave_requested)
        self._controls = QStackedLayout()
        self._pages = {
            CompareMode.FLICKER: self._build_flicker(),
            CompareMode.SWIPE: self._build_swipe(),
            CompareMode.BLEND: self._build_blend(),
        }
        for page in self._pages.values():
            self._controls.addWidget(page)
        controls = QWidget()
        controls.setLayout(self._controls)
        controls.setMaximumWidth(320)
        controls.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self._seen)
        row.addWidget(self._names, 1)
        row.addWidget(self._views)
        row.addWidget(controls, 2)
        row.addWidget(self._leave)
        self.hide()

    def _build_flicker(self) -> QWidget:
        self._run = QToolButton()
        self._run.setCheckable(True)
        self._run.setToolTip("Let it go by itself, or stop it on one image; hold Tab to see the other one")
        self._run.setAccessibleName("Flicker by itself")
        self._run.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._run.toggled.connect(self.run_toggled)
        self._speed = QSlider(Qt.Orientation.Horizontal)
        self._speed.setRange(FASTEST_MS // _STEP_MS, SLOWEST_MS // _STEP_MS)
        self._speed.setInvertedAppearance(True)  # faster is to the right
        self._speed.setInvertedControls(True)
        self._speed.setAccessibleName("Flicker speed")
        self._speed.setToolTip("How often the images change")
        self._speed.valueChanged.connect(lambda steps: self.every_changed.emit(steps * _STEP_MS))
        self._every = quiet()
        self._every.setFixedWidth(88)
        return _row(self._run, quiet("Speed"), self._speed, self._every)

    def _build_swipe(self) -> QWidget:
        self._divider = PercentSlider("Curtain", "Where the line between the images stands; it can be dragged, too")
        self._divider.slider.valueChanged.connect(lambda value: self.divider_changed.emit(value / 100))
        return _row(self._divider)

    def _build_blend(self) -> QWidget:
        self._blend = PercentSlider("Blend", "How much of the H&E is seen, 0% is the IHC alone")
        self._blend.slider.valueChanged.connect(lambda value: self.blend_changed.emit(value / 100))
        return _row(quiet("H&E"), self._blend)

    def show_comparison(self, comparison: Comparison, seen: str, names: str) -> None:
        """seen: which image is seen, in words; names: of both files."""
        self._seen.setText(seen)
        # The words of a flicker change several times a second: nothing beside them may move.
        self._seen.setMinimumWidth(72 if comparison.mode is CompareMode.FLICKER else 0)
        self._names.setText(names)
        page = self._pages.get(comparison.mode)
        if page is not None:
            self._controls.setCurrentWidget(page)
        blocked = [widget.blockSignals(True) for widget in (self._run, self._speed)]
        self._run.setChecked(comparison.running)
        self._speed.setValue(round(comparison.every_ms / _STEP_MS))
        for widget, before in zip((self._run, self._speed), blocked, strict=True):
            widget.blockSignals(before)
        self._every.setText(f"{comparison.every_ms / 1000:.2f} s each")
        self._divider.set_share(comparison.divider)
        self._blend.set_share(comparison.blend)
        self._paint()
        self.setVisible(comparison.together)

    def show_views(self, words: str, more: str) -> None:
        """Which stain views are seen, and what is to be known of them; empty for the colours as scanned."""
        self._views.setText(words)
        self._views.setToolTip(more)
        self._views.setVisible(bool(words))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self._leave.setIcon(themed_icon("x", self.palette()))
        self._run.setIcon(themed_icon("pause" if self._run.isChecked() else "play", self.palette()))


def _row(*widgets: QWidget) -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    return page

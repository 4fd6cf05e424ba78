"""The fields panel: what to do with fields on the left, what they are on the right."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from her2viewer.cases.score_map import NOT_A_CASE_SCORE
from her2viewer.gui.fields.listing import FieldListing
from her2viewer.gui.fields.resolve import FieldsShown
from her2viewer.gui.fields.shares import ShareBars
from her2viewer.gui.fields.state import GridWish
from her2viewer.gui.panels.section import PercentSlider, heading, quiet, scrolling

WIDE = 640
"""Logical pixels from where the table and what the fields come to stand side by side."""
SUMMARY_WIDTH = 336
SMALLEST_SIDE = 32
LARGEST_SIDE = 100_000


class FieldsPanel(QWidget):
    """Shows what `resolve_fields` decided, beside the list of fields (`listing`). Signals go out; it decides nothing.

    `scoring_wanted`: of a field by its key, or of the selected one where it is empty;
    `reveal_wanted`: there is something in it to be seen now, wherever the window has put it.
    """

    reveal_wanted = Signal()

    scoring_wanted = Signal(str)
    grid_wanted = Signal()
    pause_wanted = Signal()
    resume_wanted = Signal()
    stop_wanted = Signal()
    retry_wanted = Signal()
    rescoring_wanted = Signal()
    remove_map_wanted = Signal()
    grid_changed = Signal(object)
    style_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("fieldsPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Fields")
        self._shown: FieldsShown | None = None
        self.files_menu = QMenu(self)
        self._build_buttons()
        self._build_map()
        self.listing = FieldListing()
        self.listing.scoring_wanted.connect(self.scoring_wanted)
        self._lay_out()

    def _build_buttons(self) -> None:
        self._teaching = _wrapped()
        self._score = _button(
            "scoreFieldButton",
            "Score the selected field",
            "Ask the model for its score (Shift+S, or a double click on it)",
        )
        self._score.setProperty("primary", True)
        self._score.clicked.connect(lambda: self.scoring_wanted.emit(""))
        self._grid = _button("gridButton", "Grid over the image", "Score a region field by field, to a map (T)")
        self._grid.clicked.connect(self.grid_wanted)
        self._files = QToolButton()
        self._files.setText("Files")
        self._files.setToolTip("Import and export fields, save and load the score map")
        self._files.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._files.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._files.setMenu(self.files_menu)
        self._side = QSpinBox()
        self._side.setObjectName("gridSide")
        self._side.setAccessibleName("Field size, pixels; 0 is the model's own")
        self._side.setRange(0, LARGEST_SIDE)
        self._side.setSingleStep(32)
        self._side.setSuffix(" px")
        self._side.setMinimumWidth(144)  # '1,024 px (model's)' and the arrows
        self._side.setToolTip(
            "The side of a field where tissue is scored by a right click or in a grid, in pixels of the IHC"
        )
        self._side.setKeyboardTracking(False)
        self._side.valueChanged.connect(self._on_side)
        self._apart = QComboBox()
        self._apart.setAccessibleName("How far apart the fields of the grid are")
        self._apart.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for title, apart in (("Side by side", 1.0), ("Half overlapping", 0.5), ("Every other", 2.0)):
            self._apart.addItem(title, apart)
        self._apart.activated.connect(
            lambda _: self.grid_changed.emit(replace(self._wish, apart=float(self._apart.currentData())))
        )
        self._side_words = _wrapped()
        self._side_words.setProperty("quiet", True)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("Progress of the grid")
        self._progress_words = QLabel()
        self._progress_words.setObjectName("gridProgress")
        self._pause = _button("pauseButton", "Pause", "Finish the fields under way, then wait")
        self._pause.clicked.connect(self.pause_wanted)
        self._resume = _button("resumeButton", "Resume", "Go on with the fields that wait")
        self._resume.clicked.connect(self.resume_wanted)
        self._stop = _button("stopButton", "Cancel", "Stop now; the fields that are done stay")
        self._stop.clicked.connect(self.stop_wanted)
        self._retry = _button("retryButton", "Retry failed", "Score the fields again that failed")
        self._retry.clicked.connect(self.retry_wanted)
        self._outdated = _wrapped()
        self._outdated.setObjectName("warning")
        self._rescore = _button("rescoreButton", "Score again", "Score all fields again that are outdated, and the map")
        self._rescore.clicked.connect(self.rescoring_wanted)

    def _build_map(self) -> None:
        self._shares_title = heading("")
        self._map_on = QCheckBox("Show")
        self._map_on.setToolTip("Show the score map over the tissue; hold Space to look beneath")
        self._map_on.toggled.connect(lambda on: self._restyle(visible=on))
        self._remove = QToolButton()
        self._remove.setText("Remove")
        self._remove.setToolTip("Take the score map away")
        self._remove.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._remove.clicked.connect(self.remove_map_wanted)
        self._bars = ShareBars()
        self.opacity = PercentSlider("Opacity of the score map", "How much of the tissue the score map covers")
        self.opacity.slider.valueChanged.connect(lambda value: self._restyle(opacity=value / 100))
        self.threshold = PercentSlider(
            "Threshold", "Fields whose score is less probable than this are neither drawn nor counted"
        )
        self.threshold.slider.valueChanged.connect(lambda value: self._restyle(threshold=value / 100))
        self._legend = _wrapped(
            "Hatched or '?': no call. Crossed: outdated. 'x': failed. Frame alone: waiting, no tissue, or below the threshold."
        )
        self._legend.setProperty("quiet", True)
        self._not_a_case_score = _wrapped()
        self._not_a_case_score.setObjectName("notACaseScore")
        self._sentences = _wrapped()
        self._note = _wrapped()
        self._note.setProperty("quiet", True)
        self._note.setObjectName("fieldsNote")
        self._note.hide()

    def _lay_out(self) -> None:
        """What can be done on top, below it what the fields come to beside the table; one under the other where it is narrow."""
        bar, running = _turning(), _turning()
        for widget in (self._score, self._grid):
            bar.addWidget(widget)
        bar.addLayout(_row(quiet("Field size"), self._side))
        bar.addWidget(self._apart)
        bar.addStretch(1)
        bar.addWidget(self._files)
        self._running = QWidget()
        self._running.setLayout(running)
        running.addWidget(self._progress, 1)
        running.addWidget(self._progress_words)
        running.addLayout(_row(self._pause, self._resume, self._stop, self._retry))
        summary = QWidget()
        column = QVBoxLayout(summary)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addWidget(self._teaching)
        column.addWidget(self._note)
        column.addWidget(self._outdated)
        column.addLayout(_row(self._rescore, None))
        column.addLayout(_row(self._shares_title, None, self._map_on, self._remove))
        column.addWidget(self._bars)
        column.addWidget(self._not_a_case_score)
        self._map_settings = QWidget()
        sliders = QGridLayout(self._map_settings)
        sliders.setContentsMargins(0, 0, 0, 0)
        sliders.setHorizontalSpacing(8)
        sliders.setVerticalSpacing(6)
        sliders.setColumnMinimumWidth(0, 72)
        sliders.setColumnStretch(1, 1)
        for row, (name, slider) in enumerate((("Opacity", self.opacity), ("Threshold", self.threshold))):
            sliders.addWidget(quiet(name), row, 0)
            sliders.addWidget(slider, row, 1)
        sliders.addWidget(self._legend, 2, 0, 1, 2)
        column.addWidget(self._map_settings)
        column.addWidget(self._sentences)
        column.addWidget(self._side_words)
        column.addStretch(1)
        self._summary = scrolling(summary)
        self._body = _turning(0)
        self._turning = (bar, running, self._body)
        self._body.addWidget(self._summary)
        self._body.addWidget(self.listing, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        # Lying, it asks for more room than a narrow place has, and would never learn that it should stand.
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        layout.addLayout(bar)
        layout.addWidget(self._running)
        layout.addLayout(self._body, 1)

    def show_fields(self, shown: FieldsShown) -> None:
        """All but the table."""
        if shown == self._shown:
            return
        self._shown = shown
        self._teaching.setText(shown.teaching)
        self._teaching.setVisible(bool(shown.teaching))
        self._score.setText(shown.score_text)
        self._score.setEnabled(shown.can_score)
        self._grid.setText(shown.grid_text)
        self._grid.setEnabled(shown.can_grid)
        with QSignalBlocker(self._side):
            self._side.setSpecialValueText(f"{shown.side:,} px (model's)")
            self._side.setValue(shown.grid.side or 0)
        self._apart.setCurrentIndex(max(self._apart.findData(shown.grid.apart), 0))
        self._side_words.setText(shown.grid_words)
        self._side_words.setVisible(bool(shown.grid_words) and not shown.has_map)
        self._running.setVisible(bool(shown.progress) or shown.can_retry)
        self._progress.setValue(round(1000 * (shown.fraction or 0)))
        self._progress_words.setText(shown.progress)
        for button, on in (
            (self._pause, shown.can_pause),
            (self._resume, shown.can_resume),
            (self._stop, shown.can_stop),
            (self._retry, shown.can_retry),
        ):
            button.setVisible(on)
        self._shares_title.setText(shown.shares_title)
        self._shares_title.setVisible(bool(shown.shares_title))
        self._bars.set_shares(shown.shares, shown.classes)
        for widget in (self._map_on, self._remove, self._map_settings):
            widget.setVisible(shown.has_map)
        with QSignalBlocker(self._map_on):
            self._map_on.setChecked(shown.style.visible)
        self.opacity.set_share(shown.style.opacity)
        self.threshold.set_share(shown.style.threshold)
        for label, words in (
            (self._not_a_case_score, NOT_A_CASE_SCORE if shown.shares else ""),
            (self._sentences, " ".join(shown.sentences)),
            (self._outdated, shown.outdated),
        ):
            label.setText(words)
            label.setVisible(bool(words))
        if shown.shares:
            self.listing.set_classes(tuple(one.name for one in shown.shares))
        self._rescore.setVisible(bool(shown.outdated))
        self._rescore.setEnabled(shown.can_rescore)
        self.listing.set_class_count(shown.classes)

    def show_note(self, text: str) -> None:
        """A quiet line, for what is good to know and asks for nothing."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 160)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= WIDE
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        for layout in self._turning:
            layout.setDirection(way)
        self._summary.setMinimumWidth(SUMMARY_WIDTH if wide else 0)
        self._summary.setMaximumWidth(SUMMARY_WIDTH if wide else _ANY)

    @property
    def _wish(self) -> GridWish:
        return self._shown.grid if self._shown is not None else GridWish()

    def _on_side(self, value: int) -> None:
        side = None if value == 0 else max(value, SMALLEST_SIDE)
        self.grid_changed.emit(replace(self._wish, side=side))

    def _restyle(self, **changes: Any) -> None:
        if self._shown is not None:
            self.style_changed.emit(replace(self._shown.style, **changes))


_ANY = 16_777_215
"""Qt's own 'as wide as you like'."""


def _button(name: str, text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setMinimumWidth(64)  # a long name is cut before the panel is
    return button


def _wrapped(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _turning(margin: int = 8) -> QBoxLayout:
    """Side by side where there is room, one below the other where there is not."""
    layout = QBoxLayout(QBoxLayout.Direction.LeftToRight)
    layout.setContentsMargins(2 * margin, margin, 2 * margin, 0)
    layout.setSpacing(margin)
    return layout


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Side by side; None takes what room is left."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row

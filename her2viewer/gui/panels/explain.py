"""How to question the answer: which map, and how it is drawn over the tissue."""

from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from her2viewer.export.overlay import ColourMap, OverlayStyle, ScaleMode
from her2viewer.gui.panels.legend import Legend, ramp_pixmap
from her2viewer.gui.panels.section import PercentSlider, heading, quiet
from her2viewer.gui.resolve.map import METHOD_TITLES, STAGE_TITLES, ExplainShown
from her2viewer.scoring.methods import METHODS

_SCALES: Final = {ScaleMode.PICTURE: "Peak of this pair", ScaleMode.FIXED: "Model's fixed scale"}


class ExplainPanel(QWidget):
    """Shows what `resolve_explain` decided. Signals go out; it decides nothing."""

    overlay_toggled = Signal(bool)
    style_changed = Signal(object)
    target_changed = Signal(str)
    stage_changed = Signal(str)
    method_changed = Signal(str)
    against_changed = Signal(object)
    """The class that the map is set against, by its name, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Explanation")
        self._style = OverlayStyle()
        self._overlay = QCheckBox("Show the map")
        self._overlay.setToolTip("Show where the model found evidence (O); hold Space to look beneath")
        self._overlay.toggled.connect(self.overlay_toggled)
        self._segments = QButtonGroup(self)
        self._segments.setExclusive(True)
        self._segments.idClicked.connect(lambda index: self.target_changed.emit(self._classes[index]))
        self._classes: tuple[str, ...] = ()
        self._class_row = QWidget()
        self._class_layout = QHBoxLayout(self._class_row)
        self._class_layout.setContentsMargins(0, 0, 0, 0)
        self._class_layout.setSpacing(4)
        self._against = _combo("Why not", "Show what speaks for the class above and not for this one")
        self._against.activated.connect(lambda _: self.against_changed.emit(self._against.currentData()))
        self._method = _combo("Method", "How the map is made; point at one in the list to read what it shows")
        for name, title in METHOD_TITLES.items():
            self._method.addItem(title, name)
            self._method.setItemData(self._method.count() - 1, METHODS[name].words, Qt.ItemDataRole.ToolTipRole)
        self._method.activated.connect(lambda _: self.method_changed.emit(self._method.currentData()))
        self._stage = _combo("Stage", "Which stage of the network: finer ones are sharper and say less about the score")
        self._stages: tuple[str, ...] = ()
        self._stage.activated.connect(lambda _: self.stage_changed.emit(self._stage.currentData()))
        self.opacity = PercentSlider("Opacity", "How much of the tissue the map covers ([ and ])")
        self.opacity.slider.valueChanged.connect(lambda value: self._restyle(opacity=value / 100))
        self.threshold = PercentSlider("Threshold", "Evidence below this share of full colour is not drawn")
        self.threshold.slider.valueChanged.connect(lambda value: self._restyle(threshold=value / 100))
        self._colours = _combo("Colours", "The colour map; jet misleads and is kept for comparing")
        self._colours.setIconSize(QSize(48, 12))
        for colour_map in ColourMap:
            self._colours.addItem(
                QIcon(ramp_pixmap(colour_map, QSize(48, 12))), colour_map.value.capitalize(), colour_map
            )
        self._colours.activated.connect(lambda _: self._restyle(colour_map=ColourMap(self._colours.currentData())))
        self._scale = _combo("Full colour", "What full colour stands for")
        for mode, title in _SCALES.items():
            self._scale.addItem(title, mode)
        self._scale.activated.connect(lambda _: self._restyle(scale=ScaleMode(self._scale.currentData())))
        self._fade = QCheckBox("Fade weak evidence")
        self._fade.setToolTip("Weaker evidence is drawn more transparent")
        self._fade.toggled.connect(lambda on: self._restyle(fade=on))
        self._legend = Legend()
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, 72)
        grid.setColumnStretch(1, 1)
        rows = (
            ("Class", self._class_row),
            ("Why not", self._against),
            ("Method", self._method),
            ("Stage", self._stage),
            ("Opacity", self.opacity),
            ("Threshold", self.threshold),
            ("Colours", self._colours),
            ("Full colour", self._scale),
            ("", self._fade),
        )
        for row, (name, widget) in enumerate(rows):
            grid.addWidget(quiet(name), row, 0)
            grid.addWidget(widget, row, 1)
        top = QHBoxLayout()
        top.addWidget(heading("Explanation"))
        top.addStretch(1)
        top.addWidget(self._overlay)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addLayout(grid)
        layout.addWidget(self._legend)
        layout.addWidget(quiet("Hold Space to look beneath the map."))
        layout.addStretch(1)

    def show_explain(self, shown: ExplainShown) -> None:
        self._style = shown.style
        if shown.classes != self._classes:
            self._build_segments(shown.classes)
        self._offer(shown)
        self._segments.setExclusive(False)  # otherwise the last one pressed could not be let go
        for index, name in enumerate(shown.classes):
            button = self._segments.button(index)
            button.setChecked(name == shown.target)
            mark = " (the score)" if name == shown.score else ""
            button.setToolTip(f"Evidence for {name}{mark}")
            button.setEnabled(shown.enabled)
        self._segments.setExclusive(True)
        _select(self._against, shown.against)
        _select(self._method, shown.method)
        _select(self._stage, shown.stage)
        _select(self._colours, shown.style.colour_map)
        _select(self._scale, shown.style.scale if shown.fixed_scale_known else ScaleMode.PICTURE)
        self.opacity.set_share(shown.style.opacity)
        self.threshold.set_share(shown.style.threshold)
        _check(self._fade, shown.style.fade)
        _check(self._overlay, shown.overlay_on)
        for widget in (
            self._against,
            self._method,
            self.opacity,
            self.threshold,
            self._colours,
            self._fade,
            self._overlay,
        ):
            widget.setEnabled(shown.enabled)
        self._stage.setEnabled(shown.enabled and len(shown.stages) > 1)
        self._scale.setEnabled(shown.enabled and shown.fixed_scale_known)
        self._legend.show_legend(shown.legend, shown.style)

    def _offer(self, shown: ExplainShown) -> None:
        """The classes that the chosen one can be set against, and the stages that the method can be asked for at."""
        others = [None, *(name for name in shown.classes if name != shown.target)]
        if others != [self._against.itemData(index) for index in range(self._against.count())]:
            self._against.clear()
            for name in others:
                self._against.addItem("No comparison" if name is None else name, name)
        if shown.stages != self._stages:
            self._stages = shown.stages
            self._stage.clear()
            for stage in sorted(shown.stages, key=list(STAGE_TITLES).index, reverse=True):
                self._stage.addItem(STAGE_TITLES[stage], stage)

    def _build_segments(self, classes: tuple[str, ...]) -> None:
        for button in self._segments.buttons():
            self._segments.removeButton(button)
            self._class_layout.removeWidget(button)
            button.deleteLater()
        self._classes = classes
        for index, name in enumerate(classes):
            segment = QPushButton(name)
            segment.setObjectName(f"class_{name}")
            segment.setCheckable(True)
            segment.setProperty("segment", True)
            segment.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            segment.setAccessibleName(f"Evidence for {name}")
            # A panel short of room scrolls; it does not cut its buttons.
            segment.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self._segments.addButton(segment, index)
            self._class_layout.addWidget(segment, 1)

    def _restyle(self, **changes: Any) -> None:
        self._style = replace(self._style, **changes)
        self.style_changed.emit(self._style)


def _combo(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name.lower().replace(" ", "_"))
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.setMinimumContentsLength(8)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return box


def _select(box: QComboBox, data: object) -> None:
    """Shows an entry by its data; `activated` speaks only for the user, so nobody is told."""
    box.setCurrentIndex(box.findData(data))


def _check(box: QCheckBox, on: bool) -> None:
    blocked = box.blockSignals(True)
    box.setChecked(on)
    box.blockSignals(blocked)

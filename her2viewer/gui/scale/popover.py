"""Typing the pixel size: micrometres per pixel or an objective, for one image or both, without leaving the tissue."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from her2viewer.errors import UserError
from her2viewer.gui.frame.popover import Popover
from her2viewer.gui.panels.section import quiet
from her2viewer.gui.scale.magnification import um_per_device_px
from her2viewer.gui.scale.typed import TYPED_ORIGIN, read_um_per_px
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.stains import Stain

_SCANS: Final = (10.0, 20.0, 40.0)
_DISTRUST: Final = (
    "Resolution tags of PNG, JPEG and plain TIFF files are not trusted: most programs write 72 or 96 dots per inch there, "
    "for printers. A wrong scale is worse than none."
)


class ScalePopover(Popover):
    """`typed`: (stains, micrometres per pixel, or None to go back to what the file says)."""

    typed = Signal(object, object)

    def __init__(self, over: QWidget) -> None:
        super().__init__("Pixel size", 352, over)
        self._stain = Stain.HE
        self._now = quiet()
        self._now.setWordWrap(True)
        self.line = QLineEdit()
        self.line.setPlaceholderText("for example 0.25")
        self.line.setAccessibleName("Micrometres per pixel")
        self.line.setMaxLength(24)
        self.line.textEdited.connect(self._on_edited)
        self.line.returnPressed.connect(self._use)
        unit = QLabel("µm per pixel")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(unit)
        scans = QHBoxLayout()
        scans.setSpacing(4)
        scans.addWidget(quiet("Scanned at"))
        self._group = QButtonGroup(self)
        self.scans: dict[float, QPushButton] = {}
        for objective in _SCANS:
            button = QPushButton(f"{objective:g}x")
            button.setProperty("segment", True)
            button.setCheckable(True)
            button.setAccessibleName(f"Scanned at {objective:g}x, {um_per_device_px(objective):g} µm per pixel")
            button.setToolTip(f"{um_per_device_px(objective):g} µm per pixel, as most scanners have at {objective:g}x")
            button.clicked.connect(lambda _=False, objective=objective: self._pick(objective))
            self._group.addButton(button)
            scans.addWidget(button)
            self.scans[objective] = button
        scans.addStretch(1)
        self.both = QCheckBox("The same for both images")
        self.trouble = QLabel()
        self.trouble.setObjectName("trouble")
        self.trouble.setWordWrap(True)
        self.trouble.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        why = quiet(_DISTRUST)
        why.setWordWrap(True)
        self.use = QPushButton("Use")
        self.use.setProperty("primary", True)
        self.use.clicked.connect(self._use)
        self.forget = QPushButton("Forget what was typed")
        self.forget.clicked.connect(self._forget)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.forget)
        buttons.addWidget(self.use)
        self.body.addWidget(self._now)
        self.body.addLayout(row)
        self.body.addLayout(scans)
        self.body.addWidget(self.both)
        self.body.addWidget(self.trouble)
        self.body.addWidget(why)
        self.body.addLayout(buttons)

    def ask(self, anchor: QWidget, stain: Stain, scales: Mapping[Stain, PixelSize | None], *, pair: bool) -> None:
        """Opens below a pane's header for its image. `pair`: whether there is another image that may be meant too."""
        self._stain = stain
        now = scales[stain]
        typed = now is not None and now.origin == TYPED_ORIGIN
        self.title.setText(f"Pixel size of the {stain.caption} image")
        words = "No pixel size is known." if now is None else f"Now {now.um:.4g} µm per pixel"
        self._now.setText(words if now is None else f"{words}, {now.origin if typed else 'from ' + now.origin}.")
        self.line.setText(f"{now.um:.4g}" if now is not None else "")
        self._mark_scan()
        self.both.setVisible(pair)
        self.both.setChecked(pair and scales[stain.other] is None)
        self.forget.setVisible(typed)
        self._say("")
        self.open_below(anchor)
        self.line.setFocus()
        self.line.selectAll()

    def _pick(self, objective: float) -> None:
        self.line.setText(f"{um_per_device_px(objective):g}")
        self._say("")

    def _on_edited(self) -> None:
        self._mark_scan()
        self._say("")

    def _mark_scan(self) -> None:
        """The objective that the typed figure is that of, if any."""
        self._group.setExclusive(False)
        for objective, button in self.scans.items():
            button.setChecked(self.line.text().replace(",", ".") == f"{um_per_device_px(objective):g}")
        self._group.setExclusive(True)

    def _stains(self) -> tuple[Stain, ...]:
        return tuple(Stain) if self.both.isChecked() and not self.both.isHidden() else (self._stain,)

    def _use(self) -> None:
        try:
            um = read_um_per_px(self.line.text())
        except UserError as error:
            self._say(str(error))
            self.line.setFocus()
            self.line.selectAll()
            return
        self.typed.emit(self._stains(), um)
        self.dismiss()

    def _forget(self) -> None:
        self.typed.emit(self._stains(), None)
        self.dismiss()

    def _say(self, trouble: str) -> None:
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        self.place()

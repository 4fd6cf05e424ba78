"""The scale in a pane's header: a word that can be clicked, shorter where the pane has little room."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from her2viewer.gui.scale.resolution import ScaleShown
from her2viewer.scoring.stains import Stain

ROOM_FOR_ALL: Final = 340
"""Logical pixels of a pane from which on the words stand in full."""


class ScaleLink(QToolButton):
    """Shows what `resolve_scale` decided; hidden where there is no image."""

    def __init__(self, stain: Stain, pane: QWidget) -> None:
        super().__init__(pane)
        self.setObjectName("scaleLink")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._stain = stain
        self._pane = pane
        self._shown = ScaleShown("", "", "")
        pane.installEventFilter(self)
        self.hide()

    def show_scale(self, shown: ScaleShown) -> None:
        self._shown = shown
        self.setToolTip(shown.more)
        self.setAccessibleName(f"{self._stain.caption}: {shown.text}")
        self.setVisible(bool(shown.text))
        self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._refresh()
        return False

    def _refresh(self) -> None:
        self.setText(self._shown.text if self._pane.width() >= ROOM_FOR_ALL else self._shown.short)

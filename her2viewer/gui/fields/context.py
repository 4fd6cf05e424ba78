"""The menu of a right click on tissue. Other rooms may add to it."""

from collections.abc import Callable

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from her2viewer.gui.pane.layer import ContextWish

Filler = Callable[[QMenu, ContextWish], None]
"""Adds to the menu what can be done at a place."""


class ContextMenu:
    """Opened beside the mouse; whoever has something to offer at a place adds a filler."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.fillers: list[Filler] = []
        self.menu: QMenu | None = None
        """The menu that was opened last, while it is open."""

    def open(self, wish: ContextWish) -> None:
        menu = QMenu(self._parent)
        menu.setObjectName("tissueMenu")
        menu.setToolTipsVisible(True)
        for fill in self.fillers:
            fill(menu, wish)
        self.menu = menu
        menu.aboutToHide.connect(menu.deleteLater)
        menu.destroyed.connect(self._on_gone)
        menu.popup(wish.place)

    def _on_gone(self) -> None:
        self.menu = None


def entry(menu: QMenu, name: str, text: str, act: Callable[[], object], tip: str = "") -> QAction:
    """Adds one line to a menu."""
    action = menu.addAction(text)
    action.setObjectName(name)
    action.setToolTip(tip)
    action.triggered.connect(lambda _checked=False: act())
    return action

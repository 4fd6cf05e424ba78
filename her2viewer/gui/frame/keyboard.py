"""In which order Tab goes through the window: as the eye does, from left to right, whatever was built first."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def set_keyboard_order(window: QWidget, regions: Sequence[QWidget]) -> None:
    """Puts what takes the keyboard within each region behind that of the region before; within one the order stays."""
    chain: list[QWidget] = []
    widget = window.nextInFocusChain()
    while widget is not None and widget is not window:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            chain.append(widget)
        widget = widget.nextInFocusChain()
    ordered = [widget for region in regions for widget in chain if region.isAncestorOf(widget)]
    for before, after in pairwise(ordered):
        QWidget.setTabOrder(before, after)

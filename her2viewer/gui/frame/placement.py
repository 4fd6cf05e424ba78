"""Where the window stands on the screens: remembered, and reachable where a screen is gone."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

FIRST_SIZE: Final = QSize(1440, 900)

GRIP: Final = QSize(160, 32)
"""Logical pixels of a window's upper edge that have to be on a screen: enough to take hold of its title bar."""


def reachable(window: QRect, screens: Sequence[QRect]) -> QRect:
    """Where a window may stand: as it is, where its upper edge can be grasped; otherwise on the first screen, fitting it.

    screens: the available geometry of each, the primary one first.
    """
    for screen in screens:
        edge = QRect(window.left(), window.top(), window.width(), GRIP.height()).intersected(screen)
        if edge.width() >= min(GRIP.width(), window.width()) and edge.height() == GRIP.height():
            return window
    if not screens:
        return window
    home = screens[0]
    moved = QRect(home.topLeft(), window.size().boundedTo(home.size()))
    moved.moveCenter(home.center())
    return moved


def place(window: QWidget, geometry: QByteArray) -> None:
    """Puts a window where it was; one that never was, or whose place cannot be read, gets the first size."""
    if geometry.isEmpty() or not window.restoreGeometry(geometry):
        window.resize(FIRST_SIZE)
        return
    primary = QGuiApplication.primaryScreen()
    others = [screen for screen in QGuiApplication.screens() if screen is not primary]
    found = reachable(window.geometry(), [screen.availableGeometry() for screen in (primary, *others) if screen])
    if found != window.geometry():
        window.setGeometry(found)

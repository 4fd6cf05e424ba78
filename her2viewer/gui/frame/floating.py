"""A widget that floats over another: nothing beneath it moves when it comes or goes."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRect, QSize
from PySide6.QtWidgets import QWidget

Placing = Callable[[QSize, QWidget], QRect]
"""Where the widget belongs within the size of what it floats over."""


class Float(QObject):
    """Keeps a widget at its place over its parent, whichever of the two changes."""

    def __init__(self, widget: QWidget, placing: Placing) -> None:
        super().__init__(widget)
        self._widget = widget
        self._placing = placing
        over = widget.parentWidget()
        assert over is not None
        self._over = over
        over.installEventFilter(self)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        own = event.type() in (QEvent.Type.Show, QEvent.Type.LayoutRequest)
        if (watched is self._over and event.type() == QEvent.Type.Resize) or (watched is self._widget and own):
            self._widget.setGeometry(self._placing(self._over.size(), self._widget))
            self._widget.raise_()
        return False


def at_the_top(over: QSize, widget: QWidget) -> QRect:
    """As wide as may be, below the panes' headers."""
    width = min(over.width() - 32, 880)
    height = max(widget.heightForWidth(width), widget.minimumSizeHint().height())
    return QRect((over.width() - width) // 2, 40, width, height)


OVERVIEW: Final = 168
"""Logical pixels at the foot of a pane that overview map and scale bar may take."""


def at_the_bottom(over: QSize, widget: QWidget) -> QRect:
    """As wide as its words, above overview maps and scale bars; higher where there is little room."""
    size = widget.sizeHint()
    top = max(over.height() - size.height() - OVERVIEW, min(48, over.height() - size.height()))
    return QRect((over.width() - size.width()) // 2, top, size.width(), size.height())

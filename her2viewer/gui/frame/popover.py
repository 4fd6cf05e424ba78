"""A small panel that hangs from a button over the tissue: it blocks nothing, and goes by Esc or its cross."""

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from her2viewer.gui.icons import themed_icon
from her2viewer.gui.panels.section import heading


class Popover(QFrame):
    """A child of the window, not a window of its own. Subclasses fill `body`. `closed`: it went."""

    closed = Signal()

    def __init__(self, title: str, width: int, over: QWidget) -> None:
        """over: the part of the window that it stays within as far as that is wide enough."""
        window = over.window()
        super().__init__(window)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._over = over
        self.setObjectName("popover")
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(width)
        self._anchor: QWidget | None = None
        self._close = QToolButton()
        self._close.setToolTip("Close (Esc)")
        self._close.setAccessibleName(f"Close: {title}")
        self._close.clicked.connect(self.dismiss)
        self.title = heading(title)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 16)
        layout.setSpacing(8)
        layout.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 8, 0)
        self.body.setSpacing(8)
        layout.addLayout(self.body)
        window.installEventFilter(self)
        self._paint()
        self.hide()

    def open_below(self, anchor: QWidget) -> None:
        """Shows it below a widget, within the window."""
        self._anchor = anchor
        self.show()
        self.raise_()
        self.place()

    def place(self) -> None:
        """As large as its content needs, and where it belongs; called again when either changes."""
        self.adjustSize()
        window = self.parentWidget()
        if self._anchor is None or window is None:
            return
        below = self._anchor.mapTo(window, QPoint(self._anchor.width(), self._anchor.height() + 4))
        room = self._over.rect().translated(self._over.mapTo(window, QPoint(0, 0))).adjusted(8, 8, -8, -8)
        x = max(min(below.x(), room.right()) - self.width(), min(room.left(), max(room.right() - self.width(), 8)))
        y = min(below.y(), max(window.height() - self.height() - 40, 8))
        self.move(x, y)

    def dismiss(self) -> None:
        """Sends it away; the keyboard goes back to where it came from."""
        if self.isHidden():
            return
        self.hide()
        if self._anchor is not None:
            self._anchor.setFocus()
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            return
        # Keys that nothing here takes are not the window's: a typed J must not turn the page.
        event.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.place()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self._close.setIcon(themed_icon("x", self.palette()))

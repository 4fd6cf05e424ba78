"""Messages that stand in the window: they block nothing, can be copied, and stay until they are sent away or replaced."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from her2viewer.errors import UserError
from her2viewer.gui.controllers.messenger import Level, Remedy
from her2viewer.gui.icons import themed_icon

_ICONS = {Level.INFO: "info", Level.WARNING: "warning", Level.ERROR: "warning-circle"}


class MessageBar(QFrame):
    """One message at a time, above the panes; a newer one replaces an older one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._remedy = QPushButton()
        self._remedy.clicked.connect(self._on_remedy)
        self._copy = QToolButton()
        self._copy.setToolTip("Copy the message (Ctrl+Shift+C)")
        self._copy.setAccessibleName("Copy the message")
        self._copy.clicked.connect(self.copy)
        self._close = QToolButton()
        self._close.setToolTip("Send the message away")
        self._close.setAccessibleName("Send the message away")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        for button in (self._remedy, self._copy, self._close):
            row.addWidget(button)
        self._level = Level.INFO
        self._act: Callable[[], object] | None = None
        self._paint()
        self.hide()

    @property
    def text(self) -> str:
        """The message that is shown; empty where there is none."""
        return self._text.text() if not self.isHidden() else ""

    def say(self, text: str, level: Level = Level.INFO, remedy: Remedy | None = None) -> None:
        """Shows a message, with a button where something can be done about it."""
        self._text.setText(text)
        self._text.setAccessibleName(f"{level}: {text}")
        self._level = level
        self.setProperty("level", level)
        self._act = remedy.act if remedy is not None else None
        self._remedy.setText(remedy.text if remedy is not None else "")
        self._remedy.setVisible(remedy is not None)
        for widget in (self, self._text):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self._paint()
        self.show()

    def say_error(self, error: UserError, remedy: Remedy | None = None) -> None:
        self.say(str(error), Level.ERROR, remedy)

    def copy(self) -> None:
        """The message to the clipboard."""
        if self.text:
            QGuiApplication.clipboard().setText(self.text)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _on_remedy(self) -> None:
        act = self._act
        self.hide()
        if act is not None:
            act()

    def _paint(self) -> None:
        self._icon.setPixmap(themed_icon(_ICONS[self._level], self.palette()).pixmap(16, 16))
        self._copy.setIcon(themed_icon("copy", self.palette()))
        self._close.setIcon(themed_icon("x", self.palette()))

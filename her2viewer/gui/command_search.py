"""Ctrl+K: any command, by the words that somebody would type for it."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from her2viewer.gui.actions import SPECS, ActionId, Actions, ActionSpec, key_words, matches

MOST_ROWS = 8


class CommandSearch(QDialog):
    """A line to type in and the commands that are meant; Enter runs the chosen one."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("commandSearch")
        self.setWindowTitle("Find a command")
        self._actions = actions
        self.line = QLineEdit()
        self.line.setPlaceholderText("What would you like to do? For example: heatmap, gpu, save figure")
        self.line.setAccessibleName("Find a command")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._refill)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("Commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.itemClicked.connect(lambda _: self._run())
        self._none = QLabel("No command is known by these words.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        for widget in (self.line, self._none, self.list):
            layout.addWidget(widget)
        self.setFixedWidth(560)
        self._refill("")

    def open_over(self, window: QWidget) -> None:
        """Shows it in the upper middle of a window, empty."""
        self.line.clear()
        self._refill("")
        centre = window.mapToGlobal(window.rect().center())
        self.move(centre.x() - self.width() // 2, window.mapToGlobal(window.rect().topLeft()).y() + 80)
        self.show()
        self.line.setFocus()

    def _refill(self, typed: str) -> None:
        self.list.clear()
        for action in self._meant(typed):
            entry = self._actions[action.id]
            keys = f"    {key_words(action)}" if action.keys else ""
            item = QListWidgetItem(entry.icon(), f"{action.text.rstrip('.')}{keys}\n{action.tip}", self.list)
            item.setData(Qt.ItemDataRole.UserRole, action.id)
            if not entry.isEnabled():
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        self._none.setVisible(self.list.count() == 0)
        self.list.setVisible(self.list.count() > 0)
        self.list.setFixedHeight(max(min(self.list.count(), MOST_ROWS), 1) * max(self.list.sizeHintForRow(0), 1) + 4)
        self.adjustSize()
        self._step(1, start=-1)

    def _meant(self, typed: str) -> Sequence[ActionSpec]:
        """Those that can be run first."""
        meant = [spec for spec in SPECS if matches(spec, typed) and spec.id is not ActionId.FIND_COMMAND]
        return sorted(meant, key=lambda spec: not self._actions[spec.id].isEnabled())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            match event.key():
                case Qt.Key.Key_Down:
                    self._step(1)
                    return True
                case Qt.Key.Key_Up:
                    self._step(-1)
                    return True
                case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                    self._run()
                    return True
        return super().eventFilter(watched, event)

    def _step(self, by: int, start: int | None = None) -> None:
        """Chooses the next entry that can be run."""
        row = (self.list.currentRow() if start is None else start) + by
        while 0 <= row < self.list.count():
            if self.list.item(row).flags() & Qt.ItemFlag.ItemIsEnabled:
                self.list.setCurrentRow(row)
                return
            row += by

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        action: QAction = self._actions[item.data(Qt.ItemDataRole.UserRole)]
        self.hide()
        action.trigger()

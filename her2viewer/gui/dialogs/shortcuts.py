"""All keys on one sheet, made from the actions."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget
from PySide6.QtWidgets import QLabel as Label

from her2viewer.gui.actions.ids import Menu
from her2viewer.gui.actions.specs import HELD_KEYS, SPECS, key_words
from her2viewer.gui.panels.section import heading, quiet

_COLUMNS = ((Menu.FILE, Menu.READING, Menu.HELP), (Menu.VIEW,), (Menu.COMPARE, Menu.FIELDS), (Menu.SCORE,))


class ShortcutSheet(QDialog):
    """Columns of what can be done and its keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        columns = QHBoxLayout()
        columns.setSpacing(32)
        for menus in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(8)
            for menu in menus:
                rows = [(key_words(spec), spec.text.rstrip(".")) for spec in SPECS if spec.menu is menu and spec.keys]
                column.addLayout(_table(menu.value.replace("&", ""), rows))
            if Menu.SCORE in menus:
                column.addLayout(_table("Mouse and held keys", list(HELD_KEYS)))
            column.addStretch(1)
            columns.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(columns)
        layout.addWidget(buttons)


def _table(title: str, rows: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(8)
    grid.addWidget(heading(title), 0, 0, 1, 2)
    for index, (keys, text) in enumerate(rows, start=1):
        grid.addWidget(Label(text), index, 0)
        grid.addWidget(quiet(keys), index, 1, Qt.AlignmentFlag.AlignRight)
    grid.setColumnStretch(0, 1)
    return grid

"""All checks on a field behind one line: how many passed, and on a click each with its figure and what passes."""

from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from her2viewer.gui.guard.resolve import ChecksShown
from her2viewer.gui.icons import themed_pixmap
from her2viewer.gui.panels.fold import Fold
from her2viewer.gui.panels.section import quiet

_ICONS: Final = {True: "check-circle", False: "warning"}
_SIDE: Final = 16


class ChecksView(QWidget):
    """Shows what `resolve_checks` decided. What failed stands first, and in the panel's warning besides."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Checks")
        self.fold = Fold("", small=True, is_open=False)
        self._shown = ChecksShown()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel, QLabel]] = []
        self.fold.body.addLayout(self._grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold)

    def show_checks(self, shown: ChecksShown) -> None:
        self._shown = shown
        self.fold.set_title(shown.summary)
        while len(self._rows) < len(shown.rows):
            self._add_row()
        for index, (icon, title, details) in enumerate(self._rows):
            used = index < len(shown.rows)
            for label in (icon, title, details):
                label.setVisible(used)
            if used:
                row = shown.rows[index]
                icon.setAccessibleName("passed" if row.passed else "failed")
                icon.setToolTip("Passed" if row.passed else "Failed")
                title.setText(row.title if row.passed else f"Failed: {row.title[:1].lower()}{row.title[1:]}")
                details.setText("\n".join(filter(None, (row.figures, row.message))))
        self._paint()
        self.setVisible(bool(shown.rows))

    def _add_row(self) -> None:
        icon, title, details = QLabel(), QLabel(), quiet()
        icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        for label in (title, details):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(title)
        words.addWidget(details)
        self._grid.addWidget(icon, len(self._rows), 0)
        self._grid.addLayout(words, len(self._rows), 1)
        self._rows.append((icon, title, details))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        for (icon, _, _), row in zip(self._rows, self._shown.rows, strict=False):
            icon.setPixmap(themed_pixmap(_ICONS[row.passed], _SIDE, self.palette()))

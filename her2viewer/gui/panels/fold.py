"""A section of a side panel whose heading folds it away."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from her2viewer.gui.icons import themed_icon


class Fold(QWidget):
    """A heading that is clicked to hide and to show what stands in `body`. What stands beside the heading stays.

    small: a heading within a panel, that is no heavier than its text.
    """

    def __init__(self, title: str, beside: QWidget | None = None, *, small: bool = False, is_open: bool = True) -> None:
        super().__init__()
        self._open = is_open
        self.heading = QToolButton()
        self.heading.setObjectName("smallFold" if small else "fold")
        self.heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        # The caret behind the words, so that headings that fold and those that do not begin at one line.
        self.heading.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.heading.setIconSize(QSize(12, 12))
        self.heading.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.heading.clicked.connect(lambda: self.set_open(not self._open))
        content = QWidget()
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.heading)
        top.addStretch(1)
        if beside is not None:
            top.addWidget(beside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(content)
        self._content, self._open, self._title = content, is_open, ""
        self.set_title(title)
        self.set_open(is_open)

    @property
    def is_open(self) -> bool:
        return self._open

    def set_title(self, title: str) -> None:
        """Other words for the heading."""
        self._title = title
        self.heading.setText(title)
        self._say()

    def set_open(self, is_open: bool) -> None:
        """Shows or hides what stands below the heading."""
        self._open = is_open
        self._content.setVisible(is_open)
        self._say()
        self._paint()

    def _say(self) -> None:
        self.heading.setAccessibleName(f"{self._title}, {'open' if self._open else 'folded'}")
        self.heading.setToolTip(f"{'Fold' if self._open else 'Open'}: {self._title}")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self.heading.setIcon(themed_icon("caret-down" if self._open else "caret-right", self.palette()))

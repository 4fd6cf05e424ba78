"""Full screen, and the tissue alone: what stands around the panes steps back and comes again as it was."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMainWindow, QToolBar

from her2viewer.gui.frame.docks import Docks, Panel


class FullScreen(QObject):
    """Two wishes that go together or alone. The status bar stays: it carries the line on research use.

    `changed`: (full screen, tissue alone).
    """

    changed = Signal(bool, bool)

    def __init__(self, window: QMainWindow, bar: QToolBar, docks: Docks) -> None:
        super().__init__(window)
        self._window = window
        self._bar = bar
        self._docks = docks
        self._maximized = False
        self._hidden: tuple[Panel, ...] | None = None

    @property
    def on(self) -> bool:
        return bool(self._window.windowState() & Qt.WindowState.WindowFullScreen)

    @property
    def alone(self) -> bool:
        return self._hidden is not None

    def toggle(self) -> None:
        """The whole screen, or the window as it was."""
        if self.on:
            self._leave()
        else:
            self._maximized = self._window.isMaximized()
            self._window.showFullScreen()
            self._dress()

    def toggle_alone(self) -> None:
        """The tissue alone, or with all that stood around it."""
        if self._hidden is None:
            self._hidden = tuple(panel for panel in Panel if self._docks.is_shown(panel))
            for panel in self._hidden:
                self._docks[panel].hide()
        else:
            for panel in self._hidden:
                self._docks[panel].show()
            self._hidden = None
        self._dress()

    def leave(self) -> bool:
        """Esc: first what is hidden comes back, then the screen is given back. False where there was nothing to leave."""
        if self.alone:
            self.toggle_alone()
            return True
        if self.on:
            self._leave()
            return True
        return False

    def _leave(self) -> None:
        if self._maximized:
            self._window.showMaximized()
        else:
            self._window.showNormal()
        self._dress()

    def _dress(self) -> None:
        self._window.menuBar().setVisible(not (self.on or self.alone))
        self._bar.setVisible(not self.alone)
        self.changed.emit(self.on, self.alone)

"""The panels around the panes: docks that can be moved, hidden and brought back, and that remember their place."""

from enum import StrEnum
from typing import Final

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QSizePolicy, QToolButton, QWidget

from her2viewer.gui.icons import themed_icon
from her2viewer.gui.panels.section import heading

LAYOUT_VERSION: Final = 1
"""Of what `Docks.layout` saves; another number, and the default layout is used instead."""


class Panel(StrEnum):
    """The panels by the names under which their places are remembered."""

    CASES = "casesPanel"
    ANSWER = "answerPanel"
    FIELDS = "fieldsPanel"


_AREAS: Final = {
    Panel.CASES: Qt.DockWidgetArea.LeftDockWidgetArea,
    Panel.ANSWER: Qt.DockWidgetArea.RightDockWidgetArea,
    Panel.FIELDS: Qt.DockWidgetArea.BottomDockWidgetArea,
}
_SIZES: Final = {Panel.CASES: 240, Panel.ANSWER: 328, Panel.FIELDS: 264}


class Docks(QObject):
    """`shown_changed`: a panel came or went (Panel, bool), by its own button, a key, or a layout that was restored."""

    shown_changed = Signal(object, bool)

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._docks: dict[Panel, QDockWidget] = {}
        self._default = QByteArray()
        # The side panels reach from top to bottom, a panel below stands between them.
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            window.setCorner(corner, area)

    def add(self, panel: Panel, title: str, content: QWidget, *, shown: bool = True) -> None:
        """Puts a widget into a dock at its default place. All are added before a layout is restored."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(panel)
        dock.setTitleBarWidget(_TitleBar(title, dock))
        dock.setWidget(content)
        self._window.addDockWidget(_AREAS[panel], dock)
        across = panel is not Panel.FIELDS
        self._window.resizeDocks(
            [dock], [_SIZES[panel]], Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        )
        dock.setVisible(shown)
        dock.visibilityChanged.connect(lambda _: self.shown_changed.emit(panel, not dock.isHidden()))
        self._docks[panel] = dock
        self._default = self._window.saveState(LAYOUT_VERSION)

    def __getitem__(self, panel: Panel) -> QDockWidget:
        return self._docks[panel]

    def __contains__(self, panel: Panel) -> bool:
        return panel in self._docks

    def is_shown(self, panel: Panel) -> bool:
        return panel in self._docks and not self._docks[panel].isHidden()

    def show_panel(self, panel: Panel) -> None:
        """Brings a panel back, in front of those it shares a place with."""
        self._docks[panel].show()
        self._docks[panel].raise_()

    def toggle(self, panel: Panel) -> None:
        """Hides a panel that is shown, shows one that is not."""
        if panel in self._docks:
            self._docks[panel].setVisible(self._docks[panel].isHidden())

    def layout(self) -> QByteArray:
        """Where everything stands, to be restored later."""
        return self._window.saveState(LAYOUT_VERSION)

    def restore(self, layout: QByteArray) -> bool:
        """Brings a layout back. One that is broken or of another version changes nothing: False."""
        if not layout.isEmpty() and self._window.restoreState(layout, LAYOUT_VERSION):
            return True
        self.reset()
        return False

    def reset(self) -> None:
        """Every panel at its first place and size."""
        self._window.restoreState(self._default, LAYOUT_VERSION)
        sides = [panel for panel in (Panel.CASES, Panel.ANSWER) if panel in self._docks]
        self._window.resizeDocks(
            [self._docks[panel] for panel in sides], [_SIZES[panel] for panel in sides], Qt.Orientation.Horizontal
        )


class _TitleBar(QWidget):
    """A panel's name and a button that hides it; dragging it moves the dock."""

    def __init__(self, title: str, dock: QDockWidget) -> None:
        super().__init__(dock)
        self.setObjectName("dockTitle")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(32)
        self._hide = QToolButton()
        self._hide.setToolTip(f"Hide this panel ({title}); View > Panels brings it back")
        self._hide.setAccessibleName(f"Hide the panel {title}")
        self._hide.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._hide.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 4, 0)
        row.setSpacing(8)
        name = heading(title)
        name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(name, 1)
        row.addWidget(self._hide)
        self._paint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self._hide.setIcon(themed_icon("x", self.palette()))

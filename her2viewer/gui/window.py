"""The main window: it builds its parts and lays them out. What they show comes from the presenter, what they ask for goes out."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QSplitter, QVBoxLayout, QWidget

from her2viewer.cases.names import without_label
from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.command_search import CommandSearch
from her2viewer.gui.fields.panel import FieldsPanel
from her2viewer.gui.frame.docks import Docks, Panel
from her2viewer.gui.frame.floating import Float, at_the_top
from her2viewer.gui.frame.full_screen import FullScreen
from her2viewer.gui.frame.menus import ToolBar, build_menus
from her2viewer.gui.membranes.panel import MembranesPanel
from her2viewer.gui.messages import MessageBar
from her2viewer.gui.pane.fetching import Fetching
from her2viewer.gui.pane.link import Link
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.panels.explain import ExplainPanel
from her2viewer.gui.panels.score import ScorePanel
from her2viewer.gui.panels.section import rule, scrolling
from her2viewer.gui.readings.panel import ReadingPanel
from her2viewer.gui.scale.magnification import magnification_words
from her2viewer.gui.status_line import StatusLine
from her2viewer.gui.trust.panel import TrustPanel
from her2viewer.gui.what_if.panel import WhatIfPanel
from her2viewer.scoring.stains import Stain

TITLE = "HER2 Viewer"
ANSWER_WIDTH = 304
_NONE, _KEYPAD = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier
_PAGING = {
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageDown: 1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageUp: -1,
}


class MainWindow(QMainWindow):
    """Two panes, the answer beside them, messages above them. Signals out; setters in, through its parts."""

    look_beneath = Signal(bool)
    recent_chosen = Signal(object, object)
    closing = Signal()
    page_requested = Signal(int)
    escaped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.may_close: Callable[[], bool] = lambda: True
        """Asked before the window closes; who says no has asked the user."""
        self.setWindowTitle(TITLE)
        self.setMinimumSize(960, 600)
        self.actions_ = Actions(self.palette(), self)
        self.fetching = Fetching(self)
        self.panes = {stain: ImagePane(stain, self.fetching) for stain in Stain}
        self.link = Link([pane.view for pane in self.panes.values()], self)
        self.score_panel = ScorePanel()
        self.reading_panel = ReadingPanel()
        self.explain_panel = ExplainPanel()
        self.trust_panel = TrustPanel()
        self.membranes_panel = MembranesPanel()
        self.what_if_panel = WhatIfPanel()
        self.fields_panel = FieldsPanel()
        self.status_line = StatusLine()
        self.setStatusBar(self.status_line)
        self._recent = QMenu("Recent pairs", self)
        build_menus(self, self.actions_, self._recent)
        self.tool_bar = ToolBar(self.actions_)
        self.addToolBar(self.tool_bar)
        self._build_body()
        self.docks = Docks(self)
        self.docks.add(Panel.ANSWER, "Score and map", self._build_answer())
        self.full_screen = FullScreen(self, self.tool_bar, self.docks)
        self.command_search = CommandSearch(self.actions_, self)
        for pane in self.panes.values():
            pane.view.looked.connect(self._show_zoom)
            pane.view.cursor_moved.connect(lambda position, pane=pane: self._on_cursor(pane, position))
        self.link.looked.connect(self.refresh_scales)

    def _build_body(self) -> None:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(8)
        for pane in self.panes.values():
            pane.setMinimumWidth(224)
            splitter.addWidget(pane)
        splitter.setSizes([1000, 1000])
        tissue = QWidget()
        inner = QVBoxLayout(tissue)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(splitter)
        body = QWidget()
        frame = QVBoxLayout(body)
        frame.setContentsMargins(8, 8, 8, 8)
        frame.setSpacing(0)
        self.above_panes, self.below_panes = QVBoxLayout(), QVBoxLayout()
        frame.addLayout(self.above_panes)
        frame.addWidget(tissue, 1)
        frame.addLayout(self.below_panes)
        self.messages = MessageBar(tissue)
        self.setCentralWidget(body)
        self.body, self.tissue = body, tissue
        Float(self.messages, at_the_top)
        # Otherwise the first tool button would have it, and Space would press that.
        body.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        body.setFocus()

    def _build_answer(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.reading_panel)
        for panel in (self.score_panel, self.what_if_panel, self.explain_panel, self.trust_panel, self.membranes_panel):
            column.addWidget(rule())
            column.addWidget(panel)
        column.addStretch(1)
        self._answer = scrolling(content)
        self._answer.setMinimumWidth(ANSWER_WIDTH)  # whatever its texts say
        return self._answer

    def reveal_answer(self, part: QWidget) -> None:
        """Scrolls to a part of the answer once it is laid out."""
        QTimer.singleShot(0, part, lambda: self._answer.ensureWidgetVisible(part))

    def set_recent(self, pairs: Sequence[tuple[Path, Path]], *, veiled: bool = False) -> None:
        """Fills the menu of recent pairs. veiled: without the labels in their names."""
        self._recent.clear()
        self._recent.setEnabled(bool(pairs))
        for he, ihc in pairs:
            told = [without_label(path.name) if veiled else path.name for path in (he, ihc)]
            names = " and ".join(dict.fromkeys(told))
            action = self._recent.addAction(f"{he.parent.parent.name}/{he.parent.name}: {names}".replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, he=he, ihc=ihc: self.recent_chosen.emit(he, ihc))

    def fit(self) -> None:
        """The whole of each image; of registered ones the whole of the IHC, and that place of the H&E."""
        for pane in self.panes.values():
            pane.view.fit()
        self.link.gather(Stain.IHC)
        self.refresh_scales()

    def zoom_by(self, factor: float) -> None:
        """Closer by a factor, in the pane that is looked at."""
        if (view := self.active_pane().view).viewpoint is not None:
            view.zoom_at(factor)

    def zoom_to(self, px: float) -> None:
        """To level-0 pixels per device pixel, in the pane that is looked at; the other follows where they are linked."""
        view = self.active_pane().view
        if view.viewpoint is not None:
            view.zoom_at(view.viewpoint.px / px)

    def pan_by(self, across: float, down: float) -> None:
        """Moves by shares of the viewport."""
        view = self.active_pane().view
        view.move_by(-across * view.width(), -down * view.height())

    def turn_by(self, degrees: float) -> None:
        """Turns the tissue of the pane that is looked at, clockwise."""
        self.active_pane().view.turn(degrees)

    def flip(self) -> None:
        """Mirrors what the pane that is looked at shows, left to right."""
        self.active_pane().view.flip()

    def set_upright(self) -> None:
        """Shows the image as it lies in its file."""
        self.active_pane().view.set_upright()

    def active_pane(self) -> ImagePane:
        """The pane with the keyboard or under the mouse, otherwise the first one with an image."""
        panes = [pane for pane in self.panes.values() if pane.isVisibleTo(self)]
        for pane in panes:
            if pane.view.hasFocus() or pane.view.underMouse():
                return pane
        return next((pane for pane in panes if pane.view.image is not None), panes[0])

    def refresh_scales(self) -> None:
        """After a zoom."""
        for pane in self.panes.values():
            pane.refresh_scale()
        self._show_zoom()

    def _show_zoom(self) -> None:
        pane = self.active_pane()
        viewpoint = pane.view.viewpoint
        self.status_line.set_zoom(magnification_words(viewpoint.px, pane.um_per_px) if viewpoint is not None else "")

    def _on_cursor(self, pane: ImagePane, position: tuple[float, float] | None) -> None:
        words = f"{pane.stain.caption}  {position[0]:.0f}, {position[1]:.0f}" if position is not None else ""
        self.status_line.set_place(words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What no widget with the keyboard has taken: a slider or a list keeps its arrows.
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.look_beneath.emit(True)
        elif event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif event.modifiers() in (_NONE, _KEYPAD) and event.key() in _PAGING:
            self.page_requested.emit(_PAGING[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.look_beneath.emit(False)
            return
        super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.look_beneath.emit(False)  # the release of the key would go to another window
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "actions_"):
            self.actions_.paint(self.palette())

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

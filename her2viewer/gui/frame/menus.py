"""The menu bar and the tool bar, made from the actions."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.actions.ids import ActionId, Menu
from her2viewer.gui.actions.specs import SPECS, ActionSpec

_ICON_ONLY: Final = frozenset(
    {
        ActionId.FIT,
        ActionId.ONE_TO_ONE,
        ActionId.ZOOM_IN,
        ActionId.ZOOM_OUT,
        ActionId.RULER,
        ActionId.REGISTER,
    }
)
"""Never with their texts: their icons say it, or a menu does."""
OBJECTIVES: Final = (
    ActionId.OBJECTIVE_2_5,
    ActionId.OBJECTIVE_5,
    ActionId.OBJECTIVE_10,
    ActionId.OBJECTIVE_20,
    ActionId.OBJECTIVE_40,
)
"""In the order of `PRESETS`."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Actions that stand side by side, and behind one button from a dress on."""

    actions: tuple[ActionId, ...]
    text: str
    tip: str
    dress: int
    style: Qt.ToolButtonStyle


FOLDS: Final = (
    Fold(OBJECTIVES, "Objective", "As through an objective, 2.5x to 40x", 1, Qt.ToolButtonStyle.ToolButtonTextOnly),
    Fold(
        (ActionId.SIDE_BY_SIDE, ActionId.FLICKER, ActionId.SWIPE, ActionId.BLEND),
        "Compare",
        "Side by side, flicker, swipe curtain or blend",
        3,
        Qt.ToolButtonStyle.ToolButtonIconOnly,
    ),
    Fold(
        (ActionId.DRAW_RECTANGLE, ActionId.DRAW_ELLIPSE, ActionId.DRAW_POLYGON, ActionId.DRAW_FREE_HAND),
        "Draw",
        "Draw a field: rectangle, ellipse, polygon or free-hand",
        3,
        Qt.ToolButtonStyle.ToolButtonIconOnly,
    ),
)
FOLDED: Final = frozenset(action for fold in FOLDS for action in fold.actions)
NARROWEST: Final = 3
"""The last dress."""


def build_menus(window: QMainWindow, actions: Actions, recent: QMenu) -> None:
    """Fills the menu bar, submenus where the specs name one; `recent` goes below the demo pair."""
    for menu in Menu:
        built = window.menuBar().addMenu(menu.value)
        built.setToolTipsVisible(True)
        inner: dict[str, QMenu] = {}
        for spec in (spec for spec in SPECS if spec.menu is menu):
            if spec.section:
                built.addSeparator()
            if spec.submenu and spec.submenu not in inner:
                inner[spec.submenu] = built.addMenu(spec.submenu)
                inner[spec.submenu].setToolTipsVisible(True)
            (inner[spec.submenu] if spec.submenu else built).addAction(actions[spec.id])
            if spec.id is ActionId.OPEN_DEMO:
                built.addMenu(recent)
    # Without this a shortcut would sleep whenever the menu bar is hidden.
    window.addActions([actions[spec.id] for spec in SPECS])


class ToolBar(QToolBar):
    """The tool bar. Where it has no room for all, the objectives go behind one button, then the texts, then more buttons."""

    def __init__(self, actions: Actions) -> None:
        super().__init__("Tools")
        self.setObjectName("tools")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(20, 20))
        self._actions = actions
        self._buttons: list[QToolButton] = []
        self._folds: dict[Fold, tuple[QAction, QAction]] = {}
        self._widths: tuple[int, ...] = ()
        self._dress = -1
        group = 1
        for spec in sorted((spec for spec in SPECS if spec.toolbar), key=lambda spec: spec.toolbar):
            if spec.toolbar != group:
                group = spec.toolbar
                if spec.id is ActionId.FIND_COMMAND:
                    spring = QWidget()
                    spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                    self.addWidget(spring)
                else:
                    self.addSeparator()
            if spec.id not in FOLDED:
                self._add_button(spec)
            for fold in FOLDS:
                if spec.id is fold.actions[0]:
                    self._folds[fold] = self.addWidget(_segment(fold, actions)), self.addWidget(_menu(fold, actions))
        self._wear(0)

    def folded(self, fold: Fold) -> bool:
        """Whether a fold's actions are behind one button."""
        return self._dress >= fold.dress

    def _add_button(self, spec: ActionSpec) -> None:
        self.addAction(self._actions[spec.id])
        button = self.widgetForAction(self._actions[spec.id])
        assert isinstance(button, QToolButton)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(spec.text.rstrip("."))
        if spec.id in _ICON_ONLY:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        else:
            self._buttons.append(button)

    def _wear(self, dress: int) -> None:
        """0: all; 1: the objectives behind one button; 2: icons without their texts besides; 3: the other folds too."""
        if dress == self._dress:
            return
        self._dress = dress
        for fold, (segment, menu) in self._folds.items():
            segment.setVisible(not self.folded(fold))
            menu.setVisible(self.folded(fold))
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if dress > 1 else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        for button in self._buttons:
            button.setToolButtonStyle(style)

    def _fit(self) -> None:
        """The fullest dress that has room; how much each needs is measured once."""
        if not self._widths:
            widths = []
            for dress in range(NARROWEST):
                self._wear(dress)
                widths.append(self.sizeHint().width())
            self._widths = tuple(widths)
        roomy = (dress for dress, width in enumerate(self._widths) if width <= self.width())
        self._wear(next(roomy, NARROWEST))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._widths = ()


def _segment(fold: Fold, actions: Actions) -> QWidget:
    """A fold's actions side by side."""
    held = QWidget()
    row = QHBoxLayout(held)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for one in fold.actions:
        button = QToolButton()
        button.setDefaultAction(actions[one])
        button.setToolButtonStyle(fold.style)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(actions[one].text())
        row.addWidget(button)
    return held


def _menu(fold: Fold, actions: Actions) -> QToolButton:
    """A fold's actions behind one button."""
    button = QToolButton()
    button.setText(fold.text)
    button.setToolTip(fold.tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    menu = QMenu(button)
    menu.addActions([actions[one] for one in fold.actions])
    button.setMenu(menu)
    return button

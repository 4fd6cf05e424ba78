"""The QActions of the window, made from the specs."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence, QPalette

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS, ActionSpec, key_words
from her2viewer.gui.icons import themed_icon


def _plain(text: str) -> str:
    """For Qt, to which one & says that the next letter is a key: 'H&E' stays what it is."""
    return text.replace("&", "&&")


def _tip(spec: ActionSpec) -> str:
    return f"{spec.tip} ({key_words(spec)})" if spec.keys else spec.tip


class Actions(QObject):
    """The QActions made from the specs, by id."""

    def __init__(self, palette: QPalette, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._actions: dict[ActionId, QAction] = {}
        self._reasons: dict[ActionId, str] = {}
        groups: dict[str, QActionGroup] = {}
        for spec in SPECS:
            action = QAction(_plain(spec.text), self)
            action.setObjectName(spec.id)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setToolTip(_tip(spec))
            action.setIconText(_plain(spec.short or spec.text))
            action.setCheckable(spec.checkable)
            if spec.exclusive:
                groups.setdefault(spec.exclusive, QActionGroup(self)).addAction(action)
            self._actions[spec.id] = action
        self.paint(palette)

    def __getitem__(self, action: ActionId) -> QAction:
        return self._actions[action]

    def paint(self, palette: QPalette) -> None:
        """Draws the icons again, in the colours of a theme."""
        for spec in SPECS:
            self._actions[spec.id].setIcon(themed_icon(spec.icon, palette))

    def connect_all(self, handlers: Mapping[ActionId, Callable[[], object]]) -> None:
        """Connects each action to who does it. Raises KeyError where one has nobody."""
        for spec in SPECS:
            handler = handlers[spec.id]
            self._actions[spec.id].triggered.connect(lambda _checked=False, handler=handler: handler())

    def set_enabled(self, enabled: Mapping[ActionId, bool]) -> None:
        for action, on in enabled.items():
            self._actions[action].setEnabled(on)

    def set_reasons(self, reasons: Mapping[ActionId, str]) -> None:
        """Why each of some actions is not possible just now; empty where it is. The tool tip says it, and command search."""
        for spec in SPECS:
            if spec.id in reasons and reasons[spec.id] != self.reason(spec.id):
                self._reasons[spec.id] = reasons[spec.id]
                self._actions[spec.id].setToolTip("\n".join(filter(None, (_tip(spec), reasons[spec.id]))))

    def reason(self, action: ActionId) -> str:
        """Why an action is not possible just now, or empty."""
        return self._reasons.get(action, "")

    def set_checked(self, checked: Mapping[ActionId, bool]) -> None:
        """Shows a state; nobody is triggered."""
        for action, on in checked.items():
            self._actions[action].setChecked(on)

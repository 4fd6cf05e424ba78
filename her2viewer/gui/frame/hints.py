"""First-time hints: one quiet strip, one hint at a time, gone when it is done or closed, and never again."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QWidget

from her2viewer.gui.frame.floating import Float, at_the_bottom
from her2viewer.gui.icons import themed_icon, themed_pixmap
from her2viewer.gui.state import ScorePhase, State


@dataclass(frozen=True, slots=True)
class Hint:
    """`fits` says whether it can be tried now, `done` whether a change of the state shows that it has been."""

    id: str
    text: str
    fits: Callable[[State], bool]
    done: Callable[[State, State], bool]


HINTS: Final = (
    Hint(
        "stains",
        "Press 1 to 4 to see the stains apart",
        lambda state: state.pair is not None,
        lambda old, new: old.stain_viewing.view is not new.stain_viewing.view,
    ),
    Hint(
        "beneath",
        "Hold Space to look beneath the map",
        lambda state: state.scoring.phase is ScorePhase.SCORED and state.overlay_on,
        lambda old, new: new.overlay_held_away,
    ),
    Hint(
        "commands",
        "Ctrl+K finds every command by what it does",
        lambda state: state.pair is not None,
        lambda old, new: False,  # command search tells it
    ),
)
"""At most three, in the order in which they are told."""


def next_hint(state: State, gone: Collection[str]) -> Hint | None:
    """The first hint that fits and is not gone."""
    return next((hint for hint in HINTS if hint.id not in gone and hint.fits(state)), None)


class HintStrip(QFrame):
    """Floats over the lower edge of the panes, so that nothing moves when it comes or goes. `closed`: by its cross."""

    closed = Signal()

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setObjectName("hint")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = QLabel()
        self._text = QLabel()
        self._close = QToolButton()
        self._close.setToolTip("Do not show this hint again")
        self._close.setAccessibleName("Do not show this hint again")
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 4, 4)
        row.setSpacing(8)
        for widget in (self._icon, self._text, self._close):
            row.addWidget(widget)
        Float(self, at_the_bottom)
        self._paint()
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty where nothing is shown."""
        return "" if self.isHidden() else self._text.text()

    def show_hint(self, hint: Hint | None) -> None:
        if hint is not None:
            self._text.setText(hint.text)
            self.setAccessibleName(f"Hint: {hint.text}")
        self.setVisible(hint is not None)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self._icon.setPixmap(themed_pixmap("lightbulb", 16, self.palette()))
        self._close.setIcon(themed_icon("x", self.palette()))


class Hints(QObject):
    """Decides which hint is shown; `gone_changed` carries the ids that are never shown again."""

    gone_changed = Signal(object)

    def __init__(self, strip: HintStrip, gone: Sequence[str]) -> None:
        super().__init__(strip)
        self._strip = strip
        self._gone = set(gone)
        self._shown: Hint | None = None
        self._state: State | None = None
        strip.closed.connect(self._on_closed)

    def follow(self, old: State, new: State) -> None:
        """A change of the state: what has been done is gone, what fits is shown. Implements a listener of the store."""
        self._state = new
        for hint in HINTS:
            if hint.id not in self._gone and hint.fits(new) and hint.done(old, new):
                self.gone(hint.id)
        self._refresh()

    def gone(self, hint: str) -> None:
        """Somebody did what a hint says, or sent it away."""
        if hint not in self._gone:
            self._gone.add(hint)
            self.gone_changed.emit(sorted(self._gone))
            self._refresh()

    def reset(self) -> None:
        """All are shown again, each when it fits."""
        self._gone.clear()
        self.gone_changed.emit([])
        self._refresh()

    def _on_closed(self) -> None:
        if self._shown is not None:
            self.gone(self._shown.id)

    def _refresh(self) -> None:
        state = self._state
        hint = None
        if state is not None:
            # One that is being read is not exchanged for another.
            stays = self._shown is not None and self._shown.id not in self._gone and self._shown.fits(state)
            hint = self._shown if stays else next_hint(state, self._gone)
        if hint is not self._shown:
            self._shown = hint
            self._strip.show_hint(hint)

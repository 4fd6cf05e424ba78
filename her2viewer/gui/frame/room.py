"""What stands around the panes, tied: panels, full screen, hints, Esc, command search, and what of it is remembered."""

from collections.abc import Callable, Mapping
from functools import partial

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.command_search import Command
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.frame.hints import Hints, HintStrip
from her2viewer.gui.frame.keyboard import set_keyboard_order
from her2viewer.gui.frame.placement import place
from her2viewer.gui.frame.reasons import reasons
from her2viewer.gui.parts import Parts
from her2viewer.gui.state import State

_PANELS = {Id.PANEL_CASES: Panel.CASES, Id.PANEL_ANSWER: Panel.ANSWER, Id.PANEL_FIELDS: Panel.FIELDS}

_RECENT_COMMANDS = 8


class FrameRoom:
    """Built after all panels have been added to the docks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._window = window = parts.window
        settings, store = parts.settings, parts.store
        self.hints = Hints(HintStrip(window.tissue), settings.hints_gone)
        self.hints.gone_changed.connect(lambda gone: setattr(settings, "hints_gone", gone))
        self.escapes: list[Callable[[], bool]] = [window.full_screen.leave]
        """Asked in order when Esc is pressed and nothing else takes it, until one had something to leave."""
        window.docks.shown_changed.connect(lambda *_: self._show_panels())
        window.full_screen.changed.connect(self._on_full_screen)
        window.escaped.connect(self.escape)
        window.command_search.ran.connect(self._on_command)
        window.command_search.set_recent(settings.recent_commands)
        store.listen(self._on_state)
        window.actions_.set_reasons(reasons(store.state))
        docks = window.docks
        below = [docks[Panel.FIELDS]] if Panel.FIELDS in docks else []
        set_keyboard_order(window, [docks[Panel.CASES], *window.panes.values(), *below, docks[Panel.ANSWER]])
        place(window, settings.geometry)
        window.docks.restore(settings.layout)
        self._show_panels()

    def handlers(self) -> Mapping[Id, Callable[[], object]]:
        """Who does what, for the window's actions."""
        window = self._window
        return {
            **{action: partial(window.docks.toggle, panel) for action, panel in _PANELS.items()},
            Id.RESET_PANELS: window.docks.reset,
            Id.FULL_SCREEN: window.full_screen.toggle,
            Id.TISSUE_ALONE: window.full_screen.toggle_alone,
            Id.FIND_COMMAND: self._find_command,
        }

    def escape(self) -> None:
        """Leaves the innermost thing that can be left."""
        for leave in self.escapes:
            if leave():
                return

    def close(self) -> None:
        """Remembers where everything stood."""
        while self._window.full_screen.leave():
            pass
        self._parts.settings.geometry = self._window.saveGeometry()
        self._parts.settings.layout = self._window.docks.layout()

    def _find_command(self) -> None:
        self.hints.gone("commands")
        self._window.command_search.open_over(self._window)

    def _on_command(self, command: Command) -> None:
        settings = self._parts.settings
        others = [one for one in settings.recent_commands if one != command.id]
        settings.recent_commands = [command.id, *others][:_RECENT_COMMANDS]
        self._window.command_search.set_recent(settings.recent_commands)

    def _on_full_screen(self, on: bool, alone: bool) -> None:
        self._window.actions_.set_checked({Id.FULL_SCREEN: on, Id.TISSUE_ALONE: alone})

    def _show_panels(self) -> None:
        docks, actions = self._window.docks, self._window.actions_
        actions.set_checked({action: docks.is_shown(panel) for action, panel in _PANELS.items()})
        there = {action: panel in docks for action, panel in _PANELS.items()}
        actions.set_enabled(there)
        actions.set_reasons(
            {action: "" if on else "This panel has nothing to show yet." for action, on in there.items()}
        )

    def _on_state(self, old: State, new: State) -> None:
        self.hints.follow(old, new)
        self._window.actions_.set_reasons(reasons(new))

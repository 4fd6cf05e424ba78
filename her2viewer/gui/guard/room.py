"""Ties the checks to the score panel."""

from her2viewer.gui.guard.resolve import resolve_checks
from her2viewer.gui.parts import Parts
from her2viewer.gui.state import State


class GuardRoom:
    """Built once."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self.view = parts.window.score_panel.checks

    def tie(self) -> None:
        """Listens to the state."""
        self._store.listen(self._on_state)
        self.view.show_checks(resolve_checks(self._store.state))

    def _on_state(self, old: State, new: State) -> None:
        if resolve_checks(old) != resolve_checks(new):
            self.view.show_checks(resolve_checks(new))

"""Where the state is kept, and who is told when it changes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from her2viewer.gui.state import State

Listener = Callable[[State, State], None]


class Store:
    """Holds the state. Changing it tells every listener (old, new), in the order they came.

    A listener may change the state again: that is told after all have heard what came before.
    """

    def __init__(self, state: State | None = None) -> None:
        self._state = state or State()
        self._listeners: list[Listener] = []
        self._untold: list[tuple[State, State]] = []

    @property
    def state(self) -> State:
        return self._state

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def stop_listening(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def change(self, **fields: Any) -> None:
        """Replaces fields of the state by name."""
        self.put(replace(self._state, **fields))

    def put(self, state: State) -> None:
        """Replaces the state."""
        self._untold.append((self._state, state))
        self._state = state
        if len(self._untold) > 1:  # a listener did this; who is telling goes on with it
            return
        try:
            while self._untold:
                for listener in tuple(self._listeners):
                    listener(*self._untold[0])
                self._untold.pop(0)
        finally:
            self._untold.clear()

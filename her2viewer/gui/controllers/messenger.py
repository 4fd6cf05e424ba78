"""How controllers speak to the user."""

from typing import Protocol

from her2viewer.errors import UserError
from her2viewer.gui.messages import Level, Remedy


class Messenger(Protocol):
    """What a controller needs of the message bar."""

    def say(self, text: str, level: Level = Level.INFO, remedy: Remedy | None = None) -> None: ...

    def say_error(self, error: UserError, remedy: Remedy | None = None) -> None: ...

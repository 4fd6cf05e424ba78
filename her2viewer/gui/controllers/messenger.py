"""How controllers speak to the user: a message, how much it matters, and what can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from her2viewer.errors import UserError


class Level(StrEnum):
    """How much a message matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button of a message: what it says and does."""

    text: str
    act: Callable[[], object]


class Messenger(Protocol):
    """What a controller needs of the message bar."""

    def say(self, text: str, level: Level = Level.INFO, remedy: Remedy | None = None) -> None: ...

    def say_error(self, error: UserError, remedy: Remedy | None = None) -> None: ...

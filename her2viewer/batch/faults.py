"""What goes wrong with one of many costs that one and not the night's run."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from her2viewer.errors import Cancelled, UserError

_logger = logging.getLogger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, in one sentence for the user."""

    words: str


def attempt(
    work: Callable[[], _Result], *, one: str, name: str, raising: tuple[type[Exception], ...] = ()
) -> _Result | Fault:
    """What `work` returns, or what went wrong. `one`: what it works on, in a word ('pair'); `name`: which, for the log.

    The one place where a bug is caught; it goes to the log with its traceback. Raises Cancelled, and `raising`, which are
    errors of the whole run.
    """
    try:
        return work()
    except Cancelled:
        raise
    except raising:
        raise
    except UserError as error:
        return Fault(str(error))
    except MemoryError:
        return Fault(f"there was not enough memory for this {one}; close other programs, or crop the images.")
    except Exception as error:
        _logger.exception("%s %s", one, name)
        kind = type(error).__name__
        return Fault(f"a fault in HER2 Viewer ({kind}); the other {one}s go on, please report it with the log.")

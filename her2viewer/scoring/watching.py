"""Long work that nobody cancels or watches: the defaults of `cancelled` and `progress`."""

from collections.abc import Sequence


def never() -> bool:
    """For work that nobody cancels."""
    return False


def unwatched(done: int, total: int) -> None:
    """For work whose progress nobody watches: `done` of `total` runs of the network."""


def unheard(notices: Sequence[str]) -> None:
    """For a scorer whose notices nobody listens to."""

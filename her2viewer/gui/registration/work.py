"""What is done on the worker when a pair is registered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.registration.automatic import bent, register
from her2viewer.imaging.source import ImageSource

_SHARE_OF_BENDING = 0.3


@dataclass(frozen=True, eq=False, slots=True)
class Wish:
    """A pair to register. he_um, ihc_um: micrometres per level-0 px, None where unknown; bend: a thin plate, too."""

    he: ImageSource
    ihc: ImageSource
    he_um: float | None = None
    ihc_um: float | None = None
    bend: bool = False


class Register(Protocol):
    """Finds the alignment of a pair, on a worker; `check` raises where it should stop, `progress` takes 0 to 1."""

    def __call__(self, wish: Wish, check: Callable[[], None], progress: Callable[[float], None]) -> Alignment: ...


def registered(wish: Wish, check: Callable[[], None], progress: Callable[[float], None]) -> Alignment:
    """Similarity and affine, and then the bending where it is wished for. Raises ImageError, or what `check` raises."""
    share = 1.0 - _SHARE_OF_BENDING if wish.bend else 1.0
    alignment = register(
        wish.he,
        wish.ihc,
        he_um=wish.he_um,
        ihc_um=wish.ihc_um,
        check=check,
        progress=lambda done: progress(share * done),
    )
    if not wish.bend or alignment.poor:
        return alignment
    return bent(wish.he, wish.ihc, alignment, check=check)

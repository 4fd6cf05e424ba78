"""What is so about the registration of the pair on screen."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from her2viewer.errors import UserError
from her2viewer.gui.lanes import Progress
from her2viewer.gui.registration.landmarks import Landmarks
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import ImageSource

_ADJUSTED = ("landmarks", "by hand")
"""Origins that come in many small steps, which are one step for undo."""


class Image(Protocol):
    """What has to be known of an opened image."""

    @property
    def source(self) -> ImageSource: ...


ImagePair = tuple[Image, Image]
"""(H&E, IHC)."""


@dataclass(frozen=True, eq=False, slots=True)
class Registration:
    """`alignment` is in force, None where there is no pair; `past` are those before it, the latest last.

    `progress` while a registration is under way; `error` is why the last one, or a set of landmarks, came to nothing.
    `setting`: landmarks are being set.
    """

    alignment: Alignment | None = None
    past: tuple[Alignment, ...] = ()
    progress: Progress | None = None
    error: UserError | None = None
    landmarks: Landmarks = field(default_factory=Landmarks)
    setting: bool = False

    def aligned(self, alignment: Alignment) -> "Registration":
        """With another alignment in force. Many small adjustments in a row are one step of undo."""
        before = self.alignment
        if before is None:
            return replace(self, alignment=alignment, error=None)
        same_hand = before.origin == alignment.origin and alignment.origin in _ADJUSTED
        past = self.past if same_hand else (*self.past, before)
        return replace(self, alignment=alignment, past=past, error=None)

    def undone(self) -> "Registration":
        """With the alignment before it in force again."""
        if not self.past:
            return self
        return replace(self, alignment=self.past[-1], past=self.past[:-1], error=None)

    def carried_to(self, before: ImagePair | None, now: ImagePair | None) -> "Registration":
        """What is left of it when other images stand in the panes: nothing, unless it is the same two, swapped."""
        if now == before:
            return self
        if now is None:
            return Registration()
        he, ihc = now
        assumed = Alignment.assumed(he.source.size, ihc.source.size)
        if before != (ihc, he) or self.alignment is None:
            return Registration(assumed)
        turned = _turned(self.alignment) or assumed
        return Registration(
            turned, (assumed,) if turned.origin != "assumed" else (), landmarks=self.landmarks.swapped()
        )

    @property
    def registered(self) -> bool:
        """Whether anybody has said how the images lie, instead of assuming it."""
        return self.alignment is not None and self.alignment.origin != "assumed"


def _turned(alignment: Alignment) -> Alignment | None:
    """The way from IHC to H&E as an alignment of its own; None for one that is bent, whose way back is no such map."""
    if alignment.warp is not None:
        return None
    back = alignment.he_to_ihc.inverse()
    error = alignment.error_px * back.scale if alignment.error_px is not None else None
    return replace(alignment, he_to_ihc=back, error_px=error)

"""From the state to the words about registration: beside the link, in the strip of landmarks, in messages."""

from dataclasses import dataclass

import numpy as np

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.registration.landmarks import Landmarks
from her2viewer.gui.resolve.pane import resolve_pane
from her2viewer.gui.state import State
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain

_LINKED = {
    "assumed": "Linked",
    "automatic": "Linked, registered",
    "landmarks": "Linked by landmarks",
    "by hand": "Linked by hand",
}
_UNLIKE = 0.02
"""How far the sides of two pictures of one field may be apart: as far as the check of their sizes lets pass."""
_FEWEST_OVER = 4
"""Three landmarks are an affine map exactly: there is no error to see, and nothing left to bend."""


@dataclass(frozen=True, slots=True)
class LinkShown:
    """How the panes hang together, in a few words, and the whole sentence for who points at them. Empty without a pair."""

    text: str = ""
    more: str = ""


def resolve_link(state: State) -> LinkShown:
    """What stands in the status line about link and alignment."""
    registration = state.registration
    alignment = registration.alignment
    if state.pair is None or alignment is None:
        return LinkShown()
    if registration.progress is not None:
        return LinkShown("Registering", "The panes stay usable meanwhile; Esc cancels")
    text = _LINKED[alignment.origin] if state.linked else "Unlinked"
    off = alignment_distance(alignment)
    if state.linked and off:
        text = f"{text}, {off}"
    if alignment.poor:
        text = f"{text} (poor)"
    return LinkShown(text, f"{alignment.words}.")


def is_unlikely_field(state: State) -> bool:
    """Whether the two images, taken for the same field, are unlikely to be: they measure different pieces of tissue."""
    pair, alignment = state.pair, state.registration.alignment
    if pair is None or alignment is None or alignment.origin != "assumed":
        return False
    um = [resolve_pane(state, stain).um_per_px for stain in (Stain.HE, Stain.IHC)]
    known = um[0] is not None and um[1] is not None
    sides = [
        length * (scale if known and scale is not None else 1.0)
        for image, scale in zip(pair, um, strict=True)
        for length in image.source.size
    ]
    he, ihc = sides[:2], sides[2:]
    if not known:  # only their shapes can be compared
        return abs(he[0] * ihc[1] / (he[1] * ihc[0]) - 1) > _UNLIKE
    return any(abs(one / other - 1) > _UNLIKE for one, other in zip(he, ihc, strict=True))


def alignment_distance(alignment: Alignment) -> str:
    """How far off it is likely to be, '1.2 µm', or 'px' where the scale is unknown; empty where the error is."""
    if alignment.error_um is not None:
        return f"{_figure(alignment.error_um)} µm"
    return f"{_figure(alignment.error_px)} px" if alignment.error_px is not None else ""


def distance_words(px: float, um_per_px: float | None) -> str:
    """A length in level-0 px of the IHC image, in micrometres where these are known."""
    return f"{_figure(px * um_per_px)} µm" if um_per_px is not None else f"{_figure(px)} px"


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def enabled_registration(state: State) -> dict[ActionId, bool]:
    """Which actions of registering and comparing can be asked for now: without a pair, none."""
    registration, pair = state.registration, state.pair is not None
    enabled = {
        ActionId.REGISTER: pair and registration.progress is None,
        ActionId.REGISTER_BENT: pair and registration.progress is None,
        ActionId.UNDO_REGISTRATION: pair and bool(registration.past),
        # What is locked is what is seen: both panes.
        ActionId.LOCK_OFFSET: pair and not state.comparison.together,
    }
    with_pair = (
        ActionId.LANDMARKS,
        *(ActionId.NUDGE_LEFT, ActionId.NUDGE_RIGHT, ActionId.NUDGE_UP, ActionId.NUDGE_DOWN),
        *(ActionId.NUDGE_ANTICLOCKWISE, ActionId.NUDGE_CLOCKWISE),
        *(ActionId.SIDE_BY_SIDE, ActionId.FLICKER, ActionId.SWIPE, ActionId.BLEND),
    )
    return {**dict.fromkeys(with_pair, pair), **enabled}


@dataclass(frozen=True, slots=True)
class LandmarksShown:
    """The strip of landmarks. `marks`: per landmark its number, its own distance or what it misses; `chosen` its place."""

    setting: bool
    prompt: str
    marks: tuple[tuple[str, str], ...]
    chosen: int | None
    verdict: str
    trouble: bool
    bend: bool
    can_bend: bool


def resolve_landmarks(state: State) -> LandmarksShown:
    """What the strip of landmarks shows."""
    registration = state.registration
    landmarks, alignment, error = registration.landmarks, registration.alignment, registration.error
    um_per_px = resolve_pane(state, Stain.IHC).um_per_px
    complete = len(landmarks.complete)
    residuals = dict(zip(landmarks.complete, residuals_px(landmarks, alignment), strict=False))
    told = alignment is not None and _tells_of(alignment, complete)

    def words(index: int) -> str:
        missing = landmarks.marks[index].missing
        if missing is not None:
            return f"click it in the {missing.caption}"
        return distance_words(residuals[index], um_per_px) if index in residuals and told else ""

    marks = tuple((str(index + 1), words(index)) for index in range(len(landmarks.marks)))
    return LandmarksShown(
        setting=registration.setting,
        prompt=_prompt(landmarks),
        marks=marks,
        chosen=landmarks.chosen,
        verdict=_sentence(str(error)) if error is not None else _verdict(complete, alignment),
        trouble=error is not None or (alignment is not None and alignment.poor),
        bend=landmarks.bend,
        can_bend=complete >= _FEWEST_OVER,
    )


def _tells_of(alignment: Alignment, complete: int) -> bool:
    """Whether the distance that an alignment leaves at landmarks says how good it is.

    One that was made to go through all of them leaves none, and an assumption was never meant to fit.
    """
    if alignment.origin == "landmarks":
        return complete >= _FEWEST_OVER and alignment.warp is None
    return alignment.origin != "assumed"


def residuals_px(landmarks: Landmarks, alignment: Alignment | None) -> list[float]:
    """Per complete landmark, how far the alignment leaves its H&E spot from its IHC spot, level-0 px of the IHC."""
    if alignment is None or not landmarks.complete:
        return []
    away = alignment.to_ihc(landmarks.points(Stain.HE)) - landmarks.points(Stain.IHC)
    return [float(distance) for distance in np.hypot(away[:, 0], away[:, 1])]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _prompt(landmarks: Landmarks) -> str:
    wanted = landmarks.wanted
    if wanted is not None:
        return f"Now click the same spot in the {wanted.caption} image"
    if not landmarks.marks:
        return "Click a spot that you recognise in both images, first in one, then in the other"
    return "Click another spot, or drag a mark to where it belongs"


def _verdict(complete: int, alignment: Alignment | None) -> str:
    if complete < 2:
        return f"{2 - complete} more {'landmark' if complete == 1 else 'landmarks'} to align the images"
    if alignment is None or alignment.origin != "landmarks":
        return ""
    if complete == 2:
        return "Shift, rotation and scale from 2 landmarks; a third one shows how well they fit"
    if complete < _FEWEST_OVER:
        return "An affine map from 3 landmarks; a fourth one shows how well they fit"
    kind = "bent through them" if alignment.warp is not None else "affine"
    off = alignment_distance(alignment)
    words = f"{complete} landmarks, {kind}" + (f", {off} off" if off else "")
    return f"{words}: they do not fit together, look at those that are farthest off" if alignment.poor else words

"""The scale of the images on screen: the one way in which everything asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from her2viewer.gui.scale.typed import TYPED_ORIGIN
from her2viewer.gui.state import State
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.stains import Stain

NO_SCALE = "No scale is known; click 'no scale known' and type it."
"""Why what needs a scale is not possible, and what to do."""


def resolve_mpp(state: State, stain: Stain) -> PixelSize | None:
    """Micrometres per level-0 pixel of a stain's image: what the user typed, otherwise what the file says, or None."""
    image = state.image(stain)
    if image is None:
        return None
    return state.scales.of(image.source) or image.source.mpp


def resolve_scales(state: State) -> Mapping[Stain, PixelSize | None]:
    """The same for both stains."""
    return {stain: resolve_mpp(state, stain) for stain in Stain}


@dataclass(frozen=True, slots=True)
class ScaleShown:
    """The scale in a pane's header. `text` is empty where there is no image; `more` says where the figure is from.

    `short` is for a pane with little room.
    """

    text: str
    short: str
    more: str


def resolve_scale(state: State, stain: Stain) -> ScaleShown:
    """What a pane's header says of the scale."""
    mpp = resolve_mpp(state, stain)
    if state.image(stain) is None:
        return ScaleShown("", "", "")
    if mpp is None:
        more = "No scale is known: the file names no pixel size that can be trusted. Click to type it."
        return ScaleShown("no scale known", "no scale", more)
    typed = mpp.origin == TYPED_ORIGIN
    figure = f"{mpp.um:.3g} µm"
    source = "Typed by you" if typed else f"From the file ({mpp.origin})"
    return ScaleShown(f"{figure}/px{', typed' if typed else ''}", figure, f"{source}. Click to change it.")

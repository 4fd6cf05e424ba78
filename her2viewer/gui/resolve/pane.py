"""What a pane shows: its image, and what is made of the pixels. Pure."""

from dataclasses import dataclass

from her2viewer.cases.names import without_label
from her2viewer.errors import UserError
from her2viewer.gui.cases.shown import veiled
from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import OpenedImage, State
from her2viewer.gui.what_if.resolve import what_if_colouring
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class PaneShown:
    """One pane: the image, its header (`more` is for who asks), and what stands in its way."""

    image: OpenedImage | None
    name: str
    info: str
    more: str
    um_per_px: float | None
    opening: str
    error: UserError | None


def resolve_pane(state: State, stain: Stain) -> PaneShown:
    """What a stain's pane shows."""
    slot = state.slots[stain]
    hidden = state.model_hidden
    opening = f"Opening {without_label(slot.opening.name) if state.readings.blind else slot.opening.name}" if slot.opening else ""
    if slot.image is None:
        return PaneShown(None, "", "", "", None, opening, slot.error)
    source = slot.image.source
    width, height = source.size
    mpp = resolve_mpp(state, stain)
    notes = tuple(source.notes)
    return PaneShown(
        slot.image,
        without_label(source.path.name) if hidden else source.path.name,
        f"{width} x {height} px{', converted' if notes else ''}",
        "\n".join((str(veiled(source.path) if hidden else source.path), f"{source.format}, {width} x {height} px", *notes)),
        mpp.um if mpp is not None else None,
        opening,
        slot.error,
    )


def resolve_colouring(state: State, stain: Stain) -> Colouring:
    """What a stain's pane makes of its pixels: its stain view, or the DAB of the IHC varied."""
    varied = what_if_colouring(state) if stain is Stain.IHC else None
    if varied is not None:
        return varied
    image = state.image(stain)
    return state.stain_viewing.colouring(stain, image.source) if image is not None else ORIGINAL

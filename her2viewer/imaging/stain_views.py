"""The four ways to look at a stained picture, what they are called, and what they must not be taken for."""

from enum import StrEnum
from typing import Final

from her2viewer.imaging.separation import Component, separated
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_vectors import Dyes, StainVectors


class StainView(StrEnum):
    """What a pane shows, in the order of the keys 1 to 4. SECOND is eosin or DAB, as the slide has it."""

    ORIGINAL = "original"
    HAEMATOXYLIN = "haematoxylin"
    SECOND = "second"
    RESIDUAL = "residual"

    @property
    def component(self) -> Component | None:
        """Which row of the stain vectors it shows; None for the picture as it is."""
        return _COMPONENTS[self]


_COMPONENTS: Final[dict[StainView, Component | None]] = {
    StainView.ORIGINAL: None,
    StainView.HAEMATOXYLIN: 0,
    StainView.SECOND: 1,
    StainView.RESIDUAL: 2,
}

_LIMITS: Final = {
    "haematoxylin": "Haematoxylin binds to more than DNA and is washed out by eye: its density is no amount of DNA.",
    "eosin": "Eosin binds to most proteins and its density follows section thickness and washing: it is no amount of protein.",
    "DAB": "DAB is a precipitate that scatters light, and its density does not grow in step with the antigen: it is no amount of "
    "HER2.",
    "residual": "The residual is what the two vectors leave over: pigment, ink, folds, or vectors that do not fit. It is no dye.",
}
"""DAB: van der Loos, "Multiple immunoenzyme staining", J Histochem Cytochem 56, 2008. H&E is not stoichiometric."""


def view_name(view: StainView, dyes: Dyes) -> str:
    """What the view is called on a slide with these dyes: 'Original', 'Haematoxylin', 'Eosin' or 'DAB', 'Residual'."""
    word = dyes.value[1] if view is StainView.SECOND else view.value
    return word[0].upper() + word[1:]


def caption(view: StainView, vectors: StainVectors) -> str:
    """What the pane says of its picture: 'DAB, separated by Ruifrok-Johnston vectors: not quantitative'."""
    name = view_name(view, vectors.dyes)
    if view.component is None:
        return name
    return f"{name}, separated by {vectors.origin} vectors: not quantitative"


def limits(view: StainView, dyes: Dyes) -> str:
    """Why the view is not quantitative, in a sentence or two; empty for the picture as it is."""
    if view.component is None:
        return ""
    return _LIMITS[dyes.value[1] if view is StainView.SECOND else view.value]


def picture_in(view: StainView, image: RGBImage, vectors: StainVectors) -> RGBImage:
    """The image in this view: (h, w, 3) uint8 RGB. The original is the very array that came in."""
    return image if view.component is None else separated(image, vectors, view.component)

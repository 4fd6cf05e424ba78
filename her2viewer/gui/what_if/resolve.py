"""From the state to the section 'What if' and to the picture of the IHC. Pure."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from her2viewer.gui.pane.colouring import Colouring
from her2viewer.gui.panels.probabilities import figure
from her2viewer.gui.state import State
from her2viewer.imaging.separation import remixed
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_vectors import StainVectors
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.what_if import WhatIf

STEPS: Final = 100
"""Of the slider, in one time the DAB."""


@dataclass(frozen=True, slots=True)
class WhatIfShown:
    """The section. `said`: what the model says at `factor`; `words`: where the borders lie, or what stands in the way."""

    can: bool
    on: bool
    factor: float
    fraction: float | None
    found: WhatIf | None
    said: str
    words: str


def can_vary(state: State) -> bool:
    """Whether there is a score that rests on an IHC, and the stain vectors of that image."""
    evidence = state.scoring.evidence
    return evidence is not None and Stain.IHC in evidence.layout.order and dab_vectors(state) is not None


def dab_vectors(state: State) -> StainVectors | None:
    """The stain vectors of the IHC by the wish of now; None while they are being found."""
    image = state.image(Stain.IHC)
    return state.stain_viewing.vectors(Stain.IHC, image.source) if image is not None else None


def resolve_what_if(state: State) -> WhatIfShown:
    """What the section shows."""
    wish = state.what_if
    progress, found = wish.progress, wish.found
    said, words = "", ""
    if wish.error is not None:
        words = str(wish.error)
    elif found is not None:
        said, words = said_at(found, wish.factor), found.words
    elif wish.on:
        words = "Scoring the field with weaker and stronger DAB."
    fraction = progress.done / progress.total if progress is not None and progress.total else None
    return WhatIfShown(can_vary(state), wish.on, wish.factor, fraction, found, said, words)


def said_at(found: WhatIf, factor: float) -> str:
    """'With 1.25 times the DAB: 3+ (3+ 71.0%, 2+ 25.2%)': the score and the two likeliest classes."""
    shares = found.probabilities_at(factor)
    order = sorted(range(len(shares)), key=lambda i: -shares[i])[:2]
    likeliest = ", ".join(f"{found.classes[i]}\N{NO-BREAK SPACE}{figure(shares[i])}" for i in order)
    amount = _amount(factor)
    return f"{amount[0].upper()}{amount[1:]}: {found.score_at(factor)} ({likeliest})"


def what_if_colouring(state: State) -> Colouring | None:
    """What the IHC's pane makes of its pixels; None where they are shown as they are, or in a stain view."""
    wish, vectors = state.what_if, dab_vectors(state)
    if not wish.on or wish.painted == 1 or vectors is None:
        return None
    words = f"DAB x {wish.painted:.2f}"
    return Colouring(
        ("what if", vectors, wish.painted),
        partial(_restained, vectors, wish.painted),
        words,
        f"Altered: {words}, not the slide",
        f"{words}, separated by {vectors.origin} vectors and mixed again by Beer-Lambert. Haematoxylin and background are "
        "as they were. A stronger stain of the laboratory would also spread: this is arithmetic, not staining.",
    )


def _restained(vectors: StainVectors, factor: float, image: RGBImage) -> RGBImage:
    return remixed(image, vectors, 1, factor)


def _amount(factor: float) -> str:
    if factor == 0:
        return "without DAB"
    return "with its own DAB" if factor == 1 else f"with {factor:.2f} times the DAB"

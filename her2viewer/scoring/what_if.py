"""What if the DAB were weaker or stronger: the score and its probabilities along that, and where the borders lie.

The pixels of the field are stained anew (`imaging.separation.remixed`) and composed again, not the composed input: light
adds up when pixels are averaged, density does not, and a cell of the input averages membranes with what lies between them.
The H&E is left as it was scored. It asks how the model answers, not how a laboratory would: a stronger stain also spreads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import Cancelled, ImageError
from her2viewer.imaging.separation import remixed
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_estimation import usual_vectors
from her2viewer.imaging.stain_vectors import Dyes, StainVectors
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.preprocess import InputLayout, NetworkInput, compose
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.watching import never, unwatched

FACTORS: Final = tuple(i / 5 for i in range(16))
"""Times the field's own DAB, 0 to 3; 1 is among them."""
CLOSE: Final = 0.01
"""To what a border is known, in times of the DAB."""

_DAB: Final = 1
_BATCH: Final = 4
"""Pictures in one pass: enough for the network's speed, few enough to stop soon."""


@dataclass(frozen=True, slots=True)
class Border:
    """Where the score changes: `below` for less DAB than `factor` times the field's own, `above` for more."""

    factor: float
    below: str
    above: str


@dataclass(frozen=True, eq=False, slots=True)
class WhatIf:
    """A field's probabilities along the strength of its DAB.

    factors: (n,) float64, ascending, the grid and what was looked at to find the borders; probabilities: (n, classes)
    float64, calibrated, in the order of `classes`; score: at 1, the field as it is. borders: in order, each to `CLOSE`.
    vectors: those the DAB was told apart by.
    """

    classes: tuple[str, ...]
    score: str
    factors: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    borders: tuple[Border, ...]
    vectors: StainVectors

    def __post_init__(self) -> None:
        self.factors.setflags(write=False)
        self.probabilities.setflags(write=False)

    def probabilities_at(self, factor: float) -> tuple[float, ...]:
        """(classes) linear between the factors that were looked at; they sum to 1."""
        return tuple(float(np.interp(factor, self.factors, column)) for column in self.probabilities.T)

    def score_at(self, factor: float) -> str:
        """The score on this side of the borders."""
        passed = [border for border in self.borders if border.factor <= factor]
        if passed:
            return passed[-1].above
        return self.borders[0].below if self.borders else self.score

    @property
    def reach(self) -> tuple[Border | None, Border | None]:
        """The borders next to the field as it is: the one with less DAB, the one with more."""
        less = [border for border in self.borders if border.factor <= 1]
        more = [border for border in self.borders if border.factor > 1]
        return (less[-1] if less else None), (more[0] if more else None)

    @property
    def words(self) -> str:
        """'The score stays 2+ from 0.74 to 1.62 times the DAB of this field; with less it is 1+, with more 3+.'"""
        less, more = self.reach
        if less is not None and more is not None:
            return (
                f"The score stays {self.score} from {less.factor:.2f} to {more.factor:.2f} times the DAB of this field; "
                f"with less it is {less.below}, with more {more.above}."
            )
        if less is not None:
            return (
                f"The score stays {self.score} from {less.factor:.2f} to {self.factors[-1]:g} times the DAB of this field; "
                f"with less it is {less.below}."
            )
        if more is not None:
            return (
                f"The score stays {self.score} up to {more.factor:.2f} times the DAB of this field; with more it is "
                f"{more.above}."
            )
        return f"The score is {self.score} from no DAB at all to {self.factors[-1]:g} times as much as this field has."


def what_if(
    scorer: FieldScorer,
    field: FieldPixels,
    evidence: Evidence,
    *,
    vectors: StainVectors | None = None,
    factors: Sequence[float] = FACTORS,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unwatched,
) -> WhatIf:
    """Scores a field with its DAB made weaker and stronger, and halves each step of the score until it is known to `CLOSE`.

    field: the pixels that `evidence` was made from; of them only the IHC is looked at. vectors: None for the usual ones of
    the field. factors: ascending, 1 among them. progress: pictures done, and how many there are as far as is known. Raises
    Cancelled between two passes, ImageError where the model does not look at the IHC.
    """
    layout = evidence.layout
    if Stain.IHC not in layout.order or Stain.IHC not in field.pixels:
        raise ImageError(
            "there is no DAB to vary: this score does not rest on an IHC image", remedy="score a pair with its IHC"
        )
    if 1 not in factors or list(factors) != sorted(set(factors)):
        raise ValueError("factors must ascend, and 1 must be among them")
    image, classes = field.pixels[Stain.IHC], evidence.prediction.classes
    told = vectors if vectors is not None else usual_vectors(image, Dyes.HAEMATOXYLIN_DAB)
    found: dict[float, NDArray[np.float64]] = {}

    def look(wanted: Sequence[float]) -> None:
        for first in range(0, len(wanted), _BATCH):
            inputs = []
            for factor in wanted[first : first + _BATCH]:
                if cancelled():
                    raise Cancelled
                inputs.append(_composed(remixed(image, told, _DAB, factor), evidence.network_input, layout))
            found.update(zip(wanted[first : first + _BATCH], scorer.probabilities(inputs), strict=True))
            progress(len(found), len(found) + len(wanted[first + _BATCH :]))

    look(list(factors))
    while middles := [(a + b) / 2 for a, b in _changes(found) if b - a > CLOSE]:
        look(middles)
    borders = tuple(
        Border((a + b) / 2, classes[int(found[a].argmax())], classes[int(found[b].argmax())])
        for a, b in _changes(found)
    )
    ascending = sorted(found)
    score = classes[int(found[1].argmax())]
    return WhatIf(classes, score, np.array(ascending), np.stack([found[f] for f in ascending]), borders, told)


def _changes(found: dict[float, NDArray[np.float64]]) -> list[tuple[float, float]]:
    """Neighbouring factors between which the score changes."""
    return [(a, b) for a, b in pairwise(sorted(found)) if found[a].argmax() != found[b].argmax()]


def _composed(ihc: RGBImage, network_input: NetworkInput, layout: InputLayout) -> NetworkInput:
    """A composed picture with another IHC in its cell: what `compose` makes of both, the H&E being as it was."""
    x, y, width, height = layout.cell(Stain.IHC)
    alone = layout.model_copy(update={"order": (Stain.IHC,), "optional": (), "width": width, "height": height})
    out = network_input.copy()
    out[y : y + height, x : x + width] = compose({Stain.IHC: ihc}, alone)
    return out

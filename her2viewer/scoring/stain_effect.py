"""What the model would say without one of the stains: how much of the score each image carries. No torch, no Qt."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from her2viewer.scoring.preprocess import InputLayout, NetworkInput, empty_glass, mean_colour
from her2viewer.scoring.stains import Stain

StainChange = Literal["missing", "blank"]
"""'missing': the stain is not given, which only a model trained to do without it is asked; 'blank': its image is empty glass."""

_WORDS: Final[dict[StainChange, str]] = {
    "missing": "Without the {} image",
    "blank": "With empty glass for the {} image",
}


@dataclass(frozen=True, slots=True)
class StainEffect:
    """One stain's share in a score: the calibrated probabilities of `classes` before and after it was taken away.

    It is what this model does, not what the tissue is: a network that never saw such an input may say anything of it.
    """

    stain: Stain
    change: StainChange
    classes: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    @property
    def moved(self) -> tuple[float, ...]:
        """By how much each class's probability moved, -1 to 1; they add up to 0."""
        return tuple(after - before for before, after in zip(self.before, self.after, strict=True))

    @property
    def share_moved(self) -> float:
        """How much probability moved from some classes to others: half the sum of |moved|, 0 to 1 (total variation)."""
        return sum(abs(step) for step in self.moved) / 2

    @property
    def score_before(self) -> str:
        return self.classes[int(np.argmax(self.before))]

    @property
    def score_after(self) -> str:
        return self.classes[int(np.argmax(self.after))]

    @property
    def words(self) -> str:
        """One sentence: 'Without the H&E image the score stays 2+ (probability of 2+ from 70% to 64%).'"""
        subject = _WORDS[self.change].format(self.stain.caption)
        score, after = self.score_before, self.score_after
        index = self.classes.index(score)
        turns = f"stays {score}" if after == score else f"turns from {score} to {after}"
        return (
            f"{subject} the score {turns} (probability of {score} from {self.before[index]:.0%} to "
            f"{self.after[index]:.0%})."
        )


def inputs_without(network_input: NetworkInput, layout: InputLayout) -> list[tuple[Stain, StainChange, NetworkInput]]:
    """The composed picture with each stain taken away in each way that makes sense for the model.

    A stain that the layout lets be missing is left out as `compose` leaves it out; each is also swapped for a blank.
    """
    found: list[tuple[Stain, StainChange, NetworkInput]] = []
    for stain in layout.order:
        x, y, width, height = layout.cell(stain)
        changes: tuple[StainChange, ...] = ("missing", "blank") if stain in layout.optional else ("blank",)
        for change in changes:
            changed = network_input.copy()
            colour = mean_colour(layout) if change == "missing" else empty_glass(layout)
            changed[y : y + height, x : x + width] = colour
            found.append((stain, change, changed))
    return found

"""A map of a finer grid than the score's own, and whether it is still of that score. No torch."""

from dataclasses import dataclass

import numpy as np

from her2viewer.scoring.attribution.attribution import Attribution


@dataclass(frozen=True, eq=False, slots=True)
class FineMap:
    """A map from the field seen at `scale` times the model's input size, and whether the model says the same of it there.

    The network is convolutional, so a larger picture gives the same stage a finer grid. But everything in it is then larger
    than what the network was trained on, and it may say something else: `plain` are its calibrated probabilities of
    `classes` at its own size, `fine` those at this one. Where they do not agree, the map explains another score than the
    one shown.
    """

    attribution: Attribution
    scale: int
    classes: tuple[str, ...]
    plain: tuple[float, ...]
    fine: tuple[float, ...]

    @property
    def share_moved(self) -> float:
        """How much probability moved from some classes to others: half the sum of differences, 0 to 1 (total variation)."""
        return sum(abs(fine - plain) for plain, fine in zip(self.plain, self.fine, strict=True)) / 2

    @property
    def agrees(self) -> bool:
        """Whether the score is the same at both sizes."""
        return int(np.argmax(self.plain)) == int(np.argmax(self.fine))

    @property
    def words(self) -> str:
        """One sentence: how far the fine map can be taken for one of the score on screen."""
        score, other = (self.classes[int(np.argmax(row))] for row in (self.plain, self.fine))
        seen = f"At {self.scale} times its input size, at which it was not trained, the model"
        if self.agrees:
            return f"{seen} says {score} as well ({self.share_moved:.0%} of the probability moved)."
        return f"{seen} says {other}, not {score}: this map explains another score than the one shown."

"""Spots of the tissue that the user has shown in both images. Plain values; nothing here knows a widget."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from her2viewer.imaging.affine import Points
from her2viewer.scoring.stains import Stain

Spot = tuple[float, float]
"""Level-0 px (x, y) of one image."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """One spot in each image; None where it has not been shown yet."""

    he: Spot | None = None
    ihc: Spot | None = None

    def at(self, stain: Stain) -> Spot | None:
        """Where it is in a stain's image."""
        return self.he if stain is Stain.HE else self.ihc

    def placed(self, stain: Stain, at: Spot) -> "Landmark":
        """The same with its spot in one image set."""
        return replace(self, he=at) if stain is Stain.HE else replace(self, ihc=at)

    @property
    def missing(self) -> Stain | None:
        """The image in which it has not been shown; None where it has been in both."""
        if self.ihc is None:
            return Stain.IHC
        return Stain.HE if self.he is None else None


@dataclass(frozen=True, slots=True)
class Landmarks:
    """All of a pair, in the order they were set. `chosen` is the place of the one that Delete takes; `bend`: a thin plate."""

    marks: tuple[Landmark, ...] = ()
    chosen: int | None = None
    bend: bool = False

    def placed(self, stain: Stain, at: Spot) -> "Landmarks":
        """A click: it completes the first landmark that misses its spot in this image, or begins another."""
        for index, mark in enumerate(self.marks):
            if mark.at(stain) is None:
                return self.moved(index, stain, at)
        return replace(self, marks=(*self.marks, Landmark().placed(stain, at)), chosen=len(self.marks))

    def moved(self, index: int, stain: Stain, at: Spot) -> "Landmarks":
        """One landmark's spot in one image elsewhere."""
        marks = list(self.marks)
        marks[index] = marks[index].placed(stain, at)
        return replace(self, marks=tuple(marks), chosen=index)

    def without_chosen(self) -> "Landmarks":
        """The chosen one is deleted; those behind it move up and the next is chosen."""
        if self.chosen is None:
            return self
        marks = self.marks[: self.chosen] + self.marks[self.chosen + 1 :]
        return replace(self, marks=marks, chosen=min(self.chosen, len(marks) - 1) if marks else None)

    def swapped(self) -> "Landmarks":
        """The same spots after the two images changed places."""
        return replace(self, marks=tuple(Landmark(mark.ihc, mark.he) for mark in self.marks))

    @property
    def complete(self) -> tuple[int, ...]:
        """The places of those that are in both images."""
        return tuple(index for index, mark in enumerate(self.marks) if mark.missing is None)

    def points(self, stain: Stain) -> Points:
        """(n, 2) level-0 px of the complete ones in a stain's image."""
        spots = [self.marks[index].at(stain) for index in self.complete]
        return np.array(spots, np.float64).reshape(-1, 2)

    @property
    def wanted(self) -> Stain | None:
        """The image in which the landmark that was begun is still to be shown; None where either may be clicked."""
        return next((mark.missing for mark in self.marks if mark.missing is not None), None)


def nearest(landmarks: Landmarks, stain: Stain, distance: Callable[[Spot], float], reach: float) -> int | None:
    """The landmark whose spot in a stain's image is nearest and within reach, as `distance` measures it."""
    spots = [(index, mark.at(stain)) for index, mark in enumerate(landmarks.marks)]
    near = [(distance(spot), index) for index, spot in spots if spot is not None]
    best = min(near, default=None)
    return best[1] if best is not None and best[0] <= reach else None

"""What the guard found: every check with its figure, not only those that failed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from her2viewer.scoring.prediction import Check
from her2viewer.scoring.stains import Stain

NO_CALL_CHECKS: Final = frozenset({"stains_swapped", "no_tissue", "not_histology"})
"""Checks after which a score means nothing."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One check that was made, passed or not.

    name: what it is called in files when it fails; stain: the image it looked at, or None for the pair; title: what was
    measured, for a table; at_least: whether the figure passes from the threshold upwards, or else up to it; message: what is
    wrong and what to do, said where it fails.
    """

    name: str
    stain: Stain | None
    title: str
    figure: float
    threshold: float
    at_least: bool
    message: str

    @property
    def passed(self) -> bool:
        return self.figure >= self.threshold if self.at_least else self.figure <= self.threshold

    @property
    def stops_the_score(self) -> bool:
        """Whether the score means nothing where this fails."""
        return self.name in NO_CALL_CHECKS

    @property
    def check(self) -> Check:
        """As a prediction carries it, once it failed."""
        return Check(self.name, self.figure, self.threshold, self.message)


@dataclass(frozen=True, slots=True)
class GuardReport:
    """All checks made on a field, in the order in which they are told."""

    examined: tuple[Examined, ...] = ()

    @classmethod
    def of(cls, parts: Iterable[Iterable[Examined]]) -> "GuardReport":
        return cls(tuple(one for part in parts for one in part))

    @property
    def failed(self) -> tuple[Examined, ...]:
        return tuple(one for one in self.examined if not one.passed)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Those that failed, as a prediction carries them."""
        return tuple(one.check for one in self.failed)

    @property
    def summary(self) -> str:
        """For the window: '12 of 12 checks passed'."""
        return f"{len(self.examined) - len(self.failed)} of {len(self.examined)} checks passed"

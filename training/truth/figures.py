"""What the pairs of a run add up to: each map's figures with intervals, and the map that they speak for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.stains import Stain
from training.evaluation.figures import Figure, Resampling, wilson, FEW
from training.phantom.rule import CLASSES
from training.truth.maps import CENTRE, DAB, DAB_ABOVE, FREE, MapName
from training.truth.rows import MapRow, PairRow

ALL: Final = "all pairs"
RIGHT: Final = "scored right"
POSITIVE: Final = CLASSES[1:]

FIGURES: Final = ("pointing", "mass", "rank", "overall")
"""overall: the mean of the other three, pair by pair; what maps are ordered by."""

RIVALS: Final = (DAB, DAB_ABOVE, CENTRE)
"""What each map is set against, pair by pair."""

_SETS: Final[Mapping[str, Callable[[PairRow], bool]]] = {
    ALL: lambda row: True,
    RIGHT: lambda row: row.said == row.label,
    **{f"{RIGHT}, {name}": lambda row, name=name: row.said == row.label == name for name in POSITIVE},  # type: ignore[misc]
}


@dataclass(frozen=True, slots=True)
class Line:
    """One map on one stain over one set of pairs. less: its figures less a rival's on the same pairs, by rival and figure."""

    name: MapName
    stain: str
    pairs: str
    figures: dict[str, Figure]
    less: dict[str, dict[str, Figure]]

    @property
    def overall(self) -> float:
        """0 where no pair is in the set."""
        return self.figures["overall"].value or 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much positive evidence a map holds: medians over pairs of class 0 and over the others, in the method's unit.

    blank: the share of all pairs whose map has none. ihc_share: mean share of the evidence that lies on the IHC, None where the model
    takes one stain. seconds are not told apart by map.
    """

    name: MapName
    negative: float | None
    positive: float | None
    blank: float
    ihc_share: float | None


@dataclass(frozen=True, slots=True)
class Truth:
    """One model's figures. stain: the one that maps are ordered by. chosen: see `chosen_map`; best: the highest of the quick ones.

    area, near: the mean share of that stain's image that deciding cells cover, and with the tolerance around them, over the pairs
    scored right; what chance would get.
    """

    model: str
    pairs: int
    right: int
    judged: int
    stain: str
    area: float
    near: float
    seconds: float
    lines: tuple[Line, ...]
    evidence: tuple[Evidence, ...]
    best: MapName | None
    chosen: MapName

    def line(self, name: MapName, pairs: str = RIGHT, stain: str | None = None) -> Line | None:
        """A map's figures, on the stain that maps are ordered by unless another is named."""
        asked = (name, pairs, stain or self.stain)
        return next((line for line in self.lines if (line.name, line.pairs, line.stain) == asked), None)

    def ordered(self, pairs: str = RIGHT) -> list[Line]:
        """All maps on that stain, the best first."""
        mine = [line for line in self.lines if line.pairs == pairs and line.stain == self.stain]
        return sorted(mine, key=lambda line: -line.overall)


def truth_of(rows: Sequence[PairRow]) -> Truth:
    """The figures of one model's rows. Pairs of class 0 have no deciding cells: they count for `Evidence` alone."""
    (model,) = {row.model for row in rows}
    judged = [row for row in rows if row.area]
    names = list(dict.fromkeys(one.name for row in rows for one in row.maps))
    stains = list(dict.fromkeys(stain for row in judged for one in row.maps for stain in one.marks))
    stain = str(Stain.IHC) if str(Stain.IHC) in stains or not stains else stains[0]
    lines = []
    for pairs, belongs in _SETS.items():
        members = [row for row in judged if belongs(row)]
        for one in stains:
            lines += _lines(names, one, pairs, members)
    best, chosen = chosen_map([line for line in lines if line.pairs == RIGHT and line.stain == stain])
    right = [row for row in judged if row.said == row.label]
    return Truth(
        model=model,
        pairs=len(rows),
        right=sum(row.said == row.label for row in rows),
        judged=len(judged),
        stain=stain,
        area=_mean([row.area[stain] for row in right if stain in row.area]),
        near=_mean([row.near[stain] for row in right if stain in row.near]),
        seconds=_mean([row.seconds for row in rows]),
        lines=tuple(lines),
        evidence=tuple(_evidence(name, rows) for name in names if not name.is_baseline),
        best=best,
        chosen=chosen,
    )

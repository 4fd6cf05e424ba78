"""What the pairs of a run add up to: each map's figures with intervals, and the map that they speak for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.rule import CLASSES
from her2viewer.scoring.stains import Stain
from training.evaluation.figures import FEWEST, Figure, Resampling
from training.truth.maps import CENTRE, DAB, DAB_ABOVE, FREE, MapName
from training.truth.metrics import Marks
from training.truth.rows import PairRow

ALL: Final = "all pairs"
RIGHT: Final = "scored right"

FIGURES: Final = ("pointing", "mass", "rank", "overall")
"""overall: the mean of the other three, pair by pair; what maps are ordered by."""

RIVALS: Final = (MapName(DAB), MapName(DAB_ABOVE), MapName(CENTRE), FREE)
"""What each map is set against, pair by pair."""


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
class Amounts:
    """How much positive evidence a map holds: medians over the pairs of class 0 and over the others, in the method's unit.

    blank: the share of all pairs whose map has none. ihc_share: the mean share of it that lies on the IHC, None where the model
    takes one stain. same_score: of a map at a larger scale, the share of pairs of which the model says the same there.
    pairs: how many have this map.
    """

    name: MapName
    of_zero: float | None
    of_others: float | None
    blank: float
    ihc_share: float | None
    same_score: float | None
    pairs: int


@dataclass(frozen=True, slots=True)
class Truth:
    """One model's figures. stain: the one that maps are ordered by. best, chosen: see `chosen_map`.

    pairs, right: how many there are, and how many were scored right; judged, judged_right: those of them that have deciding
    cells. area, near: the mean share of that stain's image that these cells cover, and with the tolerance around them, over
    the pairs of `judged_right`: what chance would get. seconds: a pair, for scoring and maps.
    """

    model: str
    pairs: int
    right: int
    judged: int
    judged_right: int
    stain: str
    area: float
    near: float
    seconds: float
    lines: tuple[Line, ...]
    amounts: tuple[Amounts, ...]
    best: MapName | None
    chosen: MapName

    def line(self, name: MapName, pairs: str = RIGHT, stain: str | None = None) -> Line | None:
        """A map's figures, on the stain that maps are ordered by unless another is named."""
        asked = (name, pairs, stain or self.stain)
        return next((line for line in self.lines if (line.name, line.pairs, line.stain) == asked), None)

    def ordered(self, pairs: str = RIGHT) -> list[Line]:
        """All maps on that stain, the best first; without those made of too few pairs to say anything."""
        mine = [line for line in self.lines if line.pairs == pairs and line.stain == self.stain]
        mine = [line for line in mine if line.figures["overall"].fields >= FEWEST]
        return sorted(mine, key=lambda line: -line.overall)


def of_class(label: str) -> str:
    """The set of the pairs of a class that were scored right."""
    return f"{RIGHT}, {label}"


def truth_of(rows: Sequence[PairRow]) -> Truth:
    """The figures of one model's rows. Pairs of class 0 have no deciding cells: they count for `amounts` alone."""
    (model,) = {row.model for row in rows}
    judged = [row for row in rows if row.area]
    names = list(dict.fromkeys(one.name for row in rows for one in row.maps))
    stains = list(dict.fromkeys(stain for row in judged for one in row.maps for stain in one.marks))
    stain = str(Stain.IHC) if str(Stain.IHC) in stains or not stains else stains[0]
    lines = []
    right = [row for row in judged if row.said == row.label]
    sets = {ALL: judged, RIGHT: right}
    sets |= {of_class(label): [row for row in right if row.label == label] for label in CLASSES[1:]}
    for pairs, members in sets.items():
        for one in stains:
            lines += _lines(names, one, pairs, members)
    best, chosen = chosen_map([line for line in lines if line.pairs == RIGHT and line.stain == stain])
    return Truth(
        model=model,
        pairs=len(rows),
        right=sum(row.said == row.label for row in rows),
        judged=len(judged),
        judged_right=len(right),
        stain=stain,
        area=_mean([row.area[stain] for row in right if stain in row.area]),
        near=_mean([row.near[stain] for row in right if stain in row.near]),
        seconds=_mean([row.seconds for row in rows]),
        lines=tuple(lines),
        amounts=tuple(_amounts(name, rows) for name in names if not name.is_baseline),
        best=best,
        chosen=chosen,
    )


def chosen_map(lines: Sequence[Line]) -> tuple[MapName | None, MapName]:
    """The best of the quick maps by the overall figure, and the one to show first.

    That is the one that comes with every score and costs nothing, unless the best is better than it beyond its interval, pair by
    pair. lines: of one stain and one set of pairs. The best is None where there is no line to choose from.
    """
    quick = [line for line in lines if line.name.can_be_first]
    if not quick:
        return None, FREE
    best = max(quick, key=lambda line: line.overall)
    gain = best.less.get(str(FREE), {}).get("overall")
    return best.name, best.name if gain is not None and gain.low is not None and gain.low > 0 else FREE


def _lines(names: Sequence[MapName], stain: str, pairs: str, members: Sequence[PairRow]) -> list[Line]:
    """One line a map, over those of the pairs that have it. Maps of the same pairs see the same resamples."""
    marks = [{one.name: one.marks[stain] for one in row.maps if stain in one.marks} for row in members]
    draws: dict[int, Resampling] = {}
    found = []
    for name in names:
        having = [of_pair for of_pair in marks if name in of_pair]
        if having:
            draw = draws.setdefault(len(having), Resampling(len(having)))
            found.append(_line(name, stain, pairs, having, draw))
    return found


def _line(name: MapName, stain: str, pairs: str, having: Sequence[Mapping[MapName, Marks]], draw: Resampling) -> Line:
    mine = _columns([of_pair[name] for of_pair in having])
    rivals = {
        str(rival): _columns([of_pair[rival] for of_pair in having])
        for rival in RIVALS
        if rival != name and all(rival in of_pair for of_pair in having)
    }
    columns = {figure: mine[figure] for figure in FIGURES}
    columns |= {
        f"{figure} less {rival}": mine[figure] - its[figure] for rival, its in rivals.items() for figure in FIGURES
    }
    means = draw.means(columns)
    less = {rival: {figure: means[f"{figure} less {rival}"] for figure in FIGURES} for rival in rivals}
    # Of hits and misses alone few of either make a bootstrap too narrow.
    hits = mine["pointing"]
    pointing = draw.share("pointing", hits == 1) if np.isin(hits, (0, 1)).all() else means["pointing"]
    return Line(name, stain, pairs, {figure: means[figure] for figure in FIGURES} | {"pointing": pointing}, less)


def _columns(marks: Sequence[Marks]) -> dict[str, NDArray[np.float64]]:
    table = np.array([(one.pointing, one.mass, one.rank) for one in marks])
    return dict(zip(FIGURES, (*table.T, table.mean(axis=1)), strict=True))


def _amounts(name: MapName, rows: Sequence[PairRow]) -> Amounts:
    maps = [(row.label, one) for row in rows for one in row.maps if one.name == name]
    found = [(label, one.positive) for label, one in maps if one.positive is not None]
    of_zero = [positive for label, positive in found if label == CLASSES[0]]
    of_others = [positive for label, positive in found if label != CLASSES[0]]
    shares = [one.ihc_share for _, one in maps if one.ihc_share is not None]
    same = [float(one.same_score) for _, one in maps if one.same_score is not None]
    return Amounts(
        name,
        float(np.median(of_zero)) if of_zero else None,
        float(np.median(of_others)) if of_others else None,
        _mean([float(positive == 0) for _, positive in found]),
        _mean(shares) if shares else None,
        _mean(same) if same else None,
        len(found),
    )


def _mean(values: Sequence[float]) -> float:
    """0 for none."""
    return float(np.mean(values)) if values else 0.0

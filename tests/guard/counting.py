"""Scores wrong inputs and good pairs by the viewer's own way, and counts what the guard says of each."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from her2viewer.scoring.guard.report import GuardReport
from her2viewer.scoring.scorer import Scorer
from tests.guard.good import Good
from tests.guard.wrong import SET_ON, Wrong, wrong_inputs

HALVES: Final = (0, 1)
TOLD: Final = frozenset({"stain_missing"})
"""What is said of a good image that stands alone, and is true: no alarm."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the guard said of one input. what: its kind or source; half: 0 where thresholds may have been set on it."""

    what: str
    name: str
    half: int
    report: GuardReport

    @property
    def failed(self) -> frozenset[str]:
        return frozenset(one.name for one in self.report.failed) - TOLD

    @property
    def refused(self) -> bool:
        return any(one.stops_the_score for one in self.report.failed)


def look_at_good(scorer: Scorer, goods: Iterable[Good], progress: Callable[[str], None]) -> list[Looked]:
    """One by one, so that few pictures are held."""
    found = []
    for good in goods:
        found.append(Looked(good.source, good.name, good.half, scorer.score(good.read()).guard))
        progress(f"{good.source}: {good.name}")
    return found


def look_at_wrong(
    scorer: Scorer, goods: Sequence[Good], each: int, seed: int, progress: Callable[[str], None]
) -> list[Looked]:
    """`each` of every kind from either half of the good pairs."""
    halves = {half: [good.read for good in goods if good.half == half] for half in HALVES}
    found = []
    for wrong in wrong_inputs(halves, each, seed):
        found.append(looked_at(scorer, wrong))
        progress(f"{wrong.kind}: {wrong.number}")
    return found


def looked_at(scorer: Scorer, wrong: Wrong) -> Looked:
    return Looked(wrong.kind, f"{wrong.half}/{wrong.number}", wrong.half, scorer.score(wrong.field).guard)


def unseen(one: Looked) -> bool:
    """Whether a wrong input had no part in setting thresholds: the second half of all kinds, and all of the kinds left aside."""
    return one.half == 1 or one.what not in SET_ON


def by_what(looked: Iterable[Looked]) -> Mapping[str, list[Looked]]:
    groups: dict[str, list[Looked]] = {}
    for one in looked:
        groups.setdefault(one.what, []).append(one)
    return groups


def names_counted(looked: Iterable[Looked]) -> str:
    """'blurred 7, unfamiliar 3': which checks spoke, the most frequent first."""
    counts = Counter(name for one in looked for name in one.failed)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


Key = tuple[str, str]
"""A check's name and what it measured, without the stain."""


def key_of(name: str, title: str) -> Key:
    for caption in ("IHC HER2", "H&E"):
        title = title.replace(f"the {caption} image", "the image").replace(f"{caption} image given", "image given")
    return name, title


def figures_of(looked: Iterable[Looked]) -> Mapping[Key, list[tuple[float, float, bool]]]:
    """Per check the figures, thresholds and whether they passed, of every time it was made."""
    found: dict[Key, list[tuple[float, float, bool]]] = {}
    for one in looked:
        for made in (made for made in one.report.examined if made.name not in TOLD):
            found.setdefault(key_of(made.name, made.title), []).append((made.figure, made.threshold, made.passed))
    return found


def usual(figures: Sequence[tuple[float, float, bool]]) -> str:
    """'0.12 to 0.94': the middle 98% of a check's figures."""
    low, high = np.percentile([figure for figure, _, _ in figures], [1, 99])
    return f"{low:.3g} to {high:.3g}"

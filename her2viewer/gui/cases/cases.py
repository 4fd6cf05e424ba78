"""The cases at hand: which there are, what became of each in this session, and where paging stands. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from types import MappingProxyType

from her2viewer.cases.pair import Pair, Pairing, pair_files

CaseKey = tuple[Path, Path]
"""(H&E, IHC)."""


class CaseStatus(Enum):
    """What became of a case in this session."""

    NOT_OPENED = auto()
    SEEN = auto()
    SCORED = auto()
    NO_CALL = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case. `score` is the class of the prediction; `why` the reason of a failure or of no call."""

    status: CaseStatus = CaseStatus.NOT_OPENED
    score: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder gave: its name, the rule by which files were matched, and what was left out, a line each."""

    folder: str = ""
    rule: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cases:
    """Pairs in their order. `at` is where paging stands: the case that was asked for last, also where it failed."""

    pairs: tuple[Pair, ...] = ()
    outcomes: Mapping[CaseKey, Outcome] = field(default_factory=lambda: MappingProxyType({}))
    at: CaseKey | None = None
    found: Found = Found()
    looking: str = ""
    filter: str = ""

    def of(self, he: Path, ihc: Path) -> Pair | None:
        """The case of two files, also when their stains have been swapped."""
        return next((pair for pair in self.pairs if {pair.he, pair.ihc} == {he, ihc}), None)

    def outcome(self, pair: Pair) -> Outcome:
        return self.outcomes.get(key_of(pair), Outcome())

    def with_outcome(self, pair: Pair, outcome: Outcome) -> "Cases":
        return replace(self, outcomes=MappingProxyType({**self.outcomes, key_of(pair): outcome}))

    def with_opened(self, he: Path, ihc: Path) -> "Cases":
        """With a pair that stands now: it is listed if it was not, and paging stands at it."""
        pair = self.of(he, ihc)
        changed = self
        if pair is None:
            pair = pair_files(he, ihc)
            changed = replace(self, pairs=(*self.pairs, pair))
        if changed.outcome(pair).status in (CaseStatus.NOT_OPENED, CaseStatus.FAILED):
            changed = changed.with_outcome(pair, Outcome(CaseStatus.SEEN))
        return replace(changed, at=key_of(pair))

    def with_folder(self, name: str, pairing: Pairing) -> "Cases":
        """With the pairs of a folder; before them stays what was opened in this session."""
        listed = {key_of(pair) for pair in pairing.pairs}
        stay = (pair for pair in self.pairs if key_of(pair) in self.outcomes and key_of(pair) not in listed)
        left_out = [f"{path.name}: no partner" for path in pairing.unpaired]
        left_out += [f"{path.name}: {why}" for path, why in pairing.refused]
        return replace(
            self,
            pairs=(*stay, *pairing.pairs),
            found=Found(name, pairing.rule, tuple(left_out)),
            looking="",
            filter="",
        )


def key_of(pair: Pair) -> CaseKey:
    """What a case is known by: its two files."""
    return pair.both

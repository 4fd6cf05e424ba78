"""What was measured of an attribution, as plain frozen data for a panel and a file. No torch, no Qt."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.stains import Stain

LIMIT: Final = "This judges the map, not the score: a map can be right about a model that is wrong."


class Verdict(StrEnum):
    """What a map is worth on this field. The value is the word in files."""

    MORE = "more than chance"
    NO_MORE = "no more than chance"
    UNKNOWN = "cannot be told"
    BLANK = "blank"


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """The class's probability as the most important pixels go, and as they come (Petsiuk et al. 2018, "RISE").

    share: (n,) float64 from 0 to 1, of the pixels that were removed or brought in, the most important first; deletion, insertion:
    (n,) float64, the probability at each. Read-only.
    """

    share: NDArray[np.float64]
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]

    def __post_init__(self) -> None:
        for curve in (self.share, self.deletion, self.insertion):
            curve.setflags(write=False)

    @property
    def deletion_area(self) -> float:
        """0 to 1; the lower, the sooner the evidence was gone."""
        return float(np.trapezoid(self.deletion, self.share))

    @property
    def insertion_area(self) -> float:
        """0 to 1; the higher, the sooner the evidence was there."""
        return float(np.trapezoid(self.insertion, self.share))

    @property
    def gap(self) -> float:
        """Insertion's area less deletion's, -1 to 1: how much sooner than late the map found what the class rests on.

        Of the map turned into its negative it is the same with the other sign, so that chance lies at 0.
        """
        return self.insertion_area - self.deletion_area


@dataclass(frozen=True, eq=False, slots=True)
class Perturbation:
    """Curves of the map, of random maps as smooth as it that share nothing with it, and of a spot in the middle of each stain.

    fills: what stands in place of removed pixels, per stain, in a word.
    """

    of_map: Curves
    random: tuple[Curves, ...]
    centre: Curves
    fills: Mapping[Stain, str]

    @property
    def spread(self) -> float:
        """How far random maps' gaps lie from 0 (root mean square; their mean is 0 by symmetry, see `Curves.gap`)."""
        return float(np.sqrt(np.mean([curves.gap**2 for curves in self.random])))

    @property
    def lead(self) -> float:
        """The map's gap in spreads: Student's t with as many degrees of freedom as there are random maps."""
        return self.of_map.gap / max(self.spread, 1e-9)

    @property
    def random_area(self) -> tuple[float, float]:
        """Mean and standard deviation of the area that chance gets, be it deletion's or insertion's.

        What comes in with a map is what goes with its negative, which is as likely: both areas are of one kind.
        """
        areas = [area for one in self.random for area in (one.deletion_area, one.insertion_area)]
        return float(np.mean(areas)), float(np.std(areas, ddof=1))

    @property
    def swing(self) -> float:
        """How far the probability moved on any of the curves: where it hardly does, they tell nothing."""
        everywhere = np.concatenate(
            [curve for one in (self.of_map, self.centre, *self.random) for curve in (one.deletion, one.insertion)]
        )
        return float(everywhere.max() - everywhere.min())


@dataclass(frozen=True, slots=True)
class MembraneShare:
    """How much of a map's positive evidence in the IHC lies on DAB-stained membrane; all are shares, 0 to 1.

    area: the share of the IHC that is stained membrane, what evidence spread evenly would get. random: of each random map;
    a map without positive evidence in the IHC has 0. fine: whether the pixels can show a membrane; where they cannot, it is the
    share on DAB of any shape. threshold: DAB amount, log10 optical density. mpp: micrometres a pixel that was measured on.
    """

    of_map: float
    random: tuple[float, ...]
    centre: float
    area: float
    fine: bool
    threshold: float
    mpp: float

    @property
    def random_mean(self) -> float:
        return float(np.mean(self.random))

    @property
    def random_spread(self) -> float:
        """Standard deviation over the random maps."""
        return float(np.std(self.random, ddof=1))

    @property
    def rank(self) -> float:
        """The share of random maps that lie on less membrane than the map does, 0 to 1."""
        return float(np.mean([share < self.of_map for share in self.random]))


@dataclass(frozen=True, slots=True)
class TurnedMap:
    """The map of the turned input, turned back, beside the map. moved: the largest change of any class's probability."""

    turn: str
    correlation: float
    rank_correlation: float
    moved: float


@dataclass(frozen=True, slots=True)
class Stability:
    """What flips and turns change, which should change nothing: tissue has no upright."""

    turned: tuple[TurnedMap, ...]

    @property
    def rank_correlation(self) -> float:
        """The median over the turns."""
        return float(np.median([one.rank_correlation for one in self.turned]))

    @property
    def moved(self) -> float:
        """The most that any class's probability moved at any turn."""
        return max(one.moved for one in self.turned)


@dataclass(frozen=True, eq=False, slots=True)
class Randomised:
    """Maps of the same network with weights drawn at random (Adebayo et al. 2018, "Sanity checks for saliency maps").

    attribution: the first drawn network's map. correlations, rank_correlations: of the map with each drawn one; a drawn network's
    sign is chance, so what counts is their size.
    """

    attribution: Attribution
    correlations: tuple[float, ...]
    rank_correlations: tuple[float, ...]

    @property
    def alike(self) -> float:
        """The share of the map's (rank) variance that a network has without having learned: mean of squares, 0 to 1."""
        return float(np.mean(np.square(self.rank_correlations)))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the verdict asks for: `Perturbation.lead` above `lead` and its `swing` of at least `swing`; `Randomised.alike` below
    `alike`; the square of `Stability.rank_correlation` of at least `kept`. Where they come from stands in `verdict`.
    """

    lead: float
    swing: float
    alike: float
    kept: float


@dataclass(frozen=True, eq=False, slots=True)
class TrustReport:
    """An attribution questioned: the verdict, what decided it, and all that was measured.

    headline: the verdict as a sentence. reasons: one a measurement, in plain words and then with its figures;
    the one that decided first.
    seconds: what it took.
    """

    attribution: Attribution
    verdict: Verdict
    headline: str
    reasons: tuple[str, ...]
    perturbation: Perturbation
    membrane: MembraneShare | None
    stability: Stability
    randomised: Randomised
    thresholds: Thresholds
    seed: int
    seconds: float

    @property
    def because(self) -> str:
        """What decided, in plain words and without its figures."""
        plain, dot, _ = self.reasons[0].partition(". ")
        return plain + dot.strip()

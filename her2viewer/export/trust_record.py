"""What was measured of a map in a file: the same words and figures as in the panel."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Self

from pydantic import Field

from her2viewer.export.results import Section, Share, Words
from her2viewer.scoring.trust.findings import LIMIT, Curves, Stability, TrustReport, Verdict

_Correlation = Annotated[float, Field(ge=-1, le=1)]
_Curve = Annotated[tuple[Share, ...], Field(min_length=2, max_length=256)]


class CurvesRecord(Section):
    """The class's probability as the most important pixels go and as they come, at each of `share`, and the areas under both."""

    share: _Curve
    deletion: _Curve
    insertion: _Curve
    deletion_area: Share
    insertion_area: Share

    @classmethod
    def of(cls, curves: Curves) -> Self:
        return cls(
            share=_rounded(curves.share),
            deletion=_rounded(curves.deletion),
            insertion=_rounded(curves.insertion),
            deletion_area=_within(curves.deletion_area),
            insertion_area=_within(curves.insertion_area),
        )


class PerturbationRecord(Section):
    """The map's curves beside those of random maps and of a spot in the middle; `lead` is its gap in spreads of theirs.

    random_mean, random_spread: of the areas that chance gets, deletion's and insertion's alike.
    """

    map: CurvesRecord
    random: Annotated[tuple[CurvesRecord, ...], Field(min_length=2, max_length=64)]
    centre: CurvesRecord
    random_mean: Share
    random_spread: Annotated[float, Field(ge=0)]
    spread: Annotated[float, Field(ge=0)]
    lead: float
    swing: Share
    fills: dict[str, Words]


class OnMembraneRecord(Section):
    """Shares of positive evidence in the IHC that lie on stained membrane; `area` is what even evidence would get."""

    map: Share
    random_mean: Share
    random_spread: Annotated[float, Field(ge=0)]
    centre: Share
    area: Share
    on: Words
    threshold: float
    mpp: Annotated[float, Field(gt=0)]


class TurnRecord(Section):
    """One flip or turn: how like the map stays, and the largest change of a probability."""

    turn: Words
    correlation: _Correlation
    rank_correlation: _Correlation
    moved: Share


class RandomisedRecord(Section):
    """The map beside those of networks with random weights; `alike` is the mean square of the rank correlations."""

    correlations: tuple[_Correlation, ...]
    rank_correlations: tuple[_Correlation, ...]
    alike: Share


class ThresholdsRecord(Section):
    """What the verdict asks for: `lead` and `swing` of curves, `alike` of random weights, `kept` of turns (see `Thresholds`)."""

    lead: float
    swing: Share
    alike: Share
    kept: Share


class TrustRecord(Section):
    """A `TrustReport`: which map, the verdict, what decided it, and every figure. `limit` says what it does not say."""

    target: str
    against: str | None
    stage: str
    method: Words
    verdict: Verdict
    headline: Words
    reasons: tuple[Words, ...]
    limit: Words = LIMIT
    perturbation: PerturbationRecord
    membrane: OnMembraneRecord | None
    stability: tuple[TurnRecord, ...]
    randomised: RandomisedRecord
    thresholds: ThresholdsRecord
    seed: int
    seconds: Annotated[float, Field(ge=0)]

    @classmethod
    def of(cls, report: TrustReport) -> Self:
        attribution, randomised = report.attribution, report.randomised
        return cls(
            target=attribution.target,
            against=attribution.against,
            stage=attribution.stage,
            method=attribution.title,
            verdict=report.verdict,
            headline=report.headline,
            reasons=report.reasons,
            perturbation=_perturbation(report),
            membrane=_membrane(report),
            stability=_turns(report.stability),
            randomised=RandomisedRecord(
                correlations=_rounded(randomised.correlations),
                rank_correlations=_rounded(randomised.rank_correlations),
                alike=round(randomised.alike, 6),
            ),
            thresholds=ThresholdsRecord(**asdict(report.thresholds)),
            seed=report.seed,
            seconds=round(report.seconds, 3),
        )


def _perturbation(report: TrustReport) -> PerturbationRecord:
    found = report.perturbation
    return PerturbationRecord(
        map=CurvesRecord.of(found.of_map),
        random=tuple(CurvesRecord.of(curves) for curves in found.random),
        centre=CurvesRecord.of(found.centre),
        random_mean=_within(found.random_area[0]),
        random_spread=round(found.random_area[1], 6),
        spread=round(found.spread, 6),
        lead=round(found.lead, 3),
        swing=_within(found.swing),
        fills={stain.value: fill for stain, fill in sorted(found.fills.items())},
    )


def _membrane(report: TrustReport) -> OnMembraneRecord | None:
    found = report.membrane
    if found is None:
        return None
    return OnMembraneRecord(
        map=_within(found.of_map),
        random_mean=_within(found.random_mean),
        random_spread=round(found.random_spread, 6),
        centre=_within(found.centre),
        area=_within(found.area),
        on="stained membrane" if found.fine else "DAB of any shape",
        threshold=found.threshold,
        mpp=round(found.mpp, 4),
    )


def _turns(stability: Stability) -> tuple[TurnRecord, ...]:
    return tuple(
        TurnRecord(
            turn=one.turn,
            correlation=round(one.correlation, 6),
            rank_correlation=round(one.rank_correlation, 6),
            moved=_within(one.moved),
        )
        for one in stability.turned
    )


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _within(share: float) -> float:
    """A share that rounding may have carried past its ends."""
    return round(min(max(share, 0.0), 1.0), 6)

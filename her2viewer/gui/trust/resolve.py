"""From the state to the section 'Trust' and to the untrained network's map in the panes. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from her2viewer.gui.state import State
from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.trust.findings import LIMIT, MembraneShare, Randomised, Stability, TrustReport, Verdict

UNTRAINED: Final = "Map of an untrained network"
"""What stands over the panes while they show it."""

TEACHES: Final = (
    "Measure whether this map shows what the score rests on, or only looks as if it did: against chance, turned about, and "
    "beside a network that has learned nothing."
)
_ASKING: Final = "Taking the field apart and asking the network again. This takes a few seconds; Esc stops it."


@dataclass(frozen=True, slots=True)
class TrustRow:
    """One measurement: its name, its figures, and what they mean for who points at them."""

    name: str
    figures: str
    meaning: str


@dataclass(frozen=True, eq=True, slots=True)
class TrustShown:
    """The section. `headline`: the verdict; `words`: what decided it, or what stands in its place; `more`: with
    all figures.

    `report` is there where its curves tell something.
    """

    can: bool
    asking: bool
    headline: str
    words: str
    report: TrustReport | None = None
    rows: tuple[TrustRow, ...] = ()
    more: str = ""
    limit: str = ""
    can_show_untrained: bool = False
    untrained: bool = False


def can_question(state: State) -> bool:
    """Whether there is a map on screen, and what it is over."""
    return state.scoring.evidence is not None and state.drawn.attribution is not None and state.scorable is not None


def resolve_trust(state: State) -> TrustShown:
    """What the section shows."""
    trust = state.trust
    can = can_question(state) and not trust.asking
    report = trust.report
    if trust.error is not None:
        return TrustShown(can, asking=False, headline="Not measured", words=str(trust.error))
    if trust.asking:
        return TrustShown(can, asking=True, headline="", words=_ASKING)
    if report is None:
        return TrustShown(can, asking=False, headline="", words=TEACHES)
    blank = report.verdict is Verdict.BLANK
    return TrustShown(
        can,
        asking=False,
        headline=report.headline,
        words=report.because,
        more="\n\n".join(report.reasons),
        report=None if blank else report,
        rows=() if blank else _rows(report),
        limit=LIMIT,
        can_show_untrained=not blank and _untrained(report).peak > 0,
        untrained=trust.untrained,
    )


def untrained_map(state: State) -> Attribution | None:
    """The map of a network with random weights, while it is to stand in the panes in place of the map."""
    report = state.trust.report
    return _untrained(report) if state.trust.untrained and report is not None else None


def _untrained(report: TrustReport) -> Attribution:
    """The first drawn network's map in the sign in which it is more like the map, from its own lowest value on.

    Sign and zero of a network that has learned nothing are chance; what can be compared is where it is high.
    """
    drawn = report.randomised.attribution
    values = drawn.values if report.randomised.rank_correlations[0] >= 0 else -drawn.values
    return replace(drawn, values=values - values.min())


def _rows(report: TrustReport) -> tuple[TrustRow, ...]:
    rows = [_turned(report.stability, report.thresholds.kept), _learned(report.randomised, report.thresholds.alike)]
    return (_membrane(report.membrane), *rows) if report.membrane is not None else tuple(rows)


def _membrane(share: MembraneShare) -> TrustRow:
    where = "stained membrane" if share.fine else "DAB"
    coarse = "" if share.fine else " The pixels are too coarse to tell membranes from other brown."
    return TrustRow(
        f"On {where}",
        f"map {share.of_map:.0%}, random {share.random_mean:.0%}, area {share.area:.0%}",
        f"How much of the map's evidence in the IHC lies on {where}, where HER2 is read. Random maps say what chance gets, the "
        f"area what evidence spread evenly would get.{coarse}",
    )


def _turned(stability: Stability, kept_from: float) -> TrustRow:
    least = kept_from**0.5
    kept = stability.rank_correlation >= least
    return TrustRow(
        "Flips and turns",
        f"{stability.rank_correlation:.2f} alike, {'keeps its place' if kept else 'does not keep its place'}",
        "Tissue has no upright: flipped or turned, the map should stay on the same cells. 1 is the very same map, 0 another; at "
        f"least {least:.2f} is asked for. The probabilities moved by at most {stability.moved:.2f}.",
    )


def _learned(randomised: Randomised, worthless_from: float) -> TrustRow:
    return TrustRow(
        "Without learning",
        f"{randomised.alike:.0%} of the map, from {worthless_from:.0%} on worthless",
        "How much of this map the same network draws with random weights, having learned nothing. What it draws as well shows "
        "the picture (edges, dark stain), not the reason for the score.",
    )

"""What the measurements come to, in words."""

from typing import Final

import numpy as np

from her2viewer.scoring.evidence import Attribution
from her2viewer.scoring.trust.findings import MembraneShare, Perturbation, Randomised, Stability, Thresholds, Verdict

LEAST_SWING: Final = 0.1
"""Probability, by convention. Where nothing that is removed or brought in moves the class by this much, its curves are flat for
every map."""

T_975: Final = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}
"""Student's t by degrees of freedom, 97.5th percentile. So the threshold is the field's own: random maps over the same field say
how far chance goes. Over a toy network whose true map is known, with glass for both stains and curves of seven points, random
maps passed it in 1 to 6% of 300 tries, the smoother the more often, and the true map in all of 40, with a lead of at least
5.5. The tests hold the settings in use to 10%; `python -m training trust` counts both over a real network."""

HALF: Final = 0.5
"""Share of (rank) variance, by convention: Adebayo et al. give no threshold. A map of which half or more comes without learning
shows the picture; one of which half or more goes when the picture is turned shows the turn."""


def thresholds(perturbation: Perturbation) -> Thresholds:
    """What these measurements are held against."""
    return Thresholds(T_975[len(perturbation.random)], LEAST_SWING, HALF, HALF)


def judge(
    attribution: Attribution,
    perturbation: Perturbation,
    membrane: MembraneShare | None,
    stability: Stability,
    randomised: Randomised,
) -> tuple[Verdict, str, tuple[str, ...]]:
    """The verdict, its headline, and one sentence a measurement, the one that decided first. Never says that a score is right."""
    told = {
        "curves": _curves_in_words(attribution, perturbation),
        "learned": _learned_in_words(randomised),
        "turned": _turned_in_words(stability),
    }
    if membrane is not None:
        told["membrane"] = _membrane_in_words(membrane)
    verdict, decided = _decided(attribution, perturbation, stability, randomised)
    reasons = [told.pop(decided)] if decided in told else [decided]
    return verdict, _HEADLINES[verdict].format(question=attribution.question), (*reasons, *told.values())


_HEADLINES: Final = {
    Verdict.MORE: "This map tells more than chance.",
    Verdict.NO_MORE: "This map tells no more than chance here.",
    Verdict.UNKNOWN: "Whether this map tells more than chance cannot be told here.",
    Verdict.BLANK: "This map is blank: it holds no positive evidence for {question}.",
}


def _decided(
    attribution: Attribution, perturbation: Perturbation, stability: Stability, randomised: Randomised
) -> tuple[Verdict, str]:
    """The verdict and which measurement decided it, or a sentence of its own."""
    if attribution.peak == 0:
        return (
            Verdict.BLANK,
            f"By {attribution.method} at this stage nothing in the field speaks for {attribution.target}.",
        )
    if np.ptp(attribution.values) == 0:
        return Verdict.NO_MORE, "The map is the same everywhere: it does not say where the evidence lies."
    if randomised.alike >= HALF:
        return Verdict.NO_MORE, "learned"
    if perturbation.swing < LEAST_SWING:
        return Verdict.UNKNOWN, "curves"
    if perturbation.lead <= thresholds(perturbation).lead or perturbation.of_map.gap <= perturbation.centre.gap:
        return Verdict.NO_MORE, "curves"
    if max(stability.rank_correlation, 0.0) ** 2 < HALF:
        return Verdict.UNKNOWN, "turned"
    return Verdict.MORE, "curves"


def _curves_in_words(attribution: Attribution, perturbation: Perturbation) -> str:
    swing = perturbation.swing
    target = attribution.target + ("" if attribution.against is None else f" against {attribution.against}")
    if swing < LEAST_SWING:
        return (
            f"Whatever is taken away, the probability of {target} hardly moves, so no map can be tested by it. It moves by no "
            f"more than {swing:.2f}, and at least {LEAST_SWING:.2f} is needed."
        )
    own, centre = perturbation.of_map, perturbation.centre
    beside = "above" if own.gap > centre.gap else "not above"
    passes = perturbation.lead > thresholds(perturbation).lead and own.gap > centre.gap
    return (
        f"What the map marks matters {'more' if passes else 'no more'} to {target} than other places of the field do. "
        f"The area under its probability is {own.deletion_area:.2f} as the map's pixels go and "
        f"{own.insertion_area:.2f} as they come (by chance {perturbation.random_area[0]:.2f}). The difference, "
        f"{own.gap:+.2f}, is {perturbation.lead:.1f} times the spread of random maps ({perturbation.spread:.2f}; "
        f"{thresholds(perturbation).lead:.1f} times is needed) and {beside} that of a spot in the middle ({centre.gap:+.2f})."
    )


def _learned_in_words(randomised: Randomised) -> str:
    share = randomised.alike
    told = f"Networks with random weights, which have learned nothing, share {share:.0%} of it"
    if share >= HALF:
        return f"The map shows the picture rather than the reason. {told}, and {HALF:.0%} is too much."
    return f"The map was learned. {told} (from {HALF:.0%} on it would be worthless)."


def _turned_in_words(stability: Stability) -> str:
    rank = stability.rank_correlation
    verb = "keeps its map" if max(rank, 0.0) ** 2 >= HALF else "gets another map"
    return (
        f"Flipped and turned, the same tissue {verb}. Rank correlation {rank:.2f} (at least {HALF**0.5:.2f} is needed); "
        f"its probabilities move by at most {stability.moved:.2f}."
    )


def _membrane_in_words(membrane: MembraneShare) -> str:
    what = "on DAB-stained membrane" if membrane.fine else "on DAB (the pixels are too coarse to tell membranes)"
    return (
        f"{membrane.of_map:.0%} of the positive evidence in the IHC lies {what}, which is {membrane.area:.0%} of the area; "
        f"random maps have {membrane.random_mean:.0%} there (spread {membrane.random_spread:.0%}), a spot in the middle "
        f"{membrane.centre:.0%}."
    )

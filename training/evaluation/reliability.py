"""Reliability diagrams as data: of the scores given with a probability, how many were right."""

from typing import Final

import numpy as np

from her2viewer.scoring.package import Reliability, ReliabilityBin
from training.evaluation.figures import wilson
from training.evaluation.outcome import Outcome

BINS: Final = 10
"""Of equal width: readable, and filled by some hundred fields."""


def reliability(outcome: Outcome) -> Reliability:
    """The bins of an outcome that hold fields, in order. Fields without finite probabilities are left out."""
    there = np.isfinite(outcome.probabilities).all(axis=1)
    confidence = outcome.probabilities[there].max(axis=1, initial=0)
    exact = (outcome.said == outcome.truth)[there]
    edges = np.linspace(0, 1, BINS + 1)
    # As scikit-learn's calibration_curve: a bin holds its upper edge.
    place = np.searchsorted(edges[1:-1], confidence)
    bins = []
    for k in np.unique(place):
        share = wilson("", exact[place == k])
        low, high = share.reach
        bins.append(
            ReliabilityBin(
                low=edges[k],
                high=edges[k + 1],
                fields=share.fields,
                confidence=min(float(confidence[place == k].mean()), 1.0),
                exact=share.value or 0.0,
                exact_low=max(low, 0.0),
                exact_high=min(high, 1.0),
            )
        )
    return Reliability(dataset=outcome.dataset, bins=tuple(bins))

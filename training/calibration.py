"""From held-out fields to what a package promises: the temperature, and the quantiles of its prediction sets.

**Which fields.** Split-conformal sets cover fields that are exchangeable with those they were calibrated on, and no others.
The held-out tiles come from one or two cores, and fields of one core are no independent draws: what they promise ends with
these cores. Fresh phantoms of a seed that nothing was learned from are independent, have a certain truth and can be drawn
until the quantile stands: covering 90% from n fields means 90% give or take 0.3 / sqrt(n + 2) (the coverage is drawn from
Beta(k, n + 1 - k), Vovk 2012), 1.6 points with 336 fields and 0.7 with 2,000. On anything else the coverage is measured.

**One quantile a class.** One for all classes covers the mixture it was taken from: with the model of version 0.2 it held 78%
of the 0 and 98% of the 3+ of 200 fresh phantoms (resources/guide/confidence.md). A quantile a class (Vovk 2012; Sadinle,
Lei and Wasserman 2019, section 3) covers each label at the level by itself, so that it holds whatever share of the fields
each label has, which nobody knows of a new laboratory. A label that is nearly always the likeliest class is covered more
often than that, since the likeliest class is in every set.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from her2viewer.scoring.confidence import calibrated
from her2viewer.scoring.package import Calibration, Conformal

COVERAGE: Final = 0.9


def fitted_calibration(logits: NDArray[np.float32], truth: NDArray[np.intp], data: str = "") -> Calibration:
    """The temperature, then the quantiles of the scaled probabilities. logits: (n, classes); truth: (n,); data: in words."""
    temperature = fitted_temperature(logits, truth)
    probabilities = calibrated(logits, temperature)
    conformal = Conformal(
        level=COVERAGE,
        quantile=conformal_quantile(probabilities, truth),
        fields=len(truth),
        quantiles=class_quantiles(probabilities, truth),
        data=data,
    )
    return Calibration(temperature=temperature, conformal=conformal)


def fitted_temperature(logits: NDArray[np.float32], truth: NDArray[np.intp]) -> float:
    """The temperature of least cross-entropy (Guo et al. 2017), between 0.05 and 20."""

    def cross_entropy(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return float(-scaled[np.arange(len(truth)), truth].mean())

    found = minimize_scalar(cross_entropy, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def conformal_quantile(probabilities: NDArray[np.float64], truth: NDArray[np.intp], level: float = COVERAGE) -> float:
    """The ceil((n + 1) level)-th smallest of the n values of 1 - p(label): sets of it cover `level` of exchangeable fields.

    Where the label is the likeliest class it is 0, since that class is in every set: the sets are calibrated as they are
    made (`scoring.confidence.prediction_set`), and no quantile is wider than it needs to be. The result is 1, which puts
    every class into every set, where n is too small for that rank (below 9 fields at 90%).
    """
    scored = probabilities.argmax(axis=1) == truth
    miss = np.sort(np.where(scored, 0.0, 1 - probabilities[np.arange(len(truth)), truth]))
    # A hair less: (n + 1) level may be a whole number that binary fractions put just above itself.
    rank = int(np.ceil((len(miss) + 1) * level - 1e-9))
    return float(miss[rank - 1]) if rank <= len(miss) else 1.0


def class_quantiles(
    probabilities: NDArray[np.float64], truth: NDArray[np.intp], level: float = COVERAGE
) -> tuple[float, ...]:
    """`conformal_quantile` of the fields of each label by itself, in the order of the classes."""
    classes: Sequence[int] = range(probabilities.shape[1])
    return tuple(conformal_quantile(probabilities[truth == c], truth[truth == c], level) for c in classes)

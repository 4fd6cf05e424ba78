"""From logits to calibrated probabilities, prediction sets and the decision not to speak."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.report import NO_CALL_CHECKS
from her2viewer.scoring.membrane.agreement import Agreement
from her2viewer.scoring.package import Conformal
from her2viewer.scoring.prediction import Check, Prediction


def calibrated(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """softmax(logits / temperature), in float64. logits: (..., classes). Guo et al. 2017, eq. 9."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    exponent = np.exp(scaled)
    probabilities: NDArray[np.float64] = exponent / exponent.sum(axis=-1, keepdims=True)
    return probabilities


def prediction_set(
    probabilities: Sequence[float], classes: Sequence[str], conformal: Conformal | None
) -> tuple[str, ...]:
    """Every class with 1 - probability <= its quantile, in the order of classes; the likeliest is always in.

    Sadinle, Lei and Wasserman 2019 (least ambiguous sets), with a quantile a class where the package has them; the
    likeliest class is added to a set without it, which can only raise the coverage. Empty where the package carries no
    quantile.
    """
    if conformal is None:
        return ()
    best = int(np.argmax(probabilities))
    return tuple(
        name for i, name in enumerate(classes) if 1 - probabilities[i] <= conformal.quantile_of(i) or i == best
    )


def set_in_words(members: Sequence[str]) -> str:
    """'2+', '1+ or 2+', '0, 1+ or 2+'; empty for an empty set."""
    return " or ".join(filter(None, (", ".join(members[:-1]), *members[-1:])))


def no_call(members: Sequence[str], classes: Sequence[str], checks: Sequence[Check]) -> str | None:
    """Why the score should not be used, in words, or None: an input that cannot be scored, or a set of nearly all classes."""
    for check in checks:
        if check.name in NO_CALL_CHECKS:
            return check.message
    if len(members) >= max(3, len(classes) - 1):
        return f"The model cannot tell {', '.join(members[:-1])} and {members[-1]} apart on this field."
    return None


def no_call_beside(prediction: Prediction, agreement: Agreement | None) -> str | None:
    """`prediction.no_call`, or, where it has none, that the membranes speak against the score; None where nothing does."""
    if prediction.no_call is not None or agreement is None or not agreement.speaks_against:
        return prediction.no_call
    return agreement.sentence

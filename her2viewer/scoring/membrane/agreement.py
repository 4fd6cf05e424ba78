"""The membrane reading beside the network's score: whether they agree, in words."""

from dataclasses import dataclass
from typing import Final

from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.membrane.rule import CLASSES
from her2viewer.scoring.prediction import Prediction

FAR_APART: Final = 2
"""Steps of the score from where a disagreement counts towards no call. One step is within what the reading itself is wrong by."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two scores of one field. steps: how many classes lie between them, 0 where they are the same, None where the reading
    has none.

    sentence: for the user, whichever way it is. speaks_against: whether it counts towards no call.
    """

    steps: int | None
    sentence: str
    speaks_against: bool


def compare(reading: MembraneReading, prediction: Prediction) -> Agreement:
    """The reading beside a prediction of the same field, whose classes must be those of the rule (KeyError)."""
    if reading.score is None:
        return Agreement(None, f"The membranes give no second score. {reading.reason}", speaks_against=False)
    place = {name: at for at, name in enumerate(CLASSES)}
    steps = abs(place[reading.score] - place[prediction.score])
    measured = f"The membranes measured without the network give {reading.score}"
    if steps == 0:
        return Agreement(0, f"{measured}, as the network does.", speaks_against=False)
    if steps < FAR_APART:
        within = " It lies in the network's prediction set." if reading.score in prediction.prediction_set else ""
        return Agreement(
            steps, f"{measured}, the network {prediction.score}: one step apart.{within}", speaks_against=False
        )
    return Agreement(
        steps,
        f"{measured}, the network {prediction.score}: {steps} steps apart. Look at the cells before using either.",
        speaks_against=True,
    )

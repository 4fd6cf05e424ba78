"""The reading beside the network's score."""

from dataclasses import replace

import numpy as np
import pytest

from her2viewer.scoring.confidence import no_call_beside
from her2viewer.scoring.membrane.agreement import compare
from her2viewer.scoring.membrane.reading import MembraneReading, read_membranes
from her2viewer.scoring.prediction import ModelIdentity, Prediction


def prediction(score: str, no_call: str | None = None) -> Prediction:
    return Prediction(
        score=score,
        classes=("0", "1+", "2+", "3+"),
        probabilities=(0.25, 0.25, 0.25, 0.25),
        prediction_set=("1+", "2+"),
        no_call=no_call,
        checks=(),
        model=ModelIdentity("m", "1", "0" * 64),
        device="CPU",
        precision="fp32",
        seconds=0.0,
    )


@pytest.fixture
def nothing() -> MembraneReading:
    return read_membranes(np.full((50, 50, 3), 255, np.uint8), 0.46)


@pytest.mark.parametrize(
    ("read", "said", "steps", "against"),
    [("2+", "2+", 0, False), ("1+", "2+", 1, False), ("3+", "1+", 2, True), ("0", "3+", 3, True)],
)
def test_steps(nothing: MembraneReading, read: str, said: str, steps: int, against: bool) -> None:
    found = compare(replace(nothing, score=read), prediction(said))
    assert (found.steps, found.speaks_against) == (steps, against)
    assert read in found.sentence
    assert (no_call_beside(prediction(said), found) is not None) == against


def test_the_prediction_set_is_named(nothing: MembraneReading) -> None:
    assert "prediction set" in compare(replace(nothing, score="1+"), prediction("2+")).sentence
    assert "prediction set" not in compare(replace(nothing, score="3+"), prediction("2+")).sentence


def test_no_score_speaks_against_nothing(nothing: MembraneReading) -> None:
    found = compare(nothing, prediction("3+"))
    assert found.steps is None and not found.speaks_against
    assert nothing.reason in found.sentence


def test_the_network_s_own_reason_stands_first(nothing: MembraneReading) -> None:
    found = compare(replace(nothing, score="0"), prediction("3+"))
    assert no_call_beside(prediction("3+", "blurred"), found) == "blurred"

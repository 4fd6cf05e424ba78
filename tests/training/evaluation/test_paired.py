"""Two models on the same fields."""

import numpy as np
import pytest

from her2viewer.errors import UserError
from training.data.index import CLASSES
from training.evaluation.paired import compared, compared_rows


def rows(truth: list[int], said: list[int]) -> list[dict[str, str]]:
    return [
        {"case_id": f"{k:05d}", "label": CLASSES[t], "said": CLASSES[s]}
        for k, (t, s) in enumerate(zip(truth, said, strict=True))
    ]


def test_mcnemar_is_the_binomial_of_the_fields_they_differ_on() -> None:
    truth = np.zeros(20, np.intp)
    said, other = truth.copy(), truth.copy()
    said[:1] = 1
    other[4:11] = 1
    found = compared(truth, said, other, "other", resamples=100)
    assert (found.only_this, found.only_other) == (7, 1)
    assert found.p_value == pytest.approx(2 * (1 + 8) / 2**8)
    assert found.accuracy.value == pytest.approx(6 / 20)
    assert found.kappa.value is None  # one class


def test_a_model_against_itself_differs_by_nothing() -> None:
    truth = [0, 1, 2, 3] * 5
    said = [0, 1, 2, 2] * 5
    found = compared_rows(rows(truth, said), list(reversed(rows(truth, said))), "itself", resamples=50)
    assert found.accuracy.value == 0
    assert found.accuracy.reach == (0, 0)
    assert found.kappa.value == 0
    assert found.p_value == 1


def test_resamples_are_paired() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 100)
    said = np.where(rng.random(100) < 0.5, truth, 3 - truth)
    other = said.copy()
    wrong = np.flatnonzero(said != truth)[:5]
    other[wrong] = truth[wrong]
    found = compared(truth, said, other, "other", resamples=300)
    low, high = found.accuracy.reach
    assert -0.12 < low < found.accuracy.value < high <= 0  # unpaired, the interval would span 0 by far


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (rows([0, 1, 2], [0, 1, 2]), "other fields"),
        (rows([0, 2], [0, 1]), "another label for 00001"),
        ([row | {"said": None} for row in rows([0, 1], [0, 1])], "no field that both"),
    ],
)
def test_other_fields_are_refused(others: list[dict[str, str]], words: str) -> None:
    with pytest.raises(UserError, match=words):
        compared_rows(rows([0, 1], [0, 1]), others, "other.json")

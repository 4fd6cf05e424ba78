import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from her2viewer.cases.agreement import Agreement
from her2viewer.cases.library.figures import CLASSES, between_all_readers, between_readers, by_reader, study_figures
from her2viewer.cases.library.records import NOT_ASSESSABLE, KeptPrediction, Reading


def reading(
    case: int,
    score: str,
    model: str | None,
    *,
    revealed: bool = False,
    reader: str = "",
    seconds: float | None = None,
    no_call: str | None = None,
) -> Reading:
    name = None if model is None else "m 1"
    return Reading(
        case, case, score, "", reader, seconds, model, revealed, "2026-01-01", name, "a" * 64, None if name is None else no_call
    )


def test_counts_overrides_and_times() -> None:
    found = study_figures(
        [
            reading(1, "2+", "2+", seconds=10),
            reading(2, "3+", "2+", revealed=True, seconds=20),
            reading(3, "0", "1+", revealed=True, seconds=30),
            reading(4, "1+", "1+", revealed=True),
            reading(5, NOT_ASSESSABLE, "1+", revealed=True, seconds=40),
            reading(6, "3+", None),
        ]
    )
    assert (found.readings, found.not_assessable, found.without_model) == (6, 1, 1)
    assert found.agreement.fields == 4 and found.blind.fields == 1
    assert found.agreement.counts[3, 2] == found.agreement.counts[0, 1] == 1  # reader down, model across
    assert found.agreement.exact is not None and found.agreement.exact.value == 0.5
    # "Not assessable" after the model's score is an override, upwards of nothing.
    assert (found.overrides, found.upwards, found.downwards) == (3, 1, 1)
    assert found.seconds is not None and (found.seconds.low, found.seconds.median, found.seconds.high) == (17.5, 25, 32.5)
    assert found.few is not None and found.few.startswith("4 cases")


def test_nothing_read_is_no_figure() -> None:
    found = study_figures([])
    assert found.readings == 0 and found.agreement.exact is None and found.agreement.kappa is None and found.seconds is None


@pytest.mark.parametrize("seed", range(3))
def test_kappa_is_that_of_scikit_learn_and_lies_in_its_interval(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 4, 150)
    second = np.clip(first + rng.integers(-1, 2, 150), 0, 3)
    found = Agreement.of(CLASSES, ((CLASSES[a], CLASSES[b]) for a, b in zip(first, second, strict=True)))
    expected = cohen_kappa_score(first, second, weights="quadratic")
    assert found.kappa is not None and found.kappa.value == pytest.approx(expected, abs=1e-12)
    assert found.kappa.low < expected < found.kappa.high
    assert found.exact is not None and found.exact.value == np.mean(first == second)
    assert found.within_one is not None and found.within_one.value == 1


def test_two_readers_are_set_beside_each_other_where_both_read() -> None:
    found = between_readers(
        [
            reading(1, "2+", None, reader="A"),
            reading(1, "3+", None, reader="B"),
            reading(2, "1+", None, reader="A"),
            reading(3, "1+", None, reader="B"),
        ],
        "A",
        "B",
    )
    assert found.fields == 1 and found.counts[2, 3] == 1


def test_who_changes_the_mind_after_seeing_the_score_is_counted_and_stays_blind_before() -> None:
    found = study_figures(
        [
            reading(1, "1+", "3+", seconds=10),
            reading(1, "2+", "3+", revealed=True, seconds=500),  # towards it, and an override still
            reading(2, "2+", "2+", seconds=20),
            reading(2, "0", "2+", revealed=True),  # away from it
            reading(3, "2+", "2+", seconds=30),
            reading(3, "2+", "2+", revealed=True),
            reading(4, "1+", "0"),
            reading(4, "2+", "0"),  # thought again, blind
        ]
    )
    assert (found.readings, found.changed, found.towards, found.overrides) == (4, 2, 1, 2)
    assert found.blind.fields == 4 and found.blind.counts[1, 3] == found.blind.counts[2, 0] == 1
    assert found.agreement.counts[2, 3] == found.agreement.counts[0, 2] == 1
    assert found.seconds is not None and found.seconds.median == 20  # of the first reading of each


def test_cases_without_a_call_are_counted_and_also_left_out() -> None:
    found = study_figures([reading(1, "1+", "2+", no_call="blurred"), reading(2, "1+", "1+"), reading(3, "2+", None)])
    assert found.no_calls == 1 and found.agreement.fields == 2 and found.called.fields == 1
    assert found.called.exact is not None and found.called.exact.value == 1


def test_readings_can_be_set_beside_another_model() -> None:
    readings = [reading(1, "1+", "2+", revealed=True), reading(2, "1+", "1+")]
    other = KeptPrediction(1, "1+", "blurred", "m 2", "b" * 64, "{}", "2026-01-02")
    found = study_figures(readings, {1: other})
    assert found.agreement.counts[1, 1] == found.agreement.fields == 1 and found.without_model == 1
    assert (found.models, found.no_calls) == (("m 2",), 1)
    assert found.overrides == 1  # of the score that was seen
    assert study_figures(readings).models == ("m 1",)


def test_each_reader_has_figures_and_every_two_who_met() -> None:
    readings = [
        reading(1, "2+", "2+", reader="Ada"),
        reading(1, "3+", "2+", reader="Bo"),
        reading(2, "1+", "1+", reader="bo"),
        reading(3, "1+", "1+"),
    ]
    assert {name: one.agreement.fields for name, one in by_reader(readings).items()} == {"": 1, "Ada": 1, "Bo": 1, "bo": 1}
    assert study_figures(readings).readers == ("", "Ada", "Bo", "bo")
    found = between_all_readers(readings)
    assert list(found) == [("Ada", "Bo")] and found["Ada", "Bo"].counts[2, 3] == 1

import numpy as np
import pytest
from pydantic import ValidationError

from her2viewer.scoring.confidence import calibrated, no_call, prediction_set, set_in_words
from her2viewer.scoring.package import Calibration, Conformal
from her2viewer.scoring.prediction import Check
from tests.scoring.conftest import manifest

CLASSES = ("0", "1+", "2+", "3+")


def test_temperature_one_is_softmax_and_large_ones_flatten() -> None:
    logits = np.array([1000.0, 1001, 999, 0], np.float32)
    plain = calibrated(logits, 1.0)
    assert plain.sum() == pytest.approx(1) and plain.argmax() == 1 and np.isfinite(plain).all()
    assert calibrated(logits, 1e6) == pytest.approx([0.25] * 4, abs=1e-3)


def test_prediction_set_is_the_least_ambiguous_one() -> None:
    conformal = Conformal(level=0.9, quantile=0.75, fields=10)
    assert prediction_set((0.1, 0.25, 0.4, 0.25), CLASSES, conformal) == ("1+", "2+", "3+")
    assert prediction_set((0.0, 0.0, 0.9, 0.1), CLASSES, conformal) == ("2+",)
    strict = Conformal(level=0.9, quantile=0.1, fields=10)
    assert prediction_set((0.3, 0.2, 0.4, 0.1), CLASSES, strict) == ("2+",)
    assert prediction_set((0.3, 0.2, 0.4, 0.1), CLASSES, None) == ()


def test_no_call_has_a_reason() -> None:
    swapped = Check("stains_swapped", -0.2, 0, "Swap them.")
    assert no_call(("2+",), CLASSES, (swapped,)) == "Swap them."
    assert no_call(("1+", "2+"), CLASSES, ()) is None
    assert "1+, 2+ and 3+ apart" in (no_call(("1+", "2+", "3+"), CLASSES, ()) or "")


def test_a_quantile_a_class_lets_each_class_in_by_its_own() -> None:
    conformal = Conformal(level=0.9, quantile=0.1, fields=10, quantiles=(0.2, 0.95, 0.7, 0.2))
    assert prediction_set((0.1, 0.06, 0.04, 0.8), CLASSES, conformal) == ("1+", "3+")
    assert prediction_set((0.5, 0.04, 0.3, 0.16), CLASSES, conformal) == ("0", "2+")  # 0 is in as the likeliest alone


def test_the_edge_of_a_quantile_is_in_whatever_binary_fractions_make_of_it() -> None:
    for p in np.random.default_rng(0).random(200):
        conformal = Conformal(level=0.9, quantile=float(1 - p), fields=10)
        assert "1+" in prediction_set((2.0, float(p), 0, 0), CLASSES, conformal)


def test_quantiles_are_one_a_class_or_none() -> None:
    conformal = Conformal(level=0.9, quantile=0.5, fields=10, quantiles=(0.5, 0.5))
    with pytest.raises(ValidationError, match="quantiles must be 4, one a class"):
        manifest(calibration=Calibration(conformal=conformal))


@pytest.mark.parametrize(
    ("members", "words"),
    [((), ""), (("2+",), "2+"), (("1+", "2+"), "1+ or 2+"), (("0", "1+", "2+"), "0, 1+ or 2+")],
)
def test_sets_in_words(members: tuple[str, ...], words: str) -> None:
    assert set_in_words(members) == words

"""Figures against known answers, and a word instead of a crash where nothing can be said."""

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score, roc_auc_score

from her2viewer.scoring.confidence import calibrated
from her2viewer.scoring.package import Calibration, Conformal
from training.data.index import CLASSES
from training.evaluation.figures import Resampling, coverage_accuracy, figures_of
from training.evaluation.outcome import Outcome, confusion, mean_of_logits, metrics, outcome_of_logits

CALIBRATION = Calibration(temperature=2.0, conformal=Conformal(level=0.9, quantile=0.7, fields=50))


def outcome(truth: list[int], said: list[int], logit: float = 3.0, groups: tuple[str, ...] | None = None) -> Outcome:
    logits = np.full((len(truth), 4), 0.0)
    logits[np.arange(len(truth)), said] = logit
    made = outcome_of_logits("made up", logits, np.array(truth, np.intp), CALIBRATION)
    return Outcome(made.dataset, made.probabilities, made.truth, made.sets, made.no_call, made.temperature, groups)


def test_known_answers() -> None:
    truth = [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10
    said = [0] * 8 + [1] * 2 + [1] * 10 + [2] * 5 + [0] * 5 + [3] * 10
    found = figures_of(outcome(truth, said), resamples=200)
    assert found.exact.value == pytest.approx(33 / 40)
    assert found.exact.interval == "Wilson"  # seven misses are few
    assert found.within_one.value == pytest.approx(35 / 40)
    assert found.beyond.value == pytest.approx(5 / 40)
    assert [found.recalls[name].value for name in CLASSES] == pytest.approx([0.8, 1.0, 0.5, 1.0])
    # 1 - sum(w O) / sum(w E) by hand: O: 2 * 1 + 5 * 4; E from the margins 10, 10, 10, 10 and 13, 12, 5, 10.
    expected = sum((i - j) ** 2 * 10 * m for i in range(4) for j, m in enumerate((13, 12, 5, 10))) / 40
    assert found.kappa.value == pytest.approx(1 - 22 / expected)
    low, high = found.kappa.reach
    assert low < found.kappa.value < high
    json.dumps(found.document(), allow_nan=False)


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    truth = rng.choice([0, 1, 3], 60)
    logits = rng.normal(size=(60, 4)) + 1.5 * np.eye(4)[truth]
    made = outcome_of_logits("made up", logits, truth, CALIBRATION)
    found = figures_of(made, resamples=20)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(truth, made.said, weights="quadratic"), abs=1e-6)
    assert found.macro_f1.value == pytest.approx(
        f1_score(truth, made.said, labels=[0, 1, 3], average="macro", zero_division=0), abs=1e-6
    )
    of_classes = {c: roc_auc_score(truth == c, made.probabilities[:, c]) for c in (0, 1, 3)}
    assert found.roc_auc.value == pytest.approx(np.mean(list(of_classes.values())), abs=1e-6)
    assert found.roc_aucs["3+"].value == pytest.approx(of_classes[3], abs=1e-6)
    assert found.roc_aucs["2+"].value is None


def test_many_hits_and_misses_are_resampled() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 200)
    said = np.where(rng.random(200) < 0.6, truth, (truth + 1) % 4)
    found = figures_of(outcome(truth.tolist(), said.tolist()), resamples=400).exact
    assert found.interval == "bootstrap"
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.6 * 0.4 / 200), rel=0.2)


def test_fields_of_one_slide_count_together() -> None:
    truth = [k // 10 % 4 for k in range(200)]
    said = [c if k // 10 % 3 else (c + 1) % 4 for k, c in enumerate(truth)]
    groups = tuple(str(k // 10) for k in range(200))
    alone = figures_of(outcome(truth, said), resamples=300).exact
    together = figures_of(outcome(truth, said, groups=groups), resamples=300).exact
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_probabilities_before_scaling_come_back() -> None:
    logits = np.random.default_rng(2).normal(size=(20, 4)).astype(np.float32)
    made = outcome_of_logits("made up", logits, np.zeros(20, np.intp), CALIBRATION)
    assert made.raw == pytest.approx(calibrated(logits, 1.0), abs=1e-6)
    assert not np.allclose(made.raw, made.probabilities, atol=0.01)


def test_calibration_error_of_a_coin() -> None:
    # Two classes at 0.5 each would be perfect; here the model is sure and right half the time.
    found = figures_of(outcome([0, 1] * 20, [0, 0] * 20, logit=60.0), resamples=50)
    assert found.error.value == pytest.approx(0.5, abs=1e-6)
    assert found.brier.value == pytest.approx(1.0, abs=1e-6)


def test_coverage_accuracy_keeps_the_most_confident_first() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    coverage, accuracy, area = coverage_accuracy(p, np.array([0, 0, 1, 1]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy == pytest.approx([1, 1, 2 / 3, 1 / 2])
    assert 0.5 < area < 1
    tied = coverage_accuracy(np.full((4, 2), 0.5), np.array([0, 0, 1, 1]))
    assert tied[0].tolist() == [1.0]
    assert tied[2] == 0.5


@pytest.mark.parametrize(
    ("truth", "said"),
    [([2], [2]), ([2], [0]), ([1] * 12, [1] * 12), ([1] * 12, [0, 1] * 6), ([0, 3] * 6, [0, 3] * 6), ([0, 1], [0, 1])],
)
def test_little_data_gives_words_and_no_warning(truth: list[int], said: list[int]) -> None:
    made = outcome(truth, said)
    found = figures_of(made, resamples=50)
    absent = [name for c, name in enumerate(CLASSES) if c not in truth]
    assert all(found.recalls[name].value is None and found.recalls[name].note for name in absent)
    assert all(name in found.remarks[0] for name in absent)
    if len(set(truth)) == 1:
        assert found.kappa.value is None
        assert "one class" in found.kappa.note
        assert found.roc_auc.value is None
    assert 0 <= found.exact.low <= found.exact.value <= found.exact.high <= 1
    json.dumps(found.document(), allow_nan=False)
    assert confusion(made).sum() == len(truth)
    assert all(np.isfinite(metric.value) for metric in metrics(made))


def test_numbers_that_are_none_are_left_out_and_counted() -> None:
    made = outcome([0, 1, 2, 3] * 5, [0, 1, 2, 2] * 5)
    made.probabilities[3] = np.nan
    found = figures_of(made, resamples=50)
    assert found.fields == 19
    assert found.remarks[0].startswith("1 of 20 fields")
    made.probabilities[:] = np.nan
    found = figures_of(made, resamples=50)
    assert found.exact.value is None
    json.dumps(found.document(), allow_nan=False)


def test_without_a_quantile_nothing_is_said_of_sets() -> None:
    made = outcome_of_logits("made up", np.eye(4), np.arange(4), Calibration())
    found = figures_of(made, resamples=50)
    assert found.coverage.value is None
    assert "quantile" in found.coverage.note
    assert "label in the prediction set" not in {metric.name for metric in metrics(made)}


def test_mean_of_logits() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(8, 4))
    views = calibrated(logits.astype(np.float32), 1.0)
    assert mean_of_logits(views) == pytest.approx(
        calibrated(logits.mean(axis=0).astype(np.float32)[None], 1.0)[0], abs=1e-5
    )


def test_means_of_columns_are_those_of_one_column_at_a_time() -> None:
    rng = np.random.default_rng(0)
    columns = {"one": rng.random(40), "two": rng.normal(3, 1, 40)}
    draw = Resampling(40, resamples=300)
    found = draw.means(columns)
    for name, values in columns.items():
        alone = draw.figure(name, lambda column: float(column.mean()), values)
        assert (found[name].value, found[name].fields) == (pytest.approx(alone.value), 40)
        assert found[name].reach == pytest.approx(alone.reach)
    few = Resampling(3).means({"one": np.array([1.0, 2.0, 6.0])})["one"]
    assert (few.value, few.low, few.note) == (3, None, "too few independent fields for an interval")

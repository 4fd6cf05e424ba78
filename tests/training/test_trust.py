"""Figures over rows whose reports come from toy networks; and one phantom pair through the real way."""

from dataclasses import replace

import numpy as np
import pytest

from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.trust.findings import TrustReport, Verdict
from her2viewer.scoring.trust.report import trust_report
from tests.scoring.conftest import package  # noqa: F401  # a fixture
from tests.scoring.trust.conftest import Weighing, attribution_of, evidence_of, explained_by, spots
from training import trust
from training.phantom.pair import make_phantom
from training.trust import THRESHOLDS, Row, lines, measured, summary


@pytest.fixture(scope="module")
def report() -> TrustReport:
    explained = explained_by(Weighing(np.ones((48, 96))))
    evidence = evidence_of(spots(0))
    return trust_report(explained, evidence, attribution_of(explained.values(evidence.network_input)))


def _row(report: TrustReport, verdict: Verdict, lead: float, score: str, at: float) -> Row:
    found = np.array([[6, 2, 4]] * len(THRESHOLDS))
    features = {"intact": np.array([at, 0], np.float32), "glass, glass, all": np.array([at, 3], np.float32)}
    return Row("1+", score, replace(report, verdict=verdict), lead, found, features)


def test_a_summary_counts_what_the_rows_say(report: TrustReport) -> None:
    rows = [
        _row(report, Verdict.MORE, 0.1, "1+", 0),
        _row(report, Verdict.MORE, 9.0, "2+", 5),
        _row(report, Verdict.UNKNOWN, -9.0, "2+", 9),
        _row(report, Verdict.BLANK, 1.0, "2+", 20),
    ]
    found = summary(rows)
    assert found["pairs"] == 4
    assert [found["verdicts"][verdict.value]["mean"] for verdict in Verdict] == [0.5, 0, 0.25, 0.25]
    assert found["verdicts_by_score"] == {
        "1+": {"more than chance": 1},
        "2+": {"more than chance": 1, "cannot be told": 1, "blank": 1},
    }
    assert found["random_map_passes"]["mean"] == 0.25
    assert found["gap"]["mean"] == pytest.approx(report.perturbation.of_map.gap)
    # F1 = 2 * 24 / (2 * 24 + 8 + 16).
    assert list(found["membrane_f1"].values()) == pytest.approx([2 / 3] * len(THRESHOLDS))
    # Nearest intact field: 5, 4, 4 and 11 away; filled ones lie 3 from their own.
    assert found["fill_distances"] == {"intact": pytest.approx(4.5), "glass, glass, all": pytest.approx(3)}
    assert dict(lines(found))["verdict: more than chance"].startswith("0.500 (")


def test_a_pair_is_measured(package, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(trust, "make_phantom", lambda seed, index: make_phantom(seed, index, side=384))
    (row,) = measured(Scorer.open(package, "cpu"), count=1, seed=3, stage="layer4", method="Grad-CAM")
    assert row.label in ("0", "1+", "2+", "3+") and row.report.attribution.target == row.score
    assert len(row.features) == 9 and all(means.shape == (512,) for means in row.features.values())
    assert row.found.shape == (len(THRESHOLDS), 3)
    assert np.array_equal(row.found[:, 0] + row.found[:, 2], np.full(len(THRESHOLDS), row.found[0, [0, 2]].sum()))
    assert np.isfinite(row.random_lead)

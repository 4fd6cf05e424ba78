import numpy as np
import pytest

from her2viewer.export.trust_record import TrustRecord
from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston
from her2viewer.scoring.trust.findings import LIMIT, TrustReport
from her2viewer.scoring.trust.report import trust_report
from tests.scoring.trust.conftest import Weighing, attribution_of, evidence_of, explained_by, spots


@pytest.fixture(scope="module", params=["brown", "white"])
def report(request: pytest.FixtureRequest) -> TrustReport:
    picture = spots(0)
    if request.param == "brown":
        brown = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB).matrix[1]
        picture[10:20, 10:20] = 250 * 10 ** (-0.4 * brown)
    explained = explained_by(Weighing(np.ones((48, 96))))
    evidence = evidence_of(picture)
    return trust_report(explained, evidence, attribution_of(explained.values(picture)))


def test_a_file_brings_back_every_figure(report: TrustReport) -> None:
    record = TrustRecord.of(report)
    assert TrustRecord.model_validate_json(record.model_dump_json()) == record
    assert (record.verdict, record.headline, record.reasons) == (report.verdict, report.headline, report.reasons)
    assert record.limit == LIMIT
    curves, own = record.perturbation, report.perturbation
    assert curves.map.deletion == pytest.approx(own.of_map.deletion, abs=1e-6)
    assert curves.map.insertion_area == pytest.approx(own.of_map.insertion_area, abs=1e-6)
    assert len(curves.random) == len(own.random) and curves.lead == pytest.approx(own.lead, abs=1e-3)
    assert [turn.turn for turn in record.stability] == [turn.turn for turn in report.stability.turned]
    assert record.randomised.alike == pytest.approx(report.randomised.alike, abs=1e-6)
    assert record.thresholds.lead == report.thresholds.lead


def test_membrane_is_left_out_where_there_is_none(report: TrustReport) -> None:
    record = TrustRecord.of(report)
    if report.membrane is None:
        assert record.membrane is None
    else:
        assert record.membrane is not None
        assert record.membrane.map == pytest.approx(report.membrane.of_map, abs=1e-6)
        assert record.membrane.on == "DAB of any shape"

import dataclasses

import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.scoring.evidence import FieldPixels, MapRequest
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import Verdict
from her2viewer.scoring.trust.report import trust_report
from tests.scoring.trust.conftest import Weighing, attribution_of, evidence_of, explained_by, spots


def test_a_true_map_of_a_known_network_tells_more_than_chance(weights) -> None:
    network = Weighing(weights)
    evidence = evidence_of(spots(0))
    explained = explained_by(network)
    report = trust_report(explained, evidence, attribution_of(explained.values(evidence.network_input)))
    assert report.perturbation.of_map.deletion_area < report.perturbation.of_map.insertion_area
    assert report.perturbation.lead > report.thresholds.lead and report.randomised.alike < 0.5
    # It looks at one place whatever lies there, so turning the tissue finds it out.
    assert report.verdict is Verdict.UNKNOWN and "gets another map" in report.reasons[0]


def test_the_scorer_questions_any_map(package, field: FieldPixels) -> None:
    scorer = Scorer.open(package, "cpu")
    evidence = scorer.score(field)
    before = [parameter.clone() for parameter in scorer._network.parameters()]
    for request in (MapRequest("2+"), MapRequest("2+", "layer3", "LayerCAM", "1+")):
        attribution = scorer.attribution(evidence, request)
        report = scorer.trust(evidence, attribution, pixels=field, mpp=0.5)
        assert report.attribution is attribution
        assert report.randomised.attribution.request == request
        assert set(report.perturbation.fills) == set(Stain)
        assert len(report.stability.turned) == 3, "112 x 224 is not square"
        whole = report.perturbation.of_map.deletion[0]
        own = evidence.prediction.probability("2+")
        both = own + evidence.prediction.probability("1+")
        assert whole == pytest.approx(own if request.against is None else own / both, abs=1e-5)
        assert report.seconds > 0 and report.headline and report.reasons
        with pytest.raises(ValueError, match="read-only"):
            report.perturbation.of_map.deletion[0] = 1
    assert all((a == b).all() for a, b in zip(before, scorer._network.parameters(), strict=True))


def test_the_same_seed_gives_the_same_report(weights) -> None:
    explained = explained_by(Weighing(weights))
    evidence = evidence_of(spots(0))
    attribution = attribution_of(explained.values(evidence.network_input))
    one, again, other = (trust_report(explained, evidence, attribution, seed=seed) for seed in (4, 4, 5))
    assert one.reasons == again.reasons != other.reasons
    assert np.array_equal(one.randomised.attribution.values, again.randomised.attribution.values)


def test_a_blank_map_is_a_finding_of_its_own(weights) -> None:
    explained = explained_by(Weighing(weights))
    evidence = evidence_of(spots(0))
    values = -np.abs(explained.values(evidence.network_input)) - 1
    report = trust_report(explained, evidence, attribution_of(values))
    assert report.verdict is Verdict.BLANK and "no positive evidence for 1+" in report.headline


def test_an_ihc_alone_can_be_questioned(weights) -> None:
    explained = explained_by(Weighing(weights))
    evidence = evidence_of(spots(0), stains=(Stain.IHC,))
    values = explained.values(evidence.network_input)
    only = {Stain.IHC: evidence.prediction.fields[Stain.IHC]}
    report = trust_report(explained, evidence, dataclasses.replace(attribution_of(values), fields=only))
    assert report.perturbation.of_map.gap > 0


@pytest.mark.parametrize("after", [0, 3, 8, 12])
def test_it_can_be_cancelled_anywhere(weights, after: int) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > after

    explained = explained_by(Weighing(weights))
    evidence = evidence_of(spots(0))
    attribution = attribution_of(explained.values(evidence.network_input))
    with pytest.raises(Cancelled):
        trust_report(explained, evidence, attribution, cancelled=cancelled)

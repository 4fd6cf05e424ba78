from dataclasses import replace

import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.confidence import no_call_beside
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.explanation import explain
from her2viewer.scoring.membrane.agreement import Agreement, compare
from her2viewer.scoring.membrane.reading import read_field
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.what_if import what_if

AGAINST = Agreement(3, "The membranes say otherwise.", speaks_against=True)


@pytest.fixture(scope="module")
def scorer(package: ModelPackage) -> Scorer:
    return Scorer.open(package, "cpu")


def test_an_explanation_is_what_its_parts_say_alone(scorer: Scorer, field: FieldPixels) -> None:
    evidence, mpp = scorer.score(field), PixelSize(0.5, "typed")
    request = MapRequest("2+", "layer3", "HiResCAM")
    explanation = explain(scorer, field, evidence, request, mpp=mpp)
    assert [one.target for one in explanation.maps] == ["2+", "0", "1+", "3+"]
    assert all(one.request == replace(request, target=one.target) for one in explanation.maps)
    alone = scorer.trust(evidence, explanation.maps[0], pixels=field, mpp=0.5)
    assert explanation.trust.reasons == alone.reasons and explanation.trust.verdict is alone.verdict
    assert explanation.effects == scorer.stain_effects(evidence)
    assert explanation.what_if is not None and explanation.membranes is not None
    varied = what_if(scorer, field, evidence)
    assert explanation.what_if.borders == varied.borders
    assert np.array_equal(explanation.what_if.probabilities, varied.probabilities)
    reading = read_field(field, mpp, field_um=evidence.layout.field_um)
    assert explanation.membranes.counts == reading.counts
    assert explanation.agreement == compare(reading, evidence.prediction)


@pytest.mark.timeout(300)
def test_a_slow_method_is_asked_for_its_own_class_alone(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    explanation = explain(scorer, field, evidence, MapRequest("1+", method="Occlusion"))
    assert [one.target for one in explanation.maps] == ["1+"]


def test_membranes_that_speak_against_the_score_are_a_reason_for_no_call(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    silent = replace(evidence.prediction, no_call=None)
    assert no_call_beside(silent, AGAINST) == AGAINST.sentence
    assert no_call_beside(replace(silent, no_call="Blank."), AGAINST) == "Blank."
    assert no_call_beside(silent, replace(AGAINST, speaks_against=False)) is None
    assert no_call_beside(silent, None) is None
    evidence = replace(evidence, prediction=silent)
    explanation = explain(scorer, field, evidence, MapRequest("1+"))
    assert explanation.no_call is None or (explanation.agreement is not None and explanation.agreement.speaks_against)
    assert replace(explanation, agreement=AGAINST).no_call == AGAINST.sentence


def test_an_explanation_can_be_cancelled(scorer: Scorer, field: FieldPixels) -> None:
    evidence = scorer.score(field)
    with pytest.raises(Cancelled):
        explain(scorer, field, evidence, MapRequest("1+"), cancelled=lambda: True)


def test_without_an_ihc_there_are_no_membranes_and_no_what_if(package: ModelPackage, field: FieldPixels) -> None:
    manifest = package.manifest
    alone = manifest.input.model_copy(update={"optional": (Stain.IHC,)})
    free = replace(package, manifest=manifest.model_copy(update={"input": alone}))
    scorer = Scorer.open(free, "cpu")
    he = FieldPixels({Stain.HE: field.pixels[Stain.HE]}, {Stain.HE: field.fields[Stain.HE]})
    explanation = explain(scorer, he, scorer.score(he), MapRequest("1+"))
    assert explanation.membranes is None and explanation.agreement is None and explanation.what_if is None
    assert explanation.trust.membrane is None

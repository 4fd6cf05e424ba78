import json
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation

from her2viewer import RESEARCH_USE
from her2viewer.export.fhir import FIELD_NOT_CASE, observation, observation_line, observation_text
from her2viewer.export.results import ResultDocument

ANSWERS = {"0": "LA6111-4", "1+": "LA11841-6", "2+": "LA11842-4", "3+": "LA11843-2"}


def result(**changes: object) -> ResultDocument:
    image = {"file": "HE/S12.png", "width": 9, "height": 9, "sha256": "a" * 64, "mpp": None, "mpp_origin": None}
    told = {
        "case_id": "S12",
        "images": {"he": image, "ihc": image | {"file": "IHC/S12.png", "sha256": "b" * 64}},
        "model": {"name": "her2-resnet18", "version": "1.2", "sha256": "c" * 64},
        "field": {"ihc": {"x": 0, "y": 0, "width": 9, "height": 9}},
        "score": "2+",
        "probabilities": {"0": 0.02, "1+": 0.21, "2+": 0.7, "3+": 0.07},
        "prediction_set": ["1+", "2+"],
        "no_call": None,
        "checks": [],
        "warnings": ["IHC: palette expanded"],
        "device": "CPU",
        "precision": "fp32",
        "seconds": 0.1,
        "app_version": "0.9",
        "utc": "2026-11-30T10:00:00Z",
    }
    return ResultDocument.model_validate(told | changes)


@pytest.mark.parametrize("score", ANSWERS)
def test_each_score_has_its_answer_and_a_fhir_library_takes_it(score: str) -> None:
    text = observation_text(result(score=score))
    read = Observation.model_validate_json(text)
    assert read.status == "preliminary"
    (code,) = read.code.coding
    assert (code.system, code.code) == ("http://loinc.org", "85319-2")
    (answer,) = read.valueCodeableConcept.coding
    assert (answer.system, answer.code, answer.display) == ("http://loinc.org", ANSWERS[score], score)
    (meant,) = read.interpretation[0].coding
    assert meant.code == {"0": "NEG", "1+": "NEG", "2+": "E", "3+": "POS"}[score]
    assert [note.text for note in read.note[:2]] == [RESEARCH_USE, FIELD_NOT_CASE]
    # What the library reads and writes again is what was written: no field that R4 does not know was passed over.
    assert json.loads(read.model_dump_json(exclude_none=True)) == json.loads(text)


def test_probabilities_model_and_images_stand_in_it() -> None:
    read = Observation.model_validate(observation(result()))
    shares = {part.code.text: part.valueQuantity for part in read.component if part.valueQuantity is not None}
    assert {name: float(quantity.value) for name, quantity in shares.items()} == {
        f"Probability of score {name}": share for name, share in result().probabilities.items()
    }
    assert {quantity.code for quantity in shares.values()} == {"1"}
    (device,) = read.contained
    assert read.device.reference == f"#{device.id}"
    assert {version.value for version in device.version} == {"1.2", "c" * 64, "0.9"}
    words = {part.code.text: part.valueString for part in read.component if part.valueString is not None}
    assert words["Prediction set"] == "1+, 2+" and words["SHA-256 of the IHC image"] == "b" * 64


def test_without_a_call_the_answer_is_indeterminate() -> None:
    read = Observation.model_validate(observation(result(no_call="There is no tissue.")))
    assert read.valueCodeableConcept.coding[0].code == "LA11884-6" and read.interpretation[0].coding[0].code == "IND"
    assert "No call: There is no tissue." in [note.text for note in read.note]
    assert any(part.valueString == "2+" for part in read.component)
    assert "LA11842-4" not in observation_text(result(no_call="There is no tissue."))


def test_whose_tissue_it_is_stands_there_only_where_it_was_given() -> None:
    assert "subject" not in observation(result()) and "subject" not in observation(result(), subject=" ")
    read = Observation.model_validate(observation(result(), subject="P-7"))
    assert read.subject.identifier.value == "P-7" and read.subject.reference is None


def test_files_are_not_named_and_the_same_result_gives_the_same_bytes() -> None:
    text = observation_text(result())
    assert ".png" not in text and "HE/" not in text
    assert text == observation_text(result()) and text != observation_text(result(score="3+"))
    line = observation_line(result())
    assert line.count("\n") == 1 and json.loads(line) == json.loads(text)


def test_classes_that_loinc_does_not_know_stay_words() -> None:
    read = Observation.model_validate(
        observation(result(score="low", probabilities={"low": 0.9, "high": 0.1}, prediction_set=[]))
    )
    assert read.valueCodeableConcept.coding is None and read.valueCodeableConcept.text == "low"
    assert read.interpretation[0].coding[0].code == "IND"


def test_an_ihc_alone(tmp_path: Path) -> None:
    told = result().model_dump(by_alias=True, mode="json")
    told["images"].pop("he")
    read = Observation.model_validate(observation(ResultDocument.model_validate(told)))
    assert "IHC alone" in read.method.text

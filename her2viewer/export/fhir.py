"""A result as an Observation of HL7 FHIR R4, for systems of a hospital or a registry; of a field, preliminary, never of a case.

LOINC 85319-2 with its answer list LL4396-9. Read by R4 (4.0.1) and R4B alike: the resource did not change between them.
"""

import json
from typing import Any, Final
from uuid import UUID, uuid5

from her2viewer import RESEARCH_USE
from her2viewer.export.results import ResultDocument, json_text

FIELD_NOT_CASE: Final = (
    "Predicted by a network from one field. ASCO/CAP scores the whole invasive component: this is not the HER2 status of "
    "the case."
)
"""Stands on every Observation, beside the research-use sentence."""

_LOINC: Final = "http://loinc.org"
_UCUM: Final = "http://unitsofmeasure.org"
_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_URI: Final = "urn:ietf:rfc:3986"
_OURS: Final = UUID("6d7c9a8e-6f0b-5a52-9f0e-4845523256d1")
"""The space of names in which a result's id is made."""

_CODE: Final = ("85319-2", "HER2 [Presence] in Breast cancer specimen by Immune stain")
_ANSWERS: Final = {"0": "LA6111-4", "1+": "LA11841-6", "2+": "LA11842-4", "3+": "LA11843-2"}
_INDETERMINATE: Final = "LA11884-6"
_READ_AS: Final = {
    "0": ("NEG", "Negative"),
    "1+": ("NEG", "Negative"),
    "2+": ("E", "Equivocal"),
    "3+": ("POS", "Positive"),
}
"""ASCO/CAP 2018 and 2023, Figure 1: by immunohistochemistry 0 and 1+ are negative, 2+ equivocal, 3+ positive."""


def observation(result: ResultDocument, *, subject: str | None = None) -> dict[str, Any]:
    """The Observation as plain JSON data. `subject`: the identifier of whose tissue it is, where the user gives one.

    Without a call the answer is 'indeterminate'; what the network would have said stands among the components. Nothing in it was
    drawn at random: the same result gives the same bytes and the same id.
    """
    called = result.no_call is None
    found: dict[str, Any] = {
        "resourceType": "Observation",
        "id": str(uuid5(_OURS, json_text(result))),
        "contained": [_model(result)],
        "identifier": [{"value": result.case_id}],
        "status": "preliminary",
        "category": [{"coding": [_coding(_CATEGORY, "laboratory", "Laboratory")]}],
        "code": {"coding": [_coding(_LOINC, *_CODE)], "text": "HER2 immunohistochemistry score of one field"},
    }
    if subject is not None and subject.strip():
        found["subject"] = {"identifier": {"value": subject.strip()}}
    found |= {
        "issued": result.utc.isoformat().replace("+00:00", "Z"),
        "valueCodeableConcept": _answer(result.score) if called else _no_answer(),
        "interpretation": [_interpretation(result.score if called else None)],
        "note": [{"text": text} for text in _notes(result)],
        "method": {"text": _method(result)},
        "device": {"reference": "#model", "display": f"{result.model.name} {result.model.version}"},
        "component": _components(result, called),
    }
    return found


def observation_text(result: ResultDocument, *, subject: str | None = None) -> str:
    """The Observation as it stands in a file."""
    return json.dumps(observation(result, subject=subject), ensure_ascii=False, indent=2) + "\n"


def observation_line(result: ResultDocument, *, subject: str | None = None) -> str:
    """The Observation as one line of an .ndjson file, as FHIR's bulk data has them."""
    return json.dumps(observation(result, subject=subject), ensure_ascii=False, separators=(",", ":")) + "\n"


def _model(result: ResultDocument) -> dict[str, Any]:
    """The model as the Device that measured, contained in the Observation."""
    model = result.model
    return {
        "resourceType": "Device",
        "id": "model",
        "identifier": [{"system": _URI, "value": f"urn:sha256:{model.sha256}"}],
        "deviceName": [{"name": model.name, "type": "model-name"}],
        "version": [
            {"type": {"text": "model"}, "value": model.version},
            {"type": {"text": "SHA-256 of the weights"}, "value": model.sha256},
            {"type": {"text": "HER2 Viewer"}, "value": result.app_version},
        ],
        "note": [{"text": RESEARCH_USE}],
    }


def _answer(score: str) -> dict[str, Any]:
    """A score; in words alone where a model has classes that LOINC does not know."""
    code = _ANSWERS.get(score)
    return {"text": score} if code is None else {"coding": [_coding(_LOINC, code, score)], "text": score}


def _no_answer() -> dict[str, Any]:
    return {"coding": [_coding(_LOINC, _INDETERMINATE, "Indeterminate")], "text": "Indeterminate: no call"}


def _interpretation(score: str | None) -> dict[str, Any]:
    code, name = ("IND", "Indeterminate") if score is None else _READ_AS.get(score, ("IND", "Indeterminate"))
    return {"coding": [_coding(_INTERPRETATION, code, name)], "text": f"{name}, as a score of this field alone"}


def _notes(result: ResultDocument) -> list[str]:
    notes = [RESEARCH_USE, FIELD_NOT_CASE]
    if result.no_call is not None:
        notes.append(f"No call: {result.no_call}")
    said = [check.message for check in result.checks if check.message != result.no_call]
    return [*notes, *(f"Check: {message}" for message in said), *(f"Note: {warning}" for warning in result.warnings)]


def _method(result: ResultDocument) -> str:
    stains = "IHC alone" if result.images.he is None else "H&E and IHC"
    return f"HER2 Viewer {result.app_version}, model {result.model.name} {result.model.version}, on {stains}"


def _components(result: ResultDocument, called: bool) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {
            "code": {"text": f"Probability of score {name}"},
            "valueQuantity": {"value": round(share, 6), "unit": "1", "system": _UCUM, "code": "1"},
        }
        for name, share in result.probabilities.items()
    ]
    if result.prediction_set:
        parts.append({"code": {"text": "Prediction set"}, "valueString": ", ".join(result.prediction_set)})
    if not called:
        parts.append({"code": {"text": "Most probable score, without a call"}, "valueString": result.score})
    for stain, image in (("H&E", result.images.he), ("IHC", result.images.ihc)):
        if image is not None:
            parts.append({"code": {"text": f"SHA-256 of the {stain} image"}, "valueString": image.sha256})
    return parts


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": system, "code": code, "display": display}

"""The explanation file: what questions one result, in figures and words. Its maps lie beside it as arrays."""

from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, Self

import numpy as np
from pydantic import Field

from her2viewer import RESEARCH_USE
from her2viewer.export.files import write_atomic
from her2viewer.export.membrane_record import MembraneRecord
from her2viewer.export.results import ModelRecord, ResultDocument, Section, Share, Words
from her2viewer.export.trust_record import TrustRecord
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.explanation import Explanation
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.stain_effect import StainEffect
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.what_if import WhatIf

SCHEMA: Final = "her2viewer.explanation/1"

_Probabilities = Annotated[dict[str, Share], Field(min_length=2, max_length=16)]


class MapRecord(Section):
    """A map of the arrays file, by the name of its array: (rows, columns) float32 over the network's input, IHC and H&E as they
    lie in it. `peak` in `unit`; `peaks`: of each stain's own part.
    """

    array: str
    target: str
    against: str | None
    stage: str
    method: Words
    unit: Words
    peak: Annotated[float, Field(ge=0)]
    peaks: dict[Stain, Annotated[float, Field(ge=0)]]


class ExaminedRecord(Section):
    """One check of the input: `passed` where `figure` lies on the right side of `threshold`; `message` is said where it fails."""

    name: str
    stain: Stain | None
    title: Words
    figure: float
    threshold: float
    at_least: bool
    passed: bool
    message: Words

    @classmethod
    def of(cls, examined: Examined) -> Self:
        return cls(
            name=examined.name,
            stain=examined.stain,
            title=examined.title,
            figure=round(examined.figure, 6),
            threshold=examined.threshold,
            at_least=examined.at_least,
            passed=examined.passed,
            message=examined.message,
        )


class EffectRecord(Section):
    """What the model says without one stain."""

    stain: Stain
    change: Literal["missing", "blank"]
    probabilities: _Probabilities
    words: Words

    @classmethod
    def of(cls, effect: StainEffect) -> Self:
        return cls(
            stain=effect.stain,
            change=effect.change,
            probabilities=_named(effect.classes, effect.after),
            words=effect.words,
        )


class BorderRecord(Section):
    """Where the score changes, in times of the field's own DAB."""

    factor: Annotated[float, Field(ge=0)]
    below: str
    above: str


class WhatIfRecord(Section):
    """The probabilities of each class along the strength of the DAB, at each of `factors`."""

    factors: Annotated[tuple[float, ...], Field(min_length=1, max_length=1024)]
    probabilities: dict[str, tuple[Share, ...]]
    borders: tuple[BorderRecord, ...]
    words: Words

    @classmethod
    def of(cls, varied: WhatIf) -> Self:
        columns = varied.probabilities.T.round(6).tolist()
        return cls(
            factors=tuple(varied.factors.round(6).tolist()),
            probabilities={name: tuple(column) for name, column in zip(varied.classes, columns, strict=True)},
            borders=tuple(
                BorderRecord(factor=round(one.factor, 4), below=one.below, above=one.above) for one in varied.borders
            ),
            words=varied.words,
        )


class ExplanationDocument(Section):
    """`her2viewer.explanation/1`: beside the result of the same `case_id`. What is None could not be asked (no IHC)."""

    schema_: Annotated[Literal["her2viewer.explanation/1"], Field(alias="schema")] = SCHEMA
    case_id: str
    model: ModelRecord
    score: str
    probabilities: _Probabilities
    prediction_set: tuple[str, ...]
    no_call: Words | None
    checks: tuple[ExaminedRecord, ...]
    arrays: str
    maps: Annotated[tuple[MapRecord, ...], Field(min_length=1)]
    trust: TrustRecord
    without: tuple[EffectRecord, ...]
    membranes: MembraneRecord | None
    what_if: WhatIfRecord | None
    note: str = RESEARCH_USE

    @property
    def text(self) -> str:
        """As it stands in the file."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    @classmethod
    def of(cls, explanation: Explanation, result: ResultDocument, arrays: str) -> Self:
        """result: the one that is explained; arrays: the name of the file of `write_arrays`."""
        evidence, membranes, varied = explanation.evidence, explanation.membranes, explanation.what_if
        return cls(
            case_id=result.case_id,
            model=result.model,
            score=result.score,
            probabilities=result.probabilities,
            prediction_set=result.prediction_set,
            no_call=explanation.no_call,
            checks=tuple(map(ExaminedRecord.of, evidence.guard.examined)),
            arrays=arrays,
            maps=tuple(_map(one, evidence.layout.order) for one in explanation.maps),
            trust=TrustRecord.of(explanation.trust),
            without=tuple(map(EffectRecord.of, explanation.effects)),
            membranes=None if membranes is None else MembraneRecord.of(membranes, explanation.agreement),
            what_if=None if varied is None else WhatIfRecord.of(varied),
        )


def save_arrays(file: BinaryIO, explanation: Explanation) -> None:
    """The maps as NumPy's `.npz`, by the names that the explanation file gives them; and `untrained`, the first map of a network
    with random weights.
    """
    arrays = {_array(one): one.values for one in explanation.maps}
    arrays["untrained"] = explanation.trust.randomised.attribution.values
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # it has a keyword of its own


def write_explanation(path: Path, document: ExplanationDocument) -> None:
    """Whole or not at all. Raises ExportError."""
    with write_atomic(path) as file:
        file.write(document.text.encode())


def write_arrays(path: Path, explanation: Explanation) -> None:
    """As `save_arrays`, whole or not at all. Raises ExportError."""
    with write_atomic(path) as file:
        save_arrays(file, explanation)


def _map(one: Attribution, order: tuple[Stain, ...]) -> MapRecord:
    return MapRecord(
        array=_array(one),
        target=one.target,
        against=one.against,
        stage=one.stage,
        method=one.title,
        unit=one.unit,
        peak=round(one.peak, 6),
        peaks={stain: round(one.peak_of(stain), 6) for stain in order},
    )


def _array(one: Attribution) -> str:
    return f"class {one.target}" if one.against is None else f"class {one.target} against {one.against}"


def _named(classes: tuple[str, ...], row: tuple[float, ...]) -> dict[str, float]:
    return {name: round(share, 6) for name, share in zip(classes, row, strict=True)}

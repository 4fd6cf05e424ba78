"""A field's score in a file, beside others of its kind: the same words as in a result file."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from her2viewer.cases.field_score import FieldScore
from her2viewer.export.results import FieldRecord, ModelRecord, Section, Share, Words
from her2viewer.scoring.prediction import FieldOfView, ModelIdentity

_Class = Annotated[str, Field(min_length=1, max_length=40)]


class ScoreRecord(Section):
    """A `FieldScore`, but for its field and model, which stand beside it, once for many. Names no place of this machine."""

    kind: Literal["scored"] = "scored"
    score: _Class
    probabilities: Annotated[dict[_Class, Share], Field(min_length=2, max_length=16)]
    prediction_set: Annotated[tuple[_Class, ...], Field(max_length=16)] = ()
    no_call: Words | None = None
    warnings: Annotated[tuple[Words, ...], Field(max_length=16)] = ()
    caution: Words = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        unknown = {self.score, *self.prediction_set} - set(self.probabilities)
        if unknown:
            raise ValueError(f"no probability stands for {', '.join(sorted(unknown))}")
        if abs(sum(self.probabilities.values()) - 1) > 1e-3:
            raise ValueError("the probabilities do not sum to 1")
        return self

    @classmethod
    def of(cls, score: FieldScore) -> Self:
        return cls(
            score=score.score,
            probabilities=dict(zip(score.classes, score.probabilities, strict=True)),
            prediction_set=score.prediction_set,
            no_call=score.no_call,
            warnings=score.warnings,
            caution=score.caution,
        )

    def field_score(self, field: FieldOfView, model: ModelIdentity, alignment: str = "") -> FieldScore:
        return FieldScore(
            field=field,
            score=self.score,
            classes=tuple(self.probabilities),
            probabilities=tuple(self.probabilities.values()),
            prediction_set=self.prediction_set,
            no_call=self.no_call,
            warnings=self.warnings,
            model=model,
            caution=self.caution,
            alignment=alignment,
        )


def field_record(field: FieldOfView) -> FieldRecord:
    """A field as a result file has it."""
    return FieldRecord(x=field.x, y=field.y, width=field.width, height=field.height)


def field_of(record: FieldRecord) -> FieldOfView:
    """A field as it was before it stood in a file."""
    return FieldOfView(record.x, record.y, record.width, record.height)


def model_record(model: ModelIdentity) -> ModelRecord:
    """A model as a result file has it."""
    return ModelRecord(name=model.name, version=model.version, sha256=model.sha256)


def model_of(record: ModelRecord) -> ModelIdentity:
    """A model as it was before it stood in a file."""
    return ModelIdentity(record.name, record.version, record.sha256)

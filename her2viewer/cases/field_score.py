"""What is kept of a prediction with a field: plain data, without the pixels and maps that it came from."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from her2viewer.scoring.prediction import FieldOfView, ModelIdentity, Prediction
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class FieldScore:
    """A field-level prediction, never a case status. `field`: what was scored, in level-0 pixels of the IHC image.

    The rest as in `Prediction`: `probabilities` in the order of `classes`, `no_call` a reason in words or None. `warnings` are
    the messages of its checks, `caution` the model's own sentence or empty.
    """

    field: FieldOfView
    score: str
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    prediction_set: tuple[str, ...]
    no_call: str | None
    warnings: tuple[str, ...]
    model: ModelIdentity
    caution: str = ""

    @property
    def probability(self) -> float:
        """Of the class that is its score."""
        return self.probabilities[self.classes.index(self.score)]


def field_score(prediction: Prediction, field: FieldOfView | None = None) -> FieldScore:
    """What is kept of a prediction. `field` is the IHC's own unless given, where the model saw the H&E alone."""
    return FieldScore(
        field=field or prediction.fields[Stain.IHC],
        score=prediction.score,
        classes=prediction.classes,
        probabilities=prediction.probabilities,
        prediction_set=prediction.prediction_set,
        no_call=prediction.no_call,
        warnings=tuple(check.message for check in prediction.checks),
        model=prediction.model,
        caution=prediction.caution,
    )


class FileSection(BaseModel):
    """A section of a file of the cases: no other keys, no infinities, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(max_length=2000)]
_Class = Annotated[str, Field(min_length=1, max_length=40)]
_Pixels = Annotated[float, Field(ge=-1e9, le=1e9)]
_Share = Annotated[float, Field(ge=0, le=1)]


class FieldRecord(FileSection):
    """A field in a file, level-0 pixels."""

    x: _Pixels
    y: _Pixels
    width: Annotated[float, Field(gt=0, le=1e9)]
    height: Annotated[float, Field(gt=0, le=1e9)]

    @classmethod
    def of(cls, field: FieldOfView) -> Self:
        return cls(x=field.x, y=field.y, width=field.width, height=field.height)

    def field(self) -> FieldOfView:
        return FieldOfView(self.x, self.y, self.width, self.height)


class ModelRecord(FileSection):
    """A model in a file; `sha256` is of its weights."""

    name: Annotated[str, Field(max_length=80)]
    version: Annotated[str, Field(max_length=40)]
    sha256: Sha256

    @classmethod
    def of(cls, model: ModelIdentity) -> Self:
        return cls(name=model.name, version=model.version, sha256=model.sha256)

    def identity(self) -> ModelIdentity:
        return ModelIdentity(self.name, self.version, self.sha256)


class ScoreRecord(FileSection):
    """A `FieldScore` in a file, but for its field and model, which stand once beside many of them."""

    kind: Literal["scored"] = "scored"
    score: _Class
    probabilities: Annotated[dict[_Class, _Share], Field(min_length=2, max_length=16)]
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

    def field_score(self, field: FieldOfView, model: ModelIdentity) -> FieldScore:
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
        )

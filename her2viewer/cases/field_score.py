"""What is kept of a prediction with a field: plain data, without the pixels and maps that it came from."""

from dataclasses import dataclass

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

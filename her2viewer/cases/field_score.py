"""What is kept of a prediction with a field: plain data, without the pixels and maps that it came from."""

from dataclasses import dataclass

from her2viewer.scoring.prediction import FieldOfView, ModelIdentity, Prediction
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class FieldScore:
    """A field-level prediction, never a case status. `field`: what was scored, in level-0 pixels of the IHC image.

    The rest as in `Prediction`: `probabilities` in the order of `classes`, `no_call` a reason in words or None. `warnings` are
    the messages of its checks, `caution` the model's own sentence or empty. `alignment`: what tells the alignment through which
    the H&E was read from another; empty for the one that is assumed.
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
    alignment: str = ""

    @property
    def probability(self) -> float:
        """Of the class that is its score."""
        return self.probabilities[self.classes.index(self.score)]


def field_score(prediction: Prediction, field: FieldOfView | None = None, alignment: str = "") -> FieldScore:
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
        alignment=alignment,
    )


def outdated_words(
    made_by: ModelIdentity, read_through: str, model: ModelIdentity | None, alignment: str | None
) -> str:
    """Why a score is no longer what scoring now would give, in a sentence; empty where it still is.

    model, alignment: those of now, None where they are not known, which outdates nothing.
    """
    why = []
    if model is not None and model.sha256 != made_by.sha256:
        why.append(f"by another model ({made_by})")
    if alignment is not None and alignment != read_through:
        why.append("with another alignment of the H&E")
    return f"Outdated: scored {' and '.join(why)}. Score it again." if why else ""

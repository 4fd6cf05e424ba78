"""What the score panel says. Pure."""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from her2viewer.gui.membranes.resolve import agreement_of, second_reader
from her2viewer.gui.state import ModelPhase, ScorePhase, State
from her2viewer.scoring.confidence import no_call_beside, set_in_words
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.stains import Stain


class ScoreFace(Enum):
    """The faces of the score panel."""

    EMPTY = auto()
    NO_MODEL = auto()
    READY = auto()
    WORKING = auto()
    SCORED = auto()
    SEALED = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class ScoreShown:
    """The score panel. `title` and `text` stand where there is no score; `fraction` is None where progress is unknown.

    `answer` is what stands in large type, with `kind` beside it: the score, or that there is none to be called.
    """

    face: ScoreFace
    title: str
    text: str
    prediction: Prediction | None = None
    answer: str = ""
    kind: str = ""
    set_words: str = ""
    set_more: str = ""
    against: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    can_score: bool = False
    stale: bool = False
    offers_swap: bool = False
    fraction: float | None = None
    subject: str = ""
    """The field that it is of, empty for the whole image."""


def resolve_score(state: State) -> ScoreShown:
    """What the score panel shows."""
    key = state.scoring.key
    return replace(
        _resolve_score(state), subject=state.fields.title(key) or "A deleted field" if key is not None else ""
    )


def _resolve_score(state: State) -> ScoreShown:
    scoring, model = state.scoring, state.model
    ready = state.scorable is not None and model.phase is not ModelPhase.FAILED
    if scoring.phase is ScorePhase.SCORED and scoring.evidence is not None:
        return _scored(state, scoring.evidence.prediction)
    if scoring.phase is ScorePhase.SEALED:
        return ScoreShown(ScoreFace.SEALED, "Scored, and hidden", _SEALED)
    if scoring.phase is ScorePhase.SCORING:
        loading = model.phase in (ModelPhase.WAITING, ModelPhase.LOADING)
        title = "Loading the model" if loading else "Scoring"
        text = "The score follows as soon as it is there." if loading else scoring.progress.text
        total = scoring.progress.total
        return ScoreShown(ScoreFace.WORKING, title, text, fraction=scoring.progress.done / total if total else None)
    if scoring.phase is ScorePhase.FAILED and scoring.error is not None:
        return ScoreShown(ScoreFace.STOPPED, "Not scored", str(scoring.error), can_score=ready)
    if scoring.phase is ScorePhase.CANCELLED:
        return ScoreShown(ScoreFace.STOPPED, "Cancelled", "Scoring was stopped. Nothing was changed.", can_score=ready)
    if model.phase is ModelPhase.FAILED and model.error is not None:
        return ScoreShown(ScoreFace.NO_MODEL, "No model", f"{model.error} Images can still be viewed.")
    if state.scorable is None:
        return ScoreShown(ScoreFace.EMPTY, "No pair yet", _missing(state))
    if state.model_hidden:
        return ScoreShown(ScoreFace.READY, "Not scored yet", _BLIND, can_score=True)
    if state.pair is None:
        return ScoreShown(ScoreFace.READY, "Not scored yet", _ALONE, can_score=True)
    return ScoreShown(ScoreFace.READY, "Not scored yet", _before(state) or "Press S to score this field.", can_score=True)


def _before(state: State) -> str:
    """What was kept of an earlier day; empty where nothing was."""
    kept = state.readings.prediction
    if kept is None:
        return ""
    told = f"no call, most likely {kept.score}" if kept.no_call else kept.score
    return f"On {kept.utc[:10]} {kept.model} scored it: {told}. Press S to see that with its map."


_SEALED: Final = "The model has spoken. What it says is shown as soon as you have given your own score."
_BLIND: Final = "Press S to score this field; the score stays hidden until you have given your own."

_ALONE: Final = (
    "Open the H&E image of the same tissue, then press S. Without it S scores the IHC alone, where the model can: such a score "
    "rests on one stain."
)


def _missing(state: State) -> str:
    missing = [stain.caption for stain in Stain if state.image(stain) is None]
    if len(missing) == 2:
        return "Open an H&E and the HER2 IHC image of the same tissue, then press S."
    return f"Open the {missing[0]} image of the same tissue, then press S."


def _scored(state: State, prediction: Prediction) -> ScoreShown:
    coverage = state.model.facts.coverage if state.model.facts is not None else None
    alignment = state.scoring.alignment
    laid = (("H&E", alignment.words),) if alignment is not None and alignment.origin != "assumed" else ()
    agreement = agreement_of(state)
    no_call = prediction.no_call if agreement is None else no_call_beside(prediction, agreement)
    against = [no_call] if no_call else []
    if agreement is not None and agreement.speaks_against and agreement.sentence != no_call:
        against.append(agreement.sentence)
    if state.score_is_stale:
        of_field = state.scoring.key is not None
        again = "Press Shift+S to score the field again." if of_field else "Press S to score them again."
        against.insert(0, f"The alignment of the images has changed since they were scored. {again}")
    against += [check.message for check in prediction.checks if check.message not in (prediction.no_call or "")]
    if prediction.caution:
        against.append(prediction.caution)
    return ScoreShown(
        ScoreFace.SCORED,
        "",
        "",
        prediction,
        "No call" if no_call else prediction.score,
        f"Most likely {prediction.score}" if no_call else "Field-level prediction",
        prediction_set_words(prediction.prediction_set, coverage),
        prediction_set_more(coverage),
        tuple(against),
        (
            *second_reader(state),
            ("Model", str(prediction.model)),
            ("Device", f"{prediction.device}, {prediction.precision}"),
            (
                "Time",
                f"{prediction.seconds:.2f} s" if prediction.seconds >= 0.1 else f"{prediction.seconds * 1e3:.0f} ms",
            ),
            *laid,
        ),
        can_score=True,
        stale=state.score_is_stale,
        offers_swap=any(check.name == "stains_swapped" for check in prediction.checks),
    )


def prediction_set_words(members: tuple[str, ...], coverage: float | None) -> str:
    """The prediction set in words, the classes first: '1+ or 2+, at 90% coverage'."""
    if coverage is None or not members:
        return "This model has no measured prediction sets."
    return f"{'Only ' if len(members) == 1 else ''}{set_in_words(members)}, at {coverage:.0%} coverage"


def prediction_set_more(coverage: float | None) -> str:
    """What coverage means, for who points at the set."""
    if coverage is None:
        return ""
    return (
        f"Of 100 fields like those that the sets were made with, {100 * coverage:.0f} have their label in the set. For other "
        "fields nothing is promised: the model card says what was measured."
    )

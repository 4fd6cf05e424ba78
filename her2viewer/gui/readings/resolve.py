"""From the state to the section 'Your score'. Pure; every word of it is chosen here."""

from dataclasses import dataclass
from typing import Final

from her2viewer.cases.library.records import NOT_ASSESSABLE, READER_SCORES, Reading, ReadingKind
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.readings.state import LibraryPhase
from her2viewer.gui.state import State

SCORE_ACTIONS: Final = dict(zip(READER_SCORES, (Id.READ_0, Id.READ_1, Id.READ_2, Id.READ_3, Id.READ_NOT), strict=True))
"""The action that gives each score."""

_ORDER: Final = ("0", "1+", "2+", "3+")


@dataclass(frozen=True, slots=True)
class ReadingShown:
    """The section. `words`: how the reader's score stands to the model's, or what to do; `apart`: whether the two differ.

    `case`: which one it is of, 0 for none; `reason`, `tags`, `notes`: as they are kept.
    """

    can: bool
    words: str
    score: str = ""
    apart: bool = False
    blind: bool = False
    case: int = 0
    reason: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    known_tags: tuple[str, ...] = ()


def resolve_reading(state: State) -> ReadingShown:
    """What the section shows."""
    readings = state.readings
    if readings.phase is LibraryPhase.FAILED:
        return ReadingShown(False, f"{readings.error} No reading can be kept.", blind=readings.blind)
    case, reading = readings.case, readings.reading
    if case is None:
        words = "Open a pair to read it." if state.scorable is None else ""
        return ReadingShown(False, words, blind=readings.blind)
    words, apart = _beside(reading, model_score(state)) if reading is not None else (_waiting(state), False)
    return ReadingShown(
        True,
        words,
        reading.score if reading is not None else "",
        apart,
        readings.blind,
        case.id,
        reading.reason if reading is not None else "",
        case.tags,
        case.notes,
        readings.tags,
    )


def model_score(state: State) -> str | None:
    """What the model says of the whole case, as far as the reader may know it."""
    if state.model_hidden:
        return None
    evidence, kept = state.scoring.evidence, state.readings.prediction
    if evidence is not None and state.scoring.key is None:
        return evidence.prediction.score
    return kept.score if kept is not None else None


def _waiting(state: State) -> str:
    if state.model_hidden:
        return "The model is hidden until you have scored (keys 6 to 9, or 5 where it cannot be assessed)."
    return "By a key: 6 to 9 for 0 to 3+, 5 where it cannot be assessed."


def _beside(reading: Reading, now: str | None) -> tuple[str, bool]:
    """The two scores in a sentence, and whether they differ."""
    model = reading.model_score or now
    took = f" Read in {duration(reading.seconds)}." if reading.seconds is not None else ""
    if model is None:
        own = "Not assessable. " if reading.score == NOT_ASSESSABLE else ""
        return f"{own}The model has not scored this case.{took}", False
    if reading.score == NOT_ASSESSABLE:
        return f"Not assessable; the model says {model}.{took}", False
    first = reading.kind is ReadingKind.BLIND
    if reading.score == model:
        return f"The model agrees: {model}. {'You scored first.' if first else 'You had seen it.'}{took}", False
    steps = abs(_ORDER.index(reading.score) - _ORDER.index(model)) if model in _ORDER else 0
    apart = f", {('one step', 'two steps', 'three steps')[steps - 1]} apart" if steps else ""
    if first:
        return f"The model says {model}{apart}. You scored first.{took}", True
    return f"Overridden: the model says {model}{apart}, which you had seen.{took}", True


def duration(seconds: float) -> str:
    """'14 s', '3 min 5 s'."""
    whole = max(round(seconds), 1)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"

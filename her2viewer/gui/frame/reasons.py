"""Why an action is not possible just now, in a sentence that says what to do. Pure."""

from typing import Final

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.resolve import enabled_actions
from her2viewer.gui.readings.state import LibraryPhase
from her2viewer.gui.state import ModelPhase, ScorePhase, State
from her2viewer.scoring.stains import Stain

_LOOKING: Final = (
    Id.SWAP,
    Id.FIT,
    Id.ONE_TO_ONE,
    Id.ZOOM_IN,
    Id.ZOOM_OUT,
    Id.PAN_LEFT,
    Id.PAN_RIGHT,
    Id.PAN_UP,
    Id.PAN_DOWN,
)
_EXPLAINING: Final = (
    Id.OVERLAY,
    Id.MORE_OPACITY,
    Id.LESS_OPACITY,
    Id.NEXT_CLASS,
    Id.PREVIOUS_CLASS,
    Id.EXPORT,
    Id.EXPORT_EVIDENCE,
    Id.WHAT_IF,
    Id.QUESTION_MAP,
)


_OF_FIELDS: Final = {
    Id.SCORE_FIELD: "Select a field first.",
    Id.SCORE_OUTDATED: "Nothing is outdated.",
    Id.GRID: "Open a pair first (Ctrl+O), and let a grid that runs come to its end.",
    Id.PAUSE_GRID: "No grid is under way.",
    Id.EXPORT_FIELDS: "Draw a field first (R).",
    Id.SAVE_MAP: "Score a grid first (T).",
    Id.LOAD_MAP: "Open a pair first (Ctrl+O).",
}
_READING: Final = (Id.READ_0, Id.READ_1, Id.READ_2, Id.READ_3, Id.READ_NOT, Id.EDIT_TAGS, Id.EDIT_NOTES)
HIDDEN: Final = "The model is hidden: give your own score first (6 to 9, or 5)."


def _first(state: State, can: bool, words: str) -> str:
    """Why something about fields cannot be done; empty where it can."""
    if can:
        return ""
    return HIDDEN if state.model_hidden else words


def _reading(state: State) -> str:
    if state.readings.phase is LibraryPhase.FAILED:
        return "The case library cannot be opened."
    return "" if state.readings.case is not None else "Open a pair first (Ctrl+O)."


def reasons(state: State) -> dict[Id, str]:
    """The reason for each action that can be barred; empty where nothing bars it."""
    some = any(state.image(stain) is not None for stain in Stain)
    why = dict.fromkeys(_LOOKING, "" if some else "Open an image first.")
    scored = state.scoring.evidence is not None
    first = HIDDEN if state.model_hidden else "Score the pair first (S)."
    why.update(dict.fromkeys(_EXPLAINING, "" if scored else first))
    if scored and state.exporting is not None:
        why |= dict.fromkeys((Id.EXPORT, Id.EXPORT_EVIDENCE), "An export is being written; wait for it.")
    why[Id.SCORE] = _scoring(state)
    why[Id.UNTRAINED_MAP] = "" if state.trust.report is not None else "Question the map first (Q)."
    ihc = "" if state.scorable is not None else "Open an IHC image first."
    why.update(dict.fromkeys((Id.READ_MEMBRANES, Id.SHOW_CELLS), HIDDEN if state.model_hidden else ihc))
    can = enabled_actions(state)
    why.update({action: _first(state, can[action], words) for action, words in _OF_FIELDS.items()})
    why.update(dict.fromkeys(_READING, _reading(state)))
    why[Id.CANCEL] = "" if _busy(state) else "Nothing is being worked on."
    paging = "" if state.cases.pairs else "Open a folder of pairs first (Ctrl+Shift+O)."
    why.update(dict.fromkeys((Id.NEXT_CASE, Id.PREVIOUS_CASE, Id.FILTER_CASES), paging))
    return why


def _scoring(state: State) -> str:
    if state.model.phase is ModelPhase.FAILED:
        return "There is no model; choose one in the preferences (Ctrl+,)."
    if state.scorable is None:
        return "Open the HER2 IHC image first, with the H&E of the same tissue where there is one (Ctrl+O)."
    return "It is being scored." if state.scoring.phase is ScorePhase.SCORING else ""


def _busy(state: State) -> bool:
    opening = any(slot.opening is not None for slot in state.slots.values())
    scoring = state.scoring.phase is ScorePhase.SCORING
    busy = opening or scoring or state.drawn.pending or state.exporting is not None
    return busy or state.what_if.progress is not None or state.trust.asking or state.membranes.busy

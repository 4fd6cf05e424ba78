"""What the status bar says of model, device and what is under way. Pure."""

from dataclasses import dataclass, replace

from her2viewer.gui.fields.state import FieldsState, RunPhase
from her2viewer.gui.lanes import Progress
from her2viewer.gui.state import ModelPhase, ScorePhase, State


@dataclass(frozen=True, slots=True)
class Doing:
    """What takes time just now. `fraction` is None where it is not known; a batch is stopped in its own dialog."""

    text: str = ""
    fraction: float | None = None
    can_cancel: bool = False


def resolve_model_words(state: State) -> str:
    """Device and model for the status bar."""
    facts = state.model.facts
    if facts is not None:
        return f"{facts.device}, {facts.identity}"
    return "No model" if state.model.phase is ModelPhase.FAILED else "Loading the model"


def resolve_doing(state: State) -> Doing:
    """The one thing under way that matters most to who is waiting."""
    if state.exporting is not None:
        return _progress(state.exporting, can_cancel=True)
    if state.scoring.phase is ScorePhase.SCORING:
        return Doing("Scoring", can_cancel=True)
    if state.what_if.progress is not None:
        return _progress(replace(state.what_if.progress, text="Varying the DAB"), can_cancel=True)
    if state.trust.asking:
        return Doing("Questioning the map", can_cancel=True)
    if state.drawn.pending:
        return _progress(replace(state.drawn.progress, text="Computing the map"), can_cancel=True)
    if any(slot.opening is not None for slot in state.slots.values()):
        return Doing("Opening", can_cancel=True)
    if state.membranes.busy:
        return Doing("Reading the membranes", can_cancel=True)
    if state.registration.progress is not None:
        return _progress(state.registration.progress, can_cancel=True)
    if state.fields.again is not None:
        return _progress(state.fields.again, can_cancel=True)
    if state.fields.run.active:
        return _grid(state.fields)
    return _progress(state.batch, can_cancel=False) if state.batch is not None else Doing()


def _grid(fields: FieldsState) -> Doing:
    """The grid has its own buttons, in the fields panel: Esc is for tools."""
    score_map = fields.score_map
    if fields.run.phase is RunPhase.LAYING or score_map is None:
        return Doing("Laying the grid")
    total = len(score_map.cells)
    done = total - len(score_map.waiting)
    return Doing(f"Grid {done:,} of {total:,}", done / max(total, 1))


def _progress(progress: Progress, *, can_cancel: bool) -> Doing:
    return Doing(progress.text, progress.done / progress.total if progress.total else None, can_cancel)

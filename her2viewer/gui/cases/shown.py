"""From the state to the side list: every word of it, and the way that paging goes. Pure functions."""

from dataclasses import dataclass
from pathlib import Path

from her2viewer.cases.names import same, without_label
from her2viewer.cases.pair import Pair
from her2viewer.gui.cases.cases import CaseStatus, Outcome, key_of
from her2viewer.gui.state import ScorePhase, State
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A row of the list. `sign` is an icon's name, `state` the same in words; `more` is for who points at it.

    `class_index` is the place of the score among the model's `classes`, -1 where there is none.
    """

    pair: Pair
    name: str
    label: str
    state: str
    sign: str
    more: str
    class_index: int = -1
    classes: int = 4
    current: bool = False
    words: str = ""
    """Tags and notes, by which it is found."""


@dataclass(frozen=True, slots=True)
class CasesShown:
    """The side list. `count` and `note` stand around it; `empty` in its place where there is nothing to list."""

    rows: tuple[CaseShown, ...]
    count: str
    note: str
    more: str
    empty: str
    at: int


def resolve_cases(state: State) -> CasesShown:
    """What the side list shows."""
    cases = state.cases
    rows = tuple(row for row in (_row(state, pair) for pair in cases.pairs) if _meant(row, cases.filter))
    total = len(cases.pairs)
    counted = f"{len(rows)} of {total}" if cases.filter.strip() else f"{total}" if total else ""
    found = cases.found
    note = ""
    if cases.looking:
        note = f"Looking for pairs in {cases.looking}"
    elif found.folder:
        left = len(found.left_out)
        note = f"{found.folder}: pairs by {found.rule}"
        note += f"; {left} file{'s' if left > 1 else ''} left out" if left else ""
    empty = "No case has these words. Clear the filter to see all." if total and not rows else ""
    at = next((place for place, row in enumerate(rows) if key_of(row.pair) == cases.at), -1)
    return CasesShown(rows, counted, note, "\n".join(found.left_out[:20]), empty, at)


def relevant_to_cases(state: State) -> tuple[object, ...]:
    """What the list depends on: where none of it has changed, nothing has to be resolved."""
    openings = tuple((id(slot.image), slot.opening) for slot in state.slots.values())
    readings = state.readings
    kept = id(readings.known), id(readings.case), id(readings.reading), readings.blind, readings.phase
    return id(state.cases), openings, state.scoring.phase, id(state.model.facts), kept


def next_case(state: State, step: int) -> Pair | None:
    """The case that paging goes to: `step` rows on from where it stands, within what the filter shows; None at an end."""
    shown = resolve_cases(state)
    if not shown.rows:
        return None
    if shown.at < 0:
        return shown.rows[0 if step > 0 else -1].pair
    place = shown.at + step
    return shown.rows[place].pair if 0 <= place < len(shown.rows) else None


def _meant(row: CaseShown, typed: str) -> bool:
    known = same(f"{row.name} {row.label} {row.state} {row.words}")
    return all(word in known for word in same(typed).split())


def _row(state: State, pair: Pair) -> CaseShown:
    readings = state.readings
    on_screen = _is_on_screen(state, pair)
    kept = readings.known.get((pair.he, pair.ihc))
    reading = readings.reading if on_screen else kept.reading if kept is not None else None
    hidden = state.model_hidden if on_screen else readings.hides_case(pair.he, pair.ihc)
    outcome = _outcome(state, pair)
    # A name may hold the label, and a label is as good as the model's score to who is to read first.
    label = f"label {pair.label}" if pair.label and not hidden else ""
    name = without_label(pair.case_id) if hidden else pair.case_id
    files = "\n".join(str(veiled(path) if hidden else path) for path in (pair.he, pair.ihc))
    words = f"{' '.join(kept.case.tags)} {kept.case.notes}" if kept is not None else ""
    words += " read scored" if reading is not None else ""
    own = f"you {reading.score}" if reading is not None else ""
    opening = {slot.opening for slot in state.slots.values()} == {pair.he, pair.ihc}
    classes = state.model.facts.classes if state.model.facts is not None else ("0", "1+", "2+", "3+")

    def row(text: str, sign: str, why: str = "", score: str = "") -> CaseShown:
        index = classes.index(score) if score in classes else -1
        more = f"{files}\n{why}" if why else files
        told = ", ".join(filter(None, (score or (text if sign == "question" else ""), own))) if own else text
        return CaseShown(pair, name, label, told, sign, more, index, len(classes), on_screen, words)

    if opening:
        return row("opening", "hourglass")
    if on_screen and state.scoring.phase is ScorePhase.SCORING:
        return row("scoring", "hourglass")
    match outcome.status:
        case CaseStatus.SCORED | CaseStatus.NO_CALL if hidden:
            return row("scored, hidden", "eye-slash")
        case CaseStatus.SCORED:
            return row(f"scored {outcome.score}", "check-circle", score=outcome.score)
        case CaseStatus.NO_CALL:
            return row("no call", "question", outcome.why)
        case CaseStatus.FAILED:
            return row(f"failed: {outcome.why}", "warning", outcome.why)
        case _ if on_screen:
            return row("open", "eye")
        case CaseStatus.SEEN:
            return row("seen, not scored", "circle-half")
    return row("not opened", "circle")


def _outcome(state: State, pair: Pair) -> Outcome:
    """What became of it in this session, or what the library knows of an earlier one."""
    outcome, kept = state.cases.outcome(pair), state.readings.known.get((pair.he, pair.ihc))
    prediction = kept.prediction if kept is not None else None
    if prediction is None or outcome.status not in (CaseStatus.NOT_OPENED, CaseStatus.SEEN):
        return outcome
    status = CaseStatus.NO_CALL if prediction.no_call else CaseStatus.SCORED
    return Outcome(status, prediction.score, prediction.no_call or "")


def veiled(path: Path | None) -> Path | None:
    """A path whose name does not tell a label."""
    return path.with_name(without_label(path.name)) if path is not None else None


def _is_on_screen(state: State, pair: Pair) -> bool:
    shown = {image.source.path for image in (state.image(stain) for stain in Stain) if image is not None}
    return shown == {pair.he, pair.ihc}

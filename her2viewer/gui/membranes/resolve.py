"""From the state to the section 'Membranes', to what the score panel says of it, and to the cells in the panes. Pure."""

from dataclasses import dataclass
from typing import Final

from her2viewer.gui.membranes.grades import LOOKS
from her2viewer.gui.state import State
from her2viewer.scoring.membrane.agreement import Agreement, compare
from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.membrane.rule import CLASSES, ENOUGH, Grade
from her2viewer.scoring.prediction import Prediction
from her2viewer.scoring.stains import Stain

TEACHES: Final = (
    "A second reading without the network: cells are found in the IHC, the membrane of each is measured, and the ASCO/CAP rule "
    "is applied to their shares."
)
_BUSY: Final = "Finding cells and measuring their membranes."
_HOW_TO_ASK: Final = "Click a cell in the image to see what was measured of it."


@dataclass(frozen=True, slots=True)
class GradeRow:
    """The cells of one grade: how many there are and what share that is, 0..1."""

    grade: Grade
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class MembranesShown:
    """The section. `score`: by the membranes, empty where there is none; `network`: the network's, empty where it has not spoken.

    `sentence`: what the two come to; `words`: what stands where there is no reading; `counted`: how many cells it rests on;
    `cell`: the one that was clicked.
    """

    can: bool
    busy: bool
    words: str
    score: str = ""
    network: str = ""
    sentence: str = ""
    borderline: str = ""
    rows: tuple[GradeRow, ...] = ()
    counted: str = ""
    cell: str = ""
    limits: tuple[str, ...] = ()
    cells_shown: bool = False


def can_read(state: State) -> bool:
    """Whether there is an IHC to read, with an H&E beside it or alone."""
    return state.scorable is not None and not state.membranes.busy and not state.model_hidden


def resolve_membranes(state: State) -> MembranesShown:
    """What the section shows."""
    membranes, can = state.membranes, can_read(state)
    reading = membranes.reading
    if membranes.error is not None:
        return MembranesShown(can, busy=False, words=str(membranes.error))
    if membranes.busy or reading is None:
        return MembranesShown(can, membranes.busy, _BUSY if membranes.busy else TEACHES)
    prediction, agreement = _prediction(state), agreement_of(state)
    if agreement is not None:
        sentence = agreement.sentence
    else:
        sentence = reading.reason or f"The membranes measured without the network give {reading.score}."
    return MembranesShown(
        can,
        busy=False,
        words="",
        score=reading.score or "none",
        network=prediction.score if prediction is not None else "",
        sentence=sentence,
        borderline=reading.borderline,
        rows=_rows(reading),
        counted=_counted(reading),
        cell=_cell(reading, membranes.chosen) if membranes.cells_shown else "",
        limits=reading.limits,
        cells_shown=membranes.cells_shown,
    )


def agreement_of(state: State) -> Agreement | None:
    """The reading beside the network's score of the same field; None where either is missing."""
    reading, prediction = state.membranes.reading, _prediction(state)
    if reading is None or prediction is None or not set(prediction.classes) <= set(CLASSES):
        return None
    return compare(reading, prediction)


def second_reader(state: State) -> tuple[tuple[str, str], ...]:
    """The row of the score panel that names the membranes' score; none where they were not read."""
    reading, agreement = state.membranes.reading, agreement_of(state)
    if reading is None or agreement is None:
        return ()
    beside = {None: "", 0: ", as the network", 1: ", one step apart"}.get(
        agreement.steps, f", {agreement.steps} steps apart"
    )
    return (("Membranes", f"{reading.score or 'no score'}{beside}"),)


def cells_on_screen(state: State) -> MembraneReading | None:
    """The reading whose cells are over the tissue just now."""
    reading = state.membranes.reading
    seen = state.membranes.cells_shown and not state.overlay_held_away
    return reading if reading is not None and seen and len(reading.cells) else None


def cell_words(reading: MembraneReading, chosen: int) -> str:
    """What was measured of a cell, in two short lines that stand beside it."""
    cells = reading.cells
    name = LOOKS[Grade(cells.grade[chosen])].name
    return f"{name}\n{cells.completeness[chosen]:.0%} stained, DAB {cells.amount[chosen]:.2f}"


def _cell(reading: MembraneReading, chosen: int | None) -> str:
    if chosen is None:
        return _HOW_TO_ASK if len(reading.cells) else ""
    cells, cuts = reading.cells, reading.cuts
    return (
        f"{LOOKS[Grade(cells.grade[chosen])].name}\n"
        f"{cells.completeness[chosen]:.0%} of the outline (complete from {cuts.complete_from:.0%})\n"
        f"DAB {cells.amount[chosen]:.2f} (moderate {cuts.faint_below:.2g}, intense {cuts.intense_from:.2g})"
    )


def _prediction(state: State) -> Prediction | None:
    """The network's, where it is of the field that was read."""
    evidence = state.scoring.evidence
    if evidence is None or state.membranes.field is None:
        return None
    prediction = evidence.prediction
    return prediction if prediction.fields.get(Stain.IHC) == state.membranes.field else None


def _rows(reading: MembraneReading) -> tuple[GradeRow, ...]:
    shares = reading.shares
    if shares is None:
        return ()
    return tuple(GradeRow(grade, reading.counts[grade], shares[grade]) for grade in reversed(Grade))


def _counted(reading: MembraneReading) -> str:
    count, passed = len(reading.cells), len(reading.passed_over)
    if not count and not passed:
        return ""
    return f"{count:,} cells counted, {passed:,} other nuclei passed over. The rule asks for more than {ENOUGH:.0%} of the cells."

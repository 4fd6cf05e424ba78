"""What the section and the score panel say of a reading, alone and beside the network's score."""

from dataclasses import replace

import pytest

from her2viewer.gui.membranes.grades import LOOKS
from her2viewer.gui.membranes.resolve import (
    TEACHES,
    agreement_of,
    cell_words,
    cells_on_screen,
    resolve_membranes,
    second_reader,
)
from her2viewer.gui.membranes.state import MembraneState
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.resolve.score import resolve_score
from her2viewer.gui.state import ScorePhase, Scoring, State
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.membrane.reading import MembraneReading
from her2viewer.scoring.membrane.rule import Grade
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

from ..conftest import FakeScorer, tissue, user_error
from .conftest import made

FIELD = FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC))


@pytest.fixture
def evidence() -> Evidence:
    return FakeScorer().score(FIELD)


def scored(evidence: Evidence, score: str) -> State:
    said = replace(evidence, prediction=replace(evidence.prediction, score=score))
    return State(scoring=Scoring(ScorePhase.SCORED, said))


def beside(state: State, reading: MembraneReading, **wishes: object) -> State:
    return replace(state, membranes=MembraneState(reading, FIELD.fields[Stain.IHC], **wishes))  # type: ignore[arg-type]


def test_what_was_not_read_teaches_and_what_failed_says_why() -> None:
    assert resolve_membranes(State()).words == TEACHES and not resolve_membranes(State()).can
    failed = State(membranes=MembraneState(error=user_error("the file is gone")))
    assert "the file is gone" in resolve_membranes(failed).words.lower()
    busy = State(membranes=MembraneState(busy=True))
    assert resolve_membranes(busy).busy and resolve_doing(busy).text == "Reading the membranes"


def test_a_reading_stands_alone_before_the_network_has_spoken(reading: MembraneReading) -> None:
    shown = resolve_membranes(beside(State(), reading))
    assert (shown.score, shown.network) == ("2+", "") and "give 2+" in shown.sentence
    assert [(row.grade, row.count, row.share) for row in shown.rows] == [(grade, 1, 0.25) for grade in reversed(Grade)]
    assert shown.counted.startswith("4 cells counted, 3 other nuclei passed over.")
    assert len(shown.limits) == 4, "that the scale was assumed is one of them"
    assert second_reader(beside(State(), reading)) == ()


@pytest.mark.parametrize(
    ("score", "words"), [("2+", "as the network"), ("3+", "one step apart"), ("0", "2 steps apart")]
)
def test_beside_the_network_the_steps_are_said(
    evidence: Evidence, reading: MembraneReading, score: str, words: str
) -> None:
    state = beside(scored(evidence, score), reading)
    assert resolve_membranes(state).network == score
    assert second_reader(state) == (("Membranes", f"2+, {words}"),)
    assert dict(resolve_score(state).provenance)["Membranes"] == f"2+, {words}"


def test_two_steps_apart_is_no_call_and_the_reason_stands_first(evidence: Evidence, reading: MembraneReading) -> None:
    state = beside(scored(evidence, "0"), reading)
    shown = resolve_score(state)
    assert shown.answer == "No call" and shown.kind == "Most likely 0"
    assert "2 steps apart" in shown.against[0]
    one = resolve_score(beside(scored(evidence, "1+"), reading))
    assert one.answer == "1+" and not any("apart" in words for words in one.against)


def test_a_score_of_another_field_is_not_compared(evidence: Evidence, reading: MembraneReading) -> None:
    elsewhere = MembraneState(reading, FieldOfView(0, 0, 10, 10))
    assert agreement_of(replace(scored(evidence, "0"), membranes=elsewhere)) is None


def test_a_reading_without_a_score_says_why(evidence: Evidence) -> None:
    shown = resolve_membranes(beside(scored(evidence, "1+"), made(score=None)))
    assert shown.score == "none" and "too few" in shown.sentence
    assert resolve_score(beside(scored(evidence, "1+"), made(score=None))).answer == "1+"


def test_cells_are_seen_when_asked_for_and_not_beneath_the_held_key(reading: MembraneReading) -> None:
    assert cells_on_screen(beside(State(), reading)) is None
    state = beside(State(), reading, cells_shown=True)
    assert cells_on_screen(state) is reading
    assert cells_on_screen(replace(state, overlay_held_away=True)) is None
    assert cells_on_screen(beside(State(), made(()), cells_shown=True)) is None


def test_a_cell_says_grade_intensity_and_completeness(reading: MembraneReading) -> None:
    assert cell_words(reading, 3) == "Intense, complete\n100% stained, DAB 0.50"
    chosen = resolve_membranes(beside(State(), reading, cells_shown=True, chosen=3))
    assert chosen.cell.splitlines()[1] == f"100% of the outline (complete from {reading.cuts.complete_from:.0%})"
    assert "Click a cell" in resolve_membranes(beside(State(), reading, cells_shown=True)).cell
    assert resolve_membranes(beside(State(), reading)).cell == ""


def test_no_two_grades_look_alike_without_colour() -> None:
    assert len({(look.dash, look.strokes) for look in LOOKS.values()}) == len(Grade)
    assert len({look.name for look in LOOKS.values()}) == len({look.colour for look in LOOKS.values()}) == len(Grade)

"""The collection, and undo and redo against a plain model: a list of all states and a place in it."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.annotations import MOST_STEPS, Annotations, History
from her2viewer.cases.shape import Shape
from tests.cases.shapes import score_of

SQUARE = Shape.rectangle(10, 10, 100, 100)
A, B = Annotation(SQUARE, "A"), Annotation(Shape.rectangle(20, 20, 20, 20), "B")


def test_a_collection_keeps_its_order_and_never_changes() -> None:
    both = Annotations([A]).add(B)
    assert list(both.values()) == [A, B] and both[A.id] is A
    moved = A.moved(1, 1)
    assert list(both.replace(moved).values()) == [moved, B] and both[A.id] is A
    assert list(both.remove(A.id)) == [B.id] and len(both) == 2
    assert both != Annotations([B, A]) and both == Annotations([A, B]) and both != [A, B]
    with pytest.raises(ValueError, match="two annotations"):
        both.add(A)
    with pytest.raises(KeyError):
        both.remove("x")
    with pytest.raises(KeyError):
        both.replace(Annotation(SQUARE))


def test_the_smallest_under_the_pointer_is_hit() -> None:
    both = Annotations([B, A])
    assert both.at(30, 30) is B and both.at(100, 100) is A and both.at(500, 5) is None
    on_top = Annotation(SQUARE)
    assert both.add(on_top).at(100, 100) is on_top


def test_what_is_imported_twice_is_there_once_and_nothing_drawn_is_lost() -> None:
    mine = Annotations([A, B])
    changed = A.moved(7, 7)
    found = mine.add_imported([B, changed, new := Annotation(SQUARE, "C")])
    assert [one.name for one in found.values()] == ["A", "B", "A", "C"]
    assert found[A.id] is A and found[new.id] is new
    assert [one.shape for one in found.values()][2] == changed.shape


def test_a_drag_is_one_step() -> None:
    history = History().changed("Draw field", Annotations([A]))
    for x in range(1, 6):
        history = history.changed("Move A", history.present.replace(A.moved(x, 0)), group="drag 1")
    assert history.undo_label == "Move A" and len(history.past) == 2
    assert history.undo().present == Annotations([A]) and history.undo().redo().present == history.present
    again = history.changed("Move A", Annotations([A]), group="drag 2")
    assert len(again.past) == 3 and again.undo().present == history.present
    assert len(history.settled().changed("Move A", Annotations([A]), group="drag 1").past) == 3


def test_a_drag_that_ends_where_it_began_is_no_step() -> None:
    start = History().changed("Draw field", Annotations([A]))
    there = start.changed("Move A", Annotations([A.moved(5, 5)]), group="drag")
    assert there.changed("Move A", Annotations([A]), group="drag").past == start.past


def test_a_score_is_no_step_and_comes_back_with_its_place() -> None:
    score = score_of(SQUARE.bounds)
    history = History().changed("Draw", Annotations([A])).changed("Move", Annotations([A.moved(5, 5)]))
    history = history.scored(A.id, SQUARE, score)
    assert history.present[A.id].score is None and history.undo_label == "Move"
    assert history.undo().present[A.id].score == score
    assert history.undo().redo().present[A.id].score is None
    assert history.undo().scored(A.id, A.moved(5, 5).shape, score).redo().present[A.id].score == score
    assert history.scored("gone", SQUARE, score) == history


class Undoing(RuleBasedStateMachine):
    """Any sequence of changes, gestures, undo and redo, beside a list of states and a place in it."""

    def __init__(self) -> None:
        super().__init__()
        self.history = History()
        self.states: list[tuple[str, Annotations]] = [("", Annotations())]
        self.place = 0
        self.gesture = ""

    def _go(self, label: str, to: Annotations, group: str = "") -> None:
        continues = bool(group) and group == self.gesture
        self.history = self.history.changed(label, to, group)
        if continues:
            self.states[self.place] = (label, to)
            if to == self.states[self.place - 1][1]:
                del self.states[self.place]
                self.place -= 1
                self.gesture = ""
        elif to != self.states[self.place][1]:
            self.states = [*self.states[: self.place + 1], (label, to)]
            self.place += 1
            self.gesture = group
        else:
            self.gesture = ""
        cut = max(0, self.place - MOST_STEPS)
        self.states, self.place = self.states[cut:], self.place - cut

    @rule(times=st.sampled_from([1, 1, 1, MOST_STEPS + 5]))
    def add(self, times: int) -> None:
        for _ in range(times):
            self._go("Draw field", self.history.present.add(Annotation(SQUARE)))

    @precondition(lambda self: self.history.present)
    @rule(at=st.integers(0, 1000), dx=st.integers(-3, 3), group=st.sampled_from(["", "one", "two"]))
    def move(self, at: int, dx: int, group: str) -> None:
        chosen = list(self.history.present.values())[at % len(self.history.present)]
        self._go("Move field", self.history.present.replace(chosen.moved(dx, 0)), group)

    @precondition(lambda self: self.history.present)
    @rule(at=st.integers(0, 1000))
    def remove(self, at: int) -> None:
        self._go(
            "Delete field", self.history.present.remove(list(self.history.present)[at % len(self.history.present)])
        )

    @precondition(lambda self: self.history.present)
    @rule(at=st.integers(0, 1000), name=st.sampled_from(["A", "B"]))
    def name(self, at: int, name: str) -> None:
        chosen = list(self.history.present.values())[at % len(self.history.present)]
        self._go(f"Name {name}", self.history.present.replace(replace(chosen, name=name)))

    @rule(times=st.sampled_from([1, 1, 3, MOST_STEPS + 10]))
    def undo(self, times: int) -> None:
        for _ in range(times):
            self.history = self.history.undo()
            self.place = max(0, self.place - 1)
        self.gesture = ""

    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        for _ in range(times):
            self.history = self.history.redo()
            self.place = min(len(self.states) - 1, self.place + 1)
        self.gesture = ""

    @rule()
    def let_go(self) -> None:
        self.history, self.gesture = self.history.settled(), ""

    @invariant()
    def same_as_the_model(self) -> None:
        assert self.history.present == self.states[self.place][1]
        assert self.history.undo_label == (self.states[self.place][0] if self.place else None)
        forth = self.states[self.place + 1 :]
        assert self.history.redo_label == (forth[0][0] if forth else None)
        assert len(self.history.past) <= MOST_STEPS


TestUndoing = Undoing.TestCase
TestUndoing.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)

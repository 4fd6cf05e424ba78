"""All annotations of a case, and what was done to them: values, so that undoing is going back to an earlier one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Self

from her2viewer.cases.annotation import Annotation, new_id
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.shape import Shape

MOST_STEPS: Final = 200
"""Steps that can be undone; they share all annotations that did not change."""


class Annotations(Mapping[str, Annotation]):
    """Annotations by their id, in the order they were drawn. Immutable: each change gives a new collection."""

    __slots__ = ("_by_id",)

    def __init__(self, annotations: Iterable[Annotation] = ()) -> None:
        """Raises ValueError where two have one id."""
        by_id: dict[str, Annotation] = {}
        for annotation in annotations:
            if annotation.id in by_id:
                raise ValueError(f"two annotations have the id {annotation.id}")
            by_id[annotation.id] = annotation
        self._by_id = MappingProxyType(by_id)

    def __getitem__(self, key: str) -> Annotation:
        return self._by_id[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __eq__(self, other: object) -> bool:
        """Equal where the same annotations stand in the same order."""
        if not isinstance(other, Annotations):
            return NotImplemented
        return self is other or (len(self) == len(other) and list(self._by_id.items()) == list(other._by_id.items()))

    def __hash__(self) -> int:
        return hash(tuple(self._by_id))

    def add(self, *annotations: Annotation) -> Self:
        """With these on top. Raises ValueError for an id that is there already."""
        return type(self)([*self.values(), *annotations])

    def add_imported(self, annotations: Iterable[Annotation]) -> Self:
        """With those of a file on top. One that is here already is not added again; one that is another under an id of here
        gets an id of its own, so that nothing drawn is lost.
        """
        new = [one for one in annotations if self.get(one.id) != one]
        return self.add(*(replace(one, id=new_id()) if one.id in self else one for one in new))

    def replace(self, *annotations: Annotation) -> Self:
        """With these in the place of those of their ids. Raises KeyError for an id that is not there."""
        by_id = dict(self._by_id)
        for annotation in annotations:
            if annotation.id not in by_id:
                raise KeyError(annotation.id)
            by_id[annotation.id] = annotation
        return self._of(by_id)

    def remove(self, *ids: str) -> Self:
        """Without these. Raises KeyError for an id that is not there."""
        by_id = dict(self._by_id)
        for key in ids:
            del by_id[key]
        return self._of(by_id)

    def at(self, x: float, y: float) -> Annotation | None:
        """The smallest annotation that holds a point; of equal ones the one drawn last."""
        found = [annotation for annotation in reversed([*self.values()]) if annotation.shape.contains(x, y)]
        return min(found, key=lambda annotation: annotation.shape.area, default=None)

    def _of(self, by_id: dict[str, Annotation]) -> Self:
        made = type(self)()
        made._by_id = MappingProxyType(by_id)
        return made


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, in words for the menu ('Move field 3'), and what stood before it."""

    label: str
    before: Annotations


@dataclass(frozen=True, slots=True)
class History:
    """The annotations as they are, and the way back and forth. A value: each change gives a new one.

    `past` from the oldest step on; `undone`: the label and what stood after each step that was taken back, the last one first
    to come. `group` names the gesture that is going on, or is empty.
    """

    present: Annotations = Annotations()  # noqa: RUF009  immutable
    past: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()
    group: str = ""

    def changed(self, label: str, to: Annotations, group: str = "") -> Self:
        """One step further. Changes in a row with the same `group` (one drag, one typed name) are one step, whatever their
        number; a gesture that ends where it began is none. What was undone before is given up.
        """
        if group and group == self.group and self.past:
            step = Step(label, self.past[-1].before)
            if to == step.before:
                return replace(self, present=to, past=self.past[:-1], group="")
            return replace(self, present=to, past=(*self.past[:-1], step))
        if to == self.present:
            return replace(self, group="")
        past = (*self.past, Step(label, self.present))[-MOST_STEPS:]
        return replace(self, present=to, past=past, undone=(), group=group)

    def settled(self) -> Self:
        """After the gesture: what comes next is a step of its own, even under the same group."""
        return replace(self, group="")

    def undo(self) -> Self:
        """One step back; itself where there is none."""
        if not self.past:
            return self.settled()
        *past, step = self.past
        return type(self)(step.before, tuple(past), (*self.undone, Step(step.label, self.present)))

    def redo(self) -> Self:
        """The step that was undone last, done again; itself where there is none."""
        if not self.undone:
            return self.settled()
        *undone, step = self.undone
        return type(self)(step.before, (*self.past, Step(step.label, self.present)), tuple(undone))

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back, or None."""
        return self.past[-1].label if self.past else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would do again, or None."""
        return self.undone[-1].label if self.undone else None

    def scored(self, key: str, shape: Shape, score: FieldScore | None) -> Self:
        """With the score of an annotation, now and in every step where it has this shape.

        A score is no step: it is computed, not done, and to undo a move brings back the score of where the field was.
        """

        def told(annotations: Annotations) -> Annotations:
            found = annotations.get(key)
            if found is None or found.shape != shape or found.score == score:
                return annotations
            return annotations.replace(replace(found, score=score))

        return replace(
            self,
            present=told(self.present),
            past=tuple(replace(step, before=told(step.before)) for step in self.past),
            undone=tuple(replace(step, before=told(step.before)) for step in self.undone),
        )

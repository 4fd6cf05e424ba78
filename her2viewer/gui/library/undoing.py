"""One Ctrl+Z for everything: fields and the library each know their own steps; the order between them is kept here."""

from dataclasses import dataclass, replace
from enum import StrEnum

from her2viewer.cases.annotations import History


class Doer(StrEnum):
    """Who keeps a step."""

    FIELDS = "fields"
    LIBRARY = "library"


@dataclass(frozen=True, slots=True)
class UndoOrder:
    """Whose the steps of this session are, the oldest first; `undone`: those taken back, the last one last."""

    past: tuple[Doer, ...] = ()
    undone: tuple[Doer, ...] = ()

    def did(self, doer: Doer) -> "UndoOrder":
        """One step further: what was taken back is given up."""
        return UndoOrder((*self.past, doer))

    def took_back(self) -> "UndoOrder":
        return UndoOrder(self.past[:-1], (*self.undone, self.past[-1]))

    def did_again(self) -> "UndoOrder":
        return UndoOrder((*self.past, self.undone[-1]), self.undone[:-1])

    def without_fields(self) -> "UndoOrder":
        """Another pair stands: the steps of its fields went with the one before."""
        return UndoOrder(*(tuple(one for one in steps if one is not Doer.FIELDS) for steps in (self.past, self.undone)))

    def followed(self, old: History, new: History) -> "UndoOrder":
        """After a change of the fields that was neither undo nor redo: a step more, or a gesture that came to nothing."""
        if len(new.past) > len(old.past):
            return self.did(Doer.FIELDS)
        if len(new.past) < len(old.past) and self.past and self.past[-1] is Doer.FIELDS:
            return replace(self, past=self.past[:-1])
        return self

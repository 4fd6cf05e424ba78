"""The fields without what the model said of them, as they are shown while it is hidden."""

from dataclasses import replace

from her2viewer.cases.annotations import Annotations
from her2viewer.gui.fields.state import FieldsState, GridRun, cell_index


class Unscored:
    """Makes it once for each set of annotations, so that what is compared by identity stays the same."""

    def __init__(self) -> None:
        self._of = Annotations()
        self._made = self._of

    def of(self, fields: FieldsState) -> FieldsState:
        """Shapes, names and colours; no score, no score map and none of its cells chosen."""
        if fields.annotations is not self._of:
            self._of = fields.annotations
            self._made = Annotations(replace(one, score=None) for one in self._of.values())
        selected = fields.selected if cell_index(fields.selected) is None else None
        history = replace(fields.history, present=self._made)
        return replace(fields, history=history, selected=selected, score_map=None, run=GridRun())

"""A shape that is being drawn, before it is a field."""

from collections.abc import Callable

import numpy as np

from her2viewer.gui.fields.placing import Placing, px_at
from her2viewer.gui.pane.layer import Sight, Touch
from her2viewer.imaging.affine import Points

NOTHING = np.empty((0, 2))


class Sketch:
    """The half-drawn outline, which both panes show. `points`: (n, 2) level-0 px of the IHC; `closed`: end joined to start.

    Not part of the state: it changes with every move of the mouse and is nothing that anybody else has to know.
    """

    def __init__(self, placing: Callable[[Sight], Placing | None], changed: Callable[[], None]) -> None:
        """placing: how fields lie in a pane; changed: called when the outline is another."""
        self._placing = placing
        self._changed = changed
        self.points: Points = NOTHING
        self.closed = False

    def __bool__(self) -> bool:
        return len(self.points) > 0

    def put(self, points: Points, *, closed: bool) -> None:
        self.points, self.closed = points, closed
        self._changed()

    def clear(self) -> None:
        if self:
            self.put(NOTHING, closed=False)

    def at(self, touch: Touch) -> tuple[float, float] | None:
        """Where the mouse is in px of the IHC; None while only one image is there."""
        placing = self._placing(touch.sight)
        return placing.to_ihc(*touch.at) if placing is not None else None

    def px(self, touch: Touch) -> float:
        """How many level-0 px of the IHC one logical pixel of the pane is, under the mouse."""
        placing = self._placing(touch.sight)
        return px_at(touch.sight, placing, touch.screen) if placing is not None else 1.0

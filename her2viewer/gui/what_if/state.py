"""The DAB made weaker or stronger on screen, and what the model says along that."""

from dataclasses import dataclass

from her2viewer.errors import UserError
from her2viewer.gui.lanes import Progress
from her2viewer.scoring.what_if import WhatIf


@dataclass(frozen=True, eq=False, slots=True)
class WhatIfState:
    """Beside the score, never in its place: the score that stands is that of the field as it is.

    `factor`: times the field's own DAB that are asked about; `painted`: those that the IHC's pane is given, which follows
    as fast as it paints. `found` is there once it is computed, `progress` while it is, `error` where it could not be.
    """

    on: bool = False
    found: WhatIf | None = None
    progress: Progress | None = None
    error: UserError | None = None
    factor: float = 1.0
    painted: float = 1.0

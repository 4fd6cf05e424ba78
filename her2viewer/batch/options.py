"""What a batch is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from her2viewer.export.overlay import OverlayStyle
from her2viewer.scoring.evidence import METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST, MapRequest
from her2viewer.scoring.prediction import ModelIdentity


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """`out`: the folder for the results. With `overlay` each pair gets an annotated picture of the map for the class
    `target` (None: the class of its score) at `stage` by `method`, drawn in `style`; with `against`, which needs `target`, of
    what tells the two classes apart. With `explain` that map and its score are questioned: an explanation file and the maps
    as arrays are written beside the result, at some seconds a pair.

    `resume`: results in `out` that were made of the same bytes by `model` are kept and not computed again; it needs
    `model`. `root`: the folder that files are named from in the results; None leaves their bare names. `coverage`: the
    level of the model's prediction sets, said on the pictures where it is known. `align`: the H&E of each pair is registered to
    its IHC first, as the window does when it is asked to; a pair that is not found to match is scored as it is, and says so.
    """

    out: Path
    overlay: bool = True
    style: OverlayStyle = field(default_factory=OverlayStyle)
    target: str | None = None
    stage: str = STAGE_SHOWN_FIRST
    method: str = METHOD_SHOWN_FIRST
    against: str | None = None
    explain: bool = False
    resume: bool = False
    model: ModelIdentity | None = None
    root: Path | None = None
    coverage: float | None = None
    align: bool = False

    def __post_init__(self) -> None:
        if self.against is not None and self.target is None:
            raise ValueError("to set a class against another, both must be named")
        self.request("")
        if self.resume and self.model is None:
            raise ValueError("to resume, the model must be named")

    def request(self, score: str) -> MapRequest:
        """The map of a pair by its score. Raises ValueError for one that cannot be made."""
        return MapRequest(self.target or score, self.stage, self.method, self.against)

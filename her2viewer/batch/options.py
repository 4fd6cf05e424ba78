"""What a batch is asked to do."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from her2viewer.export.overlay import OverlayStyle
from her2viewer.scoring.methods import METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST, MapRequest
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

    @property
    def wanted(self) -> dict[str, object]:
        """What changes the files of a pair beside its bytes and the model, as JSON has it; None for what is not asked for."""
        drawn = asdict(self.style) | {"target": self.target, "stage": self.stage, "method": self.method, "against": self.against}
        map_ = {name: drawn[name] for name in ("target", "stage", "method", "against")}
        return {"align": self.align, "picture": drawn if self.overlay else None, "explain": map_ if self.explain else None}

    def covers(self, done: Mapping[str, object]) -> bool:
        """Whether what was `wanted` of a pair before gave all that is wanted of it now."""
        wanted = json.loads(json.dumps(self.wanted))
        return all(done.get(name) == value for name, value in wanted.items() if value is not None)

    def request(self, score: str) -> MapRequest:
        """The map of a pair by its score. Raises ValueError for one that cannot be made."""
        return MapRequest(self.target or score, self.stage, self.method, self.against)

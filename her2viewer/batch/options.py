"""What a batch is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from her2viewer.export.overlay import OverlayStyle
from her2viewer.scoring.evidence import STAGES
from her2viewer.scoring.prediction import ModelIdentity


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """`out`: the folder for the results. With `overlay` each pair gets an annotated picture of the map for the class
    `target` (None: the class of its score) at `stage`, drawn in `style`.

    `resume`: results in `out` that were made of the same bytes by `model` are kept and not computed again; it needs
    `model`. `root`: the folder that files are named from in the results; None leaves their bare names. `coverage`: the
    level of the model's prediction sets, said on the pictures where it is known. `align`: the H&E of each pair is registered to
    its IHC first, as the window does when it is asked to; a pair that is not found to match is scored as it is, and says so.
    """

    out: Path
    overlay: bool = True
    style: OverlayStyle = field(default_factory=OverlayStyle)
    target: str | None = None
    stage: str = STAGES[-1]
    resume: bool = False
    model: ModelIdentity | None = None
    root: Path | None = None
    coverage: float | None = None
    align: bool = False

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise ValueError(f"no stage {self.stage!r}")
        if self.resume and self.model is None:
            raise ValueError("to resume, the model must be named")

"""Which maps of a class can be asked for: where in the network, by which method, and the request for one. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from her2viewer.scoring.architecture import STAGES

FUSED: Final = "fused"
"""In place of a stage: the maps of all stages made one (see `attribution.fused`)."""

INPUT: Final = "input"
"""In place of a stage: a map that looks into no stage, but at what the network says of a changed input."""


@dataclass(frozen=True, slots=True)
class Method:
    """A way to make a class's map. `words`: what its values say, in one sentence; `unit`: what they are counted in.

    `signed`: whether evidence against the class comes out below 0; the other methods have no negative values. `slow`: it runs
    the network hundreds of times, takes no gradient, and can be cancelled. `stages`: where it can be asked for.
    """

    name: str
    words: str
    unit: str = "logits per cell"
    signed: bool = False
    slow: bool = False
    stages: tuple[str, ...] = (FUSED, *STAGES)

    def nearest(self, stage: str) -> str:
        """The stage itself where the method can be asked for at it, otherwise the last one that it can."""
        return stage if stage in self.stages else self.stages[-1]


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "Grad-CAM",
                "Features that raise the score of the class, each weighted by how much it does so over the whole field.",
                signed=True,
            ),
            Method(
                "Grad-CAM++",
                "As Grad-CAM, but weighted where a feature helps, so that several small places count like one large one.",
            ),
            Method(
                "LayerCAM",
                "Features weighted place by place with their help alone, which keeps fine stages sharp.",
            ),
            Method(
                "HiResCAM",
                "What each place adds to the class or takes from it, weighted place by place.",
                signed=True,
            ),
            Method(
                "Score-CAM",
                "Features weighted by the score that the class gets where only what they mark is shown; takes no gradient.",
                unit="weighted mean activation",
                slow=True,
                stages=STAGES,
            ),
            Method(
                "Occlusion",
                "How far the class falls where a patch is covered with empty glass; looks into no stage of the network.",
                unit="logits per patch",
                signed=True,
                slow=True,
                stages=(INPUT,),
            ),
        )
    }
)
"""The methods by name, the default first."""

METHOD_SHOWN_FIRST: Final = "LayerCAM"
STAGE_SHOWN_FIRST: Final = STAGES[0]
"""The map that window, batch and command line show unless another is asked for; it stands here and nowhere else.

Chosen by `python -m training truth` on the bundled model (the guide's page on explanation tells how). It takes a pass back
through the network. The map that a request is
for when it names neither is another thing: the one that comes with every score at no cost.
"""


@dataclass(frozen=True, slots=True)
class MapRequest:
    """Which map is asked for. `target`: the class, by its name. `against`: another class, for the evidence that tells
    them apart ("why 2+ and not 1+"): the map of the difference of their logits.

    A method that looks into no stage (Occlusion) takes any, and `stage` becomes `INPUT`. Raises ValueError for a method or
    a stage that there is not, a stage that the method does not offer, and a class against itself.
    """

    target: str
    stage: str = STAGES[-1]
    method: str = "Grad-CAM"
    against: str | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        known = (*STAGES, FUSED, INPUT)
        if self.stage not in known:
            raise ValueError(f"stage must be one of {', '.join(known)}, got {self.stage!r}")
        offered = METHODS[self.method].stages
        if offered == (INPUT,):
            object.__setattr__(self, "stage", INPUT)
        if self.stage not in offered:
            raise ValueError(f"{self.method} has no map at {self.stage!r}, only at {', '.join(offered)}")
        if self.against == self.target:
            raise ValueError(f"class {self.target} cannot be set against itself")

    def fixed_peak(self, peaks: Mapping[str, float]) -> float | None:
        """The full scale that a package's `fixed_peaks` hold for this map, or None: they are of Grad-CAM of one class."""
        return peaks.get(self.stage) if self.method == "Grad-CAM" and self.against is None else None

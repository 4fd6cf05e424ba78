"""What goes into a scorer and what comes out beside the prediction: pixels, evidence, attribution. No torch, no Qt."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as of_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import IDENTITY, Affine
from her2viewer.scoring.guard.report import GuardReport
from her2viewer.scoring.prediction import FieldOfView, Prediction
from her2viewer.scoring.preprocess import InputLayout, NetworkInput
from her2viewer.scoring.stain_effect import StainEffect
from her2viewer.scoring.stains import Stain

if TYPE_CHECKING:
    from her2viewer.scoring.trust.findings import TrustReport

Precision = Literal["fp32", "bf16"]

Architecture = Literal["resnet18", "resnet18-two-encoders", "resnet18-six-channels"]
"""The networks that a package may hold, by their names in `model.json`."""

STAGES: Final = ("layer1", "layer2", "layer3", "layer4")
"""The stages whose map can be asked for, from fine to coarse. The last one comes with every score."""

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

METHOD_SHOWN_FIRST: Final = "Grad-CAM"
STAGE_SHOWN_FIRST: Final = STAGES[-1]
"""The map that window, batch and command line show unless another is asked for; it stands here and nowhere else.

Chosen by `python -m training truth` on the bundled model (the guide's page on explanation tells how). The map that a request is
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


@dataclass(frozen=True, eq=False, slots=True)
class FieldPixels:
    """One field of a pair, read: per stain (h, w, 3) uint8 RGB and the rectangle of level-0 pixels it was read from.

    covered: the share of that rectangle that lies on the stain's image, where it is not all of it; the rest is white.
    """

    pixels: Mapping[Stain, NDArray[np.uint8]]
    fields: Mapping[Stain, FieldOfView]
    covered: Mapping[Stain, float] = of_dataclass(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def whole(cls, he: NDArray[np.uint8], ihc: NDArray[np.uint8]) -> "FieldPixels":
        """The whole of two images, each (h, w, 3) uint8 RGB."""
        pixels = {Stain.HE: he, Stain.IHC: ihc}
        fields = {stain: FieldOfView.whole((image.shape[1], image.shape[0])) for stain, image in pixels.items()}
        return cls(pixels, fields)


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """A class's map over the whole network input, signed where the method is (before ReLU), and the way back to each image.

    `values`: (rows, columns) float32, read-only; one number per cell of the stage's grid, in `unit`: Grad-CAM of the last
    stage adds up to the class's logit less the bias (of a contrast, to the difference of two). Cell (r, c) covers an equal
    part of the input, its centre is at (c + 0.5, r + 0.5) cells. Where the input holds two stains side by side and the number
    of columns is odd, the column on the seam has seen both stains. `separate`: the stains' parts were computed apart, so
    nothing is read across the seam.
    `against`: the class that the target is set against, or None. `detail`: what else has to be said of how it came about.
    """

    values: NDArray[np.float32]
    target: str
    stage: str
    method: str
    layout: InputLayout
    fields: Mapping[Stain, FieldOfView]
    separate: bool = False
    against: str | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def title(self) -> str:
        """How it was made, for legends: 'Grad-CAM, layer4', 'LayerCAM, all stages fused', 'Occlusion'."""
        stage = {FUSED: "all stages fused", INPUT: ""}.get(self.stage, self.stage)
        return ", ".join(filter(None, (self.method, stage, self.detail)))

    @property
    def question(self) -> str:
        """The class that it is evidence for, for legends: '2+', or '2+ and not 1+'."""
        return self.target if self.against is None else f"{self.target} and not {self.against}"

    @property
    def unit(self) -> str:
        """What the values are counted in; of a fused map, shares of each stage's own peak."""
        return "share of each stage's peak" if self.stage == FUSED else METHODS[self.method].unit

    @property
    def request(self) -> MapRequest:
        """The request that this map answers."""
        return MapRequest(self.target, self.stage, self.method, self.against)

    @property
    def peak(self) -> float:
        """The strongest positive evidence anywhere in the input, in `unit`; 0 where there is none."""
        return max(float(self.values.max()), 0.0)

    def peak_of(self, stain: Stain) -> float:
        """The strongest positive evidence within a stain's own part, in `unit`; 0 where there is none."""
        cell = self.layout.cell(stain)
        rows, columns = self.values.shape
        first = int(np.floor(cell.x * columns / self.layout.width))
        last = int(np.ceil((cell.x + cell.width) * columns / self.layout.width))
        top = int(np.floor(cell.y * rows / self.layout.height))
        bottom = int(np.ceil((cell.y + cell.height) * rows / self.layout.height))
        return max(float(self.values[top:bottom, first:last].max()), 0.0)

    def render(self, stain: Stain, region: FieldOfView, size: tuple[int, int]) -> NDArray[np.float32]:
        """The map over a region of a stain's image, drawn at any resolution.

        region: a rectangle of level-0 pixels of the stain's image, or of a plane that its frame leads to; size: (width,
        height) of the raster that spans it. Returns (height, width) float32, signed, 0 outside the scored field. Linear
        between cell centres, constant beyond the outermost ones of the input; evaluated in float at each raster pixel's
        centre, so that the placement carries no rounding (OpenCV's warps and resizes place to 1/32 of a cell, which is 4
        source pixels on a 7 x 7 grid). Where the region is turned against the field, the map is drawn like that in the
        field's own plane first and turned by one warp of those pixels, to 1/32 of one.
        """
        field = self.fields[stain]
        to_field = IDENTITY if region.frame == field.frame else region.frame.inverse().then(field.frame)
        if to_field.is_upright:
            return self._upright(stain, region, size, to_field)
        raster = Affine.stretch(region.width / size[0], region.x, region.height / size[1], region.y).then(to_field)
        around = _shared(raster, size, field)
        if around is None:
            return np.zeros((size[1], size[0]), np.float32)
        fine = max(1, round(around.width / raster.scale)), max(1, round(around.height / raster.scale))
        drawn = self._upright(stain, around, fine, IDENTITY)
        place = Affine.stretch(around.width / fine[0], around.x, around.height / fine[1], around.y)
        return np.asarray(cv2.warpAffine(drawn, place.then(raster.inverse()).indices, size), np.float32)

    def _upright(
        self, stain: Stain, region: FieldOfView, size: tuple[int, int], to_field: Affine
    ) -> NDArray[np.float32]:
        """`render` where rows stay rows; to_field: from the region's plane to the field's, a scale and a shift per axis."""
        width, height = size
        field = self.fields[stain]
        scale = self.layout.to_input(stain, replace(field, frame=IDENTITY))
        rows, columns = self.values.shape
        x = to_field.xx * (region.x + (np.arange(width) + 0.5) * (region.width / width)) + to_field.tx
        y = to_field.yy * (region.y + (np.arange(height) + 0.5) * (region.height / height)) + to_field.ty
        place = (scale.xx * x + scale.tx) * (columns / self.layout.width)
        if self.separate:
            cell, step = self.layout.cell(stain), columns / self.layout.width
            place = np.clip(place, cell.x * step + 0.5, (cell.x + cell.width) * step - 0.5)
        across = _interpolation(place, columns)
        down = _interpolation((scale.yy * y + scale.ty) * (rows / self.layout.height), rows)
        across[(x < field.x) | (x >= field.x + field.width)] = 0
        down[(y < field.y) | (y >= field.y + field.height)] = 0
        drawn: NDArray[np.float32] = (down @ self.values @ across.T).astype(np.float32, copy=False)
        return drawn


def _shared(raster: Affine, size: tuple[int, int], field: FieldOfView) -> FieldOfView | None:
    """The upright rectangle of the field's plane that a raster, led there by an affine, can show anything of.

    It is that of the field, or of the raster with two of its pixels around, where they overlap; None where they do not.
    """
    width, height = size
    corners = raster.points([(-2, -2), (width + 2, -2), (width + 2, height + 2), (-2, height + 2)])
    left, top = np.maximum(corners.min(axis=0), (field.x, field.y)).tolist()
    right, bottom = np.minimum(corners.max(axis=0), (field.x + field.width, field.y + field.height)).tolist()
    return FieldOfView(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _interpolation(position: NDArray[np.float64], cells: int) -> NDArray[np.float32]:
    """(n, cells) float32 weights that read a row of cells, centres at +0.5, linearly at continuous positions (n,)."""
    place = np.clip(position - 0.5, 0, cells - 1)
    left = np.minimum(place.astype(np.intp), max(cells - 2, 0))
    share = (place - left).astype(np.float32)
    weights = np.zeros((len(position), cells), np.float32)
    row = np.arange(len(position))
    weights[row, left] = 1 - share
    weights[row, np.minimum(left + 1, cells - 1)] += share
    return weights


@dataclass(frozen=True, eq=False, slots=True)
class FineMap:
    """A map from the field seen at `scale` times the model's input size, and whether the model says the same of it there.

    The network is convolutional, so a larger picture gives the same stage a finer grid. But everything in it is then larger
    than what the network was trained on, and it may say something else: `plain` are its calibrated probabilities of
    `classes` at its own size, `fine` those at this one. Where they do not agree, the map explains another score than the
    one shown.
    """

    attribution: Attribution
    scale: int
    classes: tuple[str, ...]
    plain: tuple[float, ...]
    fine: tuple[float, ...]

    @property
    def share_moved(self) -> float:
        """How much probability moved from some classes to others: half the sum of differences, 0 to 1 (total variation)."""
        return sum(abs(fine - plain) for plain, fine in zip(self.plain, self.fine, strict=True)) / 2

    @property
    def agrees(self) -> bool:
        """Whether the score is the same at both sizes."""
        return int(np.argmax(self.plain)) == int(np.argmax(self.fine))

    @property
    def words(self) -> str:
        """One sentence: how far the fine map can be taken for one of the score on screen."""
        score, other = (self.classes[int(np.argmax(row))] for row in (self.plain, self.fine))
        seen = f"At {self.scale} times its input size, at which it was not trained, the model"
        if self.agrees:
            return f"{seen} says {score} as well ({self.share_moved:.0%} of the probability moved)."
        return f"{seen} says {other}, not {score}: this map explains another score than the one shown."


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """A prediction with what is needed to explain it later.

    `network_input`: (h, w, 3) uint8, of the layout's size or, for a finer map, a whole number of times that; `class_maps`:
    (classes, rows, columns) float32 signed Grad-CAM of the last stage for every class, from the same forward pass; `detail`:
    what else has to be said of those maps; `guard`: every check made on the input, those that failed stand in the prediction.
    """

    prediction: Prediction
    network_input: NetworkInput
    class_maps: NDArray[np.float32]
    layout: InputLayout
    separate: bool = False
    detail: str = ""
    guard: GuardReport = of_dataclass(default_factory=GuardReport)

    def attribution(self, target: str, against: str | None = None) -> Attribution:
        """Grad-CAM at the last stage for a class by its name, or for it and not another; nothing is computed by a network.

        Other maps: `FieldScorer.attribution`. Raises ValueError for a class that there is not.
        """
        classes, fields = self.prediction.classes, self.prediction.fields
        values = self.class_maps[classes.index(target)]
        if against is not None:
            values = values - self.class_maps[classes.index(against)]
        request = MapRequest(target, against=against)
        return Attribution(
            values, target, request.stage, request.method, self.layout, fields, self.separate, against, self.detail
        )

    def at_hand(self, request: MapRequest) -> Attribution | None:
        """The map asked for where it came with the score, otherwise None. Raises ValueError as `attribution` does."""
        if request != MapRequest(request.target, against=request.against):
            return None
        return self.attribution(request.target, request.against)


def never() -> bool:
    """For work that nobody cancels."""
    return False


def unwatched(done: int, total: int) -> None:
    """For work whose progress nobody watches: `done` of `total` runs of the network."""


class FieldScorer(Protocol):
    """What the window, the batch and the command line need of a scorer. Used from one thread at a time."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know (fallen back to the CPU, why), oldest first."""
        ...

    @property
    def device_title(self) -> str:
        """For the status line: 'CPU' or the card's name."""
        ...

    def score(self, field: FieldPixels) -> Evidence: ...

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]: ...

    def probabilities(self, inputs: Sequence[NetworkInput]) -> NDArray[np.float64]:
        """(n, classes) calibrated probabilities of pictures that are composed already; nothing is checked."""
        ...

    def attribution(
        self,
        evidence: Evidence,
        request: MapRequest,
        *,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = unwatched,
    ) -> Attribution:
        """The map asked for. A slow method asks `cancelled` between batches and tells `progress` (done, total).

        Raises Cancelled where it was, and ValueError for a class that the model does not know.
        """
        ...

    def trust(
        self,
        evidence: Evidence,
        attribution: Attribution,
        *,
        pixels: FieldPixels | None = None,
        mpp: float | None = None,
        seed: int = 0,
        cancelled: Callable[[], bool] = never,
    ) -> "TrustReport":
        """What a map is worth, measured on the field that it explains; see `trust.report`. Raises Cancelled."""
        ...

    def fine_map(
        self,
        field: FieldPixels,
        evidence: Evidence,
        request: MapRequest,
        scale: int = 2,
        *,
        cancelled: Callable[[], bool] = never,
        progress: Callable[[int, int], None] = unwatched,
    ) -> FineMap:
        """The map asked for from the field seen larger. `field`: the one that `evidence` is of. Raises as `attribution`."""
        ...

    def stain_effects(self, evidence: Evidence) -> tuple[StainEffect, ...]:
        """What the model would say without each stain, in the layout's order."""
        ...

    def fixed_peak(self, request: MapRequest) -> float | None:
        """The model's own full scale for such a map, in logits per cell, or None where the package has none."""
        ...

"""What is so, and what the user wishes to see: one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from types import MappingProxyType

from her2viewer.errors import UserError
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.cases.cases import Cases
from her2viewer.gui.compare.state import Comparison
from her2viewer.gui.fields.state import FieldsState
from her2viewer.gui.lanes import Progress
from her2viewer.gui.membranes.state import MembraneState
from her2viewer.gui.pane.stain_viewing import StainViewing
from her2viewer.gui.readings.state import ReadingState
from her2viewer.gui.registration.state import Registration
from her2viewer.gui.scale.typed import TypedScales
from her2viewer.gui.trust.state import TrustState
from her2viewer.gui.what_if.state import WhatIfState
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.methods import METHOD_SHOWN_FIRST, METHODS, STAGE_SHOWN_FIRST, MapRequest
from her2viewer.scoring.package import ModelManifest
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.preprocess import FIELD_UM
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, eq=False, slots=True)
class OpenedImage:
    """An image that stands in a pane. `overview`: the whole of it at a level small enough to hold, shown at once.

    `source` is read and closed in the files lane only; its plain facts (size, mpp, path) may be read anywhere. `damage`: why
    a part of the overview could not be read.
    """

    source: ImageSource
    overview: RGBImage
    damage: UserError | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One stain's place: the image in it, the file being opened for it, and why the last one was refused."""

    image: OpenedImage | None = None
    opening: Path | None = None
    error: UserError | None = None


@dataclass(frozen=True, eq=False, slots=True)
class ModelFacts:
    """What the window says of a loaded model. `coverage` is the level of the prediction sets, or None where it has none."""

    identity: ModelIdentity
    classes: tuple[str, ...]
    device: str
    precision: str
    coverage: float | None
    fixed_peaks: Mapping[str, float]
    notices: tuple[str, ...]
    card: str
    field_um: float = FIELD_UM
    """The side of a field that the model was trained with, in micrometres of tissue."""
    manifest: ModelManifest | None = None


class ModelPhase(Enum):
    """Where the model stands."""

    WAITING = auto()
    LOADING = auto()
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Model:
    """The model in use, or why there is none."""

    phase: ModelPhase = ModelPhase.WAITING
    facts: ModelFacts | None = None
    error: UserError | None = None


class ScorePhase(Enum):
    """Where the score of the pair on screen stands."""

    NONE = auto()
    SCORING = auto()
    SCORED = auto()
    SEALED = auto()
    FAILED = auto()
    CANCELLED = auto()


@dataclass(frozen=True, eq=False, slots=True)
class Scoring:
    """The score of the pair on screen. `evidence` is there when it is scored, `alignment` the one it was read through.

    `key`: of the drawn field or cell that it is of, None for the whole image. `sealed`: the evidence of a score that the reader
    is not to see yet; nothing but who breaks the seal looks at it.
    """

    phase: ScorePhase = ScorePhase.NONE
    evidence: Evidence | None = None
    alignment: Alignment | None = None
    error: UserError | None = None
    progress: Progress = field(default_factory=Progress)
    key: str | None = None
    sealed: Evidence | None = None


@dataclass(frozen=True, slots=True)
class MapWish:
    """Which map is wished for. `target` None is the class of the score, `against` None that it is set against no other."""

    target: str | None = None
    stage: str = STAGE_SHOWN_FIRST
    method: str = METHOD_SHOWN_FIRST
    against: str | None = None

    @classmethod
    def of(cls, attribution: Attribution) -> "MapWish":
        """The wish that a map fulfils."""
        return cls(attribution.target, attribution.stage, attribution.method, attribution.against)

    def request(self, target: str) -> MapRequest:
        """The request for a class: at the nearest stage that the method offers, and never against itself."""
        against = None if self.against == target else self.against
        return MapRequest(target, METHODS[self.method].nearest(self.stage), self.method, against)


@dataclass(frozen=True, eq=False, slots=True)
class DrawnMap:
    """The map at hand for a wish; `pending` while another is being computed, and how far; `error` where that failed."""

    attribution: Attribution | None = None
    pending: bool = False
    error: UserError | None = None
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """Everything the window shows follows from this and nothing else."""

    slots: Mapping[Stain, Slot] = field(default_factory=lambda: MappingProxyType({Stain.HE: Slot(), Stain.IHC: Slot()}))
    model: Model = Model()
    scoring: Scoring = Scoring()
    wish: MapWish = MapWish()
    drawn: DrawnMap = DrawnMap()
    style: OverlayStyle = field(default_factory=OverlayStyle)
    overlay_on: bool = True
    overlay_held_away: bool = False
    linked: bool = True
    registration: Registration = field(default_factory=Registration)
    comparison: Comparison = field(default_factory=Comparison)
    overview_map: bool = True
    stain_viewing: StainViewing = field(default_factory=StainViewing)
    fields: FieldsState = FieldsState()  # noqa: RUF009  immutable
    exporting: Progress | None = None
    batch: Progress | None = None
    scales: TypedScales = field(default_factory=TypedScales)
    cases: Cases = field(default_factory=Cases)
    what_if: WhatIfState = field(default_factory=WhatIfState)
    trust: TrustState = field(default_factory=TrustState)
    membranes: MembraneState = field(default_factory=MembraneState)
    readings: ReadingState = field(default_factory=ReadingState)

    def image(self, stain: Stain) -> OpenedImage | None:
        return self.slots[stain].image

    @property
    def pair(self) -> tuple[OpenedImage, OpenedImage] | None:
        """(H&E, IHC) when both are there."""
        he, ihc = self.image(Stain.HE), self.image(Stain.IHC)
        return (he, ihc) if he is not None and ihc is not None else None

    @property
    def scorable(self) -> tuple[OpenedImage | None, OpenedImage] | None:
        """(H&E, IHC) of what can be scored: the pair, or the IHC alone while there is no H&E."""
        he, ihc = self.image(Stain.HE), self.image(Stain.IHC)
        return (he, ihc) if ihc is not None else None

    @property
    def model_hidden(self) -> bool:
        """Whether the reader is to score what is on screen before the model is seen."""
        return self.readings.hides and self.scorable is not None

    @property
    def score_is_stale(self) -> bool:
        """Whether the images lay otherwise on each other when they were scored."""
        alignment = self.scoring.alignment
        return alignment is not None and alignment is not self.registration.alignment

    @property
    def target(self) -> str | None:
        """The class whose map is wished for: the one chosen, or that of the score."""
        evidence = self.scoring.evidence
        if evidence is None:
            return None
        classes = evidence.prediction.classes
        return self.wish.target if self.wish.target in classes else evidence.prediction.score

    @property
    def request(self) -> MapRequest | None:
        """The map that is wished for, once there is a score to explain."""
        return None if self.target is None else self.wish.request(self.target)

    def unscored(self) -> "State":
        """The same without a score and what came with it."""
        return replace(self, scoring=Scoring(), drawn=DrawnMap(), wish=MapWish())

    def with_slots(self, changes: Mapping[Stain, Slot]) -> "State":
        """The same with some slots replaced; alignment and fields stay with the images that they are of."""
        changed = replace(self, slots=MappingProxyType({**self.slots, **changes}))
        registration = self.registration.carried_to(self.pair, changed.pair)
        fields = self.fields if changed.pair == self.pair else self.fields.emptied()
        return replace(changed, registration=registration, fields=fields)

"""The model at work: what is done in the inference lane, and only there. torch comes in here, after the window stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from her2viewer.errors import PackageError
from her2viewer.gui.state import ModelFacts
from her2viewer.imaging.stain_vectors import StainVectors
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.field_scorer import FieldScorer, Precision
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.package import ModelPackage, bundled_package, open_package
from her2viewer.scoring.trust.findings import TrustReport
from her2viewer.scoring.what_if import WhatIf, what_if

DeviceChoice = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class ModelWish:
    """Which model, where and how. `folder` None is the bundled package."""

    folder: Path | None = None
    device: DeviceChoice = "auto"
    precision: Precision = "fp32"


Loader = Callable[[ModelWish], tuple[FieldScorer, ModelPackage]]
"""Opens a scorer; slow. Raises PackageError."""


def load_scorer(wish: ModelWish) -> tuple[FieldScorer, ModelPackage]:
    """The real loader: imports torch, checks the package, loads the weights."""
    package = open_package(wish.folder) if wish.folder is not None else bundled_package()
    from her2viewer.scoring.scorer import Scorer

    return Scorer.open(package, device=wish.device, precision=wish.precision), package


class Bench:
    """Holds the scorer. Every method runs in the inference lane."""

    def __init__(self, loader: Loader = load_scorer) -> None:
        self._loader = loader
        self._scorer: FieldScorer | None = None
        self._package: ModelPackage | None = None
        self._wish = ModelWish()

    def load(self, wish: ModelWish) -> ModelFacts:
        """Replaces the model. Where the new one cannot be loaded there is none. Raises PackageError."""
        self._scorer = self._package = None
        self._wish = wish
        self._scorer, self._package = self._loader(wish)
        return self.facts()

    def facts(self) -> ModelFacts:
        """What there is to say of the model now; device and notices change when a GPU fails."""
        scorer, package = self.scorer, self._package
        assert package is not None
        manifest = package.manifest
        conformal = manifest.calibration.conformal
        return ModelFacts(
            manifest.identity,
            manifest.classes,
            scorer.device_title,
            self._wish.precision,
            conformal.level if conformal is not None else None,
            manifest.fixed_peaks,
            scorer.notices,
            package.card,
            manifest.input.field_um,
            manifest,
        )

    @property
    def scorer(self) -> FieldScorer:
        if self._scorer is None:
            raise PackageError("no model is loaded", remedy="choose a model package in Preferences (Ctrl+,)")
        return self._scorer

    @property
    def package(self) -> ModelPackage:
        """Of the model that is loaded. Raises PackageError."""
        if self._package is None:
            raise PackageError("no model is loaded", remedy="choose a model package in Preferences (Ctrl+,)")
        return self._package

    def score(self, field: FieldPixels) -> tuple[Evidence, ModelFacts]:
        """Scores one field; the facts are those after it."""
        return self.scorer.score(field), self.facts()

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
        """Scores several fields."""
        return self.scorer.score_batch(fields)

    def attribution(
        self,
        evidence: Evidence,
        request: MapRequest,
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> Attribution:
        """The map asked for. Raises Cancelled."""
        return self.scorer.attribution(evidence, request, cancelled=cancelled, progress=progress)

    def trust(
        self,
        evidence: Evidence,
        attribution: Attribution,
        pixels: FieldPixels,
        um: float | None,
        cancelled: Callable[[], bool],
    ) -> TrustReport:
        """What a map is worth. um: micrometres a pixel of the field's IHC, or None. Raises Cancelled."""
        return self.scorer.trust(evidence, attribution, pixels=pixels, mpp=um, cancelled=cancelled)

    def what_if(
        self,
        field: FieldPixels,
        evidence: Evidence,
        vectors: StainVectors,
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> WhatIf:
        """A field's probabilities along the strength of its DAB. Raises Cancelled, ImageError."""
        return what_if(self.scorer, field, evidence, vectors=vectors, cancelled=cancelled, progress=progress)

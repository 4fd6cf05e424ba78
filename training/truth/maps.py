"""Which maps are judged: every method at every stage, and what any of them has to beat."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

from her2viewer.scoring.evidence import (
    FUSED,
    METHOD_SHOWN_FIRST,
    METHODS,
    STAGE_SHOWN_FIRST,
    STAGES,
    Attribution,
    Evidence,
)
from her2viewer.scoring.stains import Stain
from training.evaluation.baseline import dab_densities

Plane = NDArray[np.float32]
"""(side, side) float32 over the whole of one image."""

RANDOM: Final = "Random map"
CENTRE: Final = "Centre map"
DAB: Final = "DAB density"
DAB_ABOVE: Final = "DAB above Otsu's threshold"
BASELINES: Final = (RANDOM, CENTRE, DAB, DAB_ABOVE)


@dataclass(frozen=True, slots=True)
class MapName:
    """A map by its method and stage as in `MapRequest`; a baseline has no stage. scale: of the field as the network sees it."""

    method: str
    stage: str = ""
    scale: int = 1

    @property
    def is_baseline(self) -> bool:
        return self.method in BASELINES

    @property
    def is_slow(self) -> bool:
        return not self.is_baseline and METHODS[self.method].slow

    @property
    def can_be_first(self) -> bool:
        """Whether the app could show it first: at hand in a blink, and of the size that the model scored."""
        return not self.is_baseline and not self.is_slow and self.scale == 1

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.method, self.stage, f"{self.scale}x" if self.scale > 1 else "")))


FREE: Final = MapName("Grad-CAM", STAGES[-1])
"""The map that comes with every score and costs nothing more."""

SHOWN_FIRST: Final = MapName(METHOD_SHOWN_FIRST, STAGE_SHOWN_FIRST)
"""The app's own choice, which this measurement is to confirm or change."""


SCALES: Final = (2, 3)
FINE: Final = tuple(
    MapName(method, stage, scale)
    for scale in SCALES
    for method in ("Grad-CAM", "LayerCAM")
    for stage in (FUSED, "layer3", "layer4")
)
"""Maps of the field as the network sees it larger than it was trained on."""


def every_map(slow: bool) -> tuple[MapName, ...]:
    """Baselines first, then methods in their own order, then those at larger scales. slow: with those that take seconds."""
    methods = [method for method in METHODS.values() if slow or not method.slow]
    asked = [MapName(method.name, stage) for method in methods for stage in method.stages]
    return (*(MapName(name) for name in BASELINES), *asked, *FINE)


def over_image(attribution: Attribution, stain: Stain, side: int) -> Plane:
    """A map over the whole of a stain's field, as the window draws it, on a raster of `side` pixels."""
    return attribution.render(stain, attribution.fields[stain], (side, side))


def baseline_planes(
    evidence: Evidence, ihc: NDArray[np.uint8], side: int, seed: tuple[int, ...]
) -> Iterator[tuple[str, dict[Stain, Plane]]]:
    """Each baseline's name and its planes, by the stains that the model takes.

    Random: uniform noise on the grid of the last stage, drawn as its maps are. Centre: a Gaussian at the middle of the image, its
    deviation a quarter of the side. DAB density: of the IHC, not below 0; laid over the H&E as it is, without regard to how
    the two lie. DAB above Otsu's threshold: the same, 0 below the threshold between its two modes (Otsu 1979).
    """
    stains = evidence.layout.order
    noise = np.random.default_rng(np.random.SeedSequence(seed)).random(evidence.class_maps.shape[1:], np.float32)
    drawn = replace(evidence.attribution(evidence.prediction.score), values=noise)
    yield RANDOM, {stain: over_image(drawn, stain, side) for stain in stains}
    away = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side) - np.float32(0.5)
    bell = np.exp(-(away**2) / np.float32(2 * 0.25**2))
    yield CENTRE, dict.fromkeys(stains, np.outer(bell, bell))
    full = dab_densities(ihc).astype(np.float32)
    density = np.maximum(cv2.resize(full, (side, side), interpolation=cv2.INTER_AREA), 0)
    yield DAB, dict.fromkeys(stains, density)
    least = threshold_otsu(density)  # type: ignore[no-untyped-call]
    yield DAB_ABOVE, dict.fromkeys(stains, np.where(density >= least, density, np.float32(0)))

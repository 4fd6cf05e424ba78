"""A field as it was read, and what a scorer found in it: its prediction with what is needed to explain it. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as of_dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.guard.report import GuardReport
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.prediction import FieldOfView, Prediction
from her2viewer.scoring.preprocess import InputLayout, NetworkInput
from her2viewer.scoring.stains import Stain


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

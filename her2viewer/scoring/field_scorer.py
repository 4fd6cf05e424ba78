"""What a scorer can be asked, whoever answers: a model package, or a stand-in of the tests. No torch."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.attribution.fine_map import FineMap
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.preprocess import NetworkInput
from her2viewer.scoring.stain_effect import StainEffect
from her2viewer.scoring.trust.findings import TrustReport
from her2viewer.scoring.watching import never, unwatched

Precision = Literal["fp32", "bf16"]


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
    ) -> TrustReport:
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


@runtime_checkable
class Twinned(Protocol):
    """A scorer that can be had once more, with the same weights in memory, to be used in another thread at the same time."""

    def twin(self) -> FieldScorer: ...

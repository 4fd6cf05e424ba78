"""One prediction questioned in every way there is, by the parts that the window asks one by one."""

from collections.abc import Callable
from dataclasses import dataclass

from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.confidence import no_call_beside
from her2viewer.scoring.evidence import METHODS, Attribution, Evidence, FieldPixels, FieldScorer, MapRequest, never
from her2viewer.scoring.membrane.agreement import Agreement, compare
from her2viewer.scoring.membrane.reading import MembraneReading, read_field
from her2viewer.scoring.stain_effect import StainEffect
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import TrustReport
from her2viewer.scoring.what_if import WhatIf, what_if


@dataclass(frozen=True, eq=False, slots=True)
class Explanation:
    """A prediction with everything that questions it.

    maps: the map that was asked for first; where its method is quick, then the same map of every other class, none of them
    against another. `trust` is of the first. `membranes`, `agreement` and `what_if` are None without an IHC.
    """

    evidence: Evidence
    maps: tuple[Attribution, ...]
    effects: tuple[StainEffect, ...]
    trust: TrustReport
    membranes: MembraneReading | None
    agreement: Agreement | None
    what_if: WhatIf | None

    @property
    def no_call(self) -> str | None:
        """Why the score should not be used, the membranes heard as well; None where nothing speaks against it."""
        return no_call_beside(self.evidence.prediction, self.agreement)


def explain(
    scorer: FieldScorer,
    field: FieldPixels,
    evidence: Evidence,
    request: MapRequest,
    *,
    mpp: PixelSize | None = None,
    seed: int = 0,
    cancelled: Callable[[], bool] = never,
) -> Explanation:
    """Questions a prediction. Takes some seconds, and is the same for the same seed.

    field: the pixels that `evidence` was made from; request: the map that is questioned; mpp: of level-0 px of the IHC, None
    where it is not known. Raises Cancelled, and as `FieldScorer.attribution` does.
    """
    wanted = [request]
    if not METHODS[request.method].slow:
        others = (name for name in evidence.prediction.classes if name != request.target)
        wanted += [MapRequest(name, request.stage, request.method) for name in others]
    maps = tuple(scorer.attribution(evidence, one, cancelled=cancelled) for one in wanted)
    um = None if mpp is None else mpp.um
    trust = scorer.trust(evidence, maps[0], pixels=field, mpp=um, seed=seed, cancelled=cancelled)
    membranes = agreement = varied = None
    if Stain.IHC in field.pixels and Stain.IHC in evidence.layout.order:
        membranes = read_field(field, mpp, field_um=evidence.layout.field_um, cancelled=cancelled)
        agreement = compare(membranes, evidence.prediction)
        varied = what_if(scorer, field, evidence, cancelled=cancelled)
    return Explanation(evidence, maps, scorer.stain_effects(evidence), trust, membranes, agreement, varied)

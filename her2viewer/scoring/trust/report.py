"""An attribution questioned on the field that it explains: all measurements and the verdict."""

import time
from collections.abc import Callable

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.findings import TrustReport
from her2viewer.scoring.trust.on_membrane import membrane_share
from her2viewer.scoring.trust.orientation import turn_over
from her2viewer.scoring.trust.perturbation import perturb
from her2viewer.scoring.trust.randomised import randomise
from her2viewer.scoring.trust.verdict import judge, thresholds
from her2viewer.scoring.watching import never


def trust_report(
    explained: Explained,
    evidence: Evidence,
    attribution: Attribution,
    *,
    pixels: FieldPixels | None = None,
    mpp: float | None = None,
    seed: int = 0,
    cancelled: Callable[[], bool] = never,
) -> TrustReport:
    """Questions a map of `evidence` that `explained` can make again. The same seed gives the same report.

    pixels: the field as it was read, for the share on membrane; mpp: micrometres a pixel of its IHC (see `membrane_share`).
    Raises Cancelled between two runs of the network.
    """
    started = time.perf_counter()
    perturbation = perturb(explained, evidence, attribution, seed=seed, cancelled=cancelled)
    stability = turn_over(explained, evidence, attribution, cancelled=cancelled)
    randomised = randomise(explained, evidence, attribution, seed=seed, cancelled=cancelled)
    membrane = membrane_share(attribution, evidence.network_input, pixels=pixels, mpp=mpp, seed=seed)
    verdict, headline, reasons = judge(attribution, perturbation, membrane, stability, randomised)
    return TrustReport(
        attribution=attribution,
        verdict=verdict,
        headline=headline,
        reasons=reasons,
        perturbation=perturbation,
        membrane=membrane,
        stability=stability,
        randomised=randomised,
        thresholds=thresholds(perturbation),
        seed=seed,
        seconds=time.perf_counter() - started,
    )

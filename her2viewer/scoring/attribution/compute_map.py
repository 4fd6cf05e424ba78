"""From a request to the map of one composed picture, whichever method makes it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.architecture import STAGES
from her2viewer.scoring.attribution.class_activation import RULES
from her2viewer.scoring.attribution.fused import fuse, fused_map
from her2viewer.scoring.attribution.occlusion import occlusion
from her2viewer.scoring.attribution.score_cam import score_cam
from her2viewer.scoring.attribution.stage_map import Trace, joined, stage_gradients, stage_map
from her2viewer.scoring.methods import FUSED, MapRequest
from her2viewer.scoring.network import Network
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.watching import never, unwatched


class ComputedMap(NamedTuple):
    """A map and how it came about. `stains_apart`: each stain was asked about alone, whatever the network looks at."""

    values: NDArray[np.float32]
    detail: str = ""
    stains_apart: bool = False


def shared_map(network: Network) -> str:
    """What a legend has to say of a network that looks at both stains at once: its map must not pass for one of each."""
    return "one map for both stains" if network.copies > 1 else ""


def compute_map(
    network: Network,
    x: Tensor,
    layout: InputLayout,
    request: MapRequest,
    target: int,
    against: int | None,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unwatched,
    traced: Trace | None = None,
) -> ComputedMap:
    """The map asked for. x: (1, 3, h, w), normalised; target, against: the request's classes as the network counts them.
    traced: all stages of x, where its pass forward was kept: gradients then take a pass back alone.

    Raises Cancelled where a slow method was told to stop.
    """
    match request.method:
        case "Occlusion":
            values = occlusion(network, x, layout, target, against, cancelled=cancelled, progress=progress)
            return ComputedMap(values, stains_apart=True)
        case "Score-CAM":
            found = score_cam(network, x, request.stage, target, against, cancelled=cancelled, progress=progress)
            which = "all" if found.taken == found.channels else f"the {found.taken} most varied of"
            detail = f"{which} {found.channels} features"
            return ComputedMap(found.values, ", ".join(filter(None, (detail, shared_map(network)))))
        case method if request.stage == FUSED:
            return ComputedMap(fused_map(network, x, target, method, against, traced), shared_map(network))
        case method:
            values = stage_map(network, x, request.stage, target, method, against, traced)
            return ComputedMap(values, shared_map(network))


def gradient_maps(network: Network, x: Tensor, target: int) -> dict[tuple[str, str], ComputedMap]:
    """Every map of a class by a gradient, by method and stage: as `compute_map` makes each, but from one pass in all."""
    gradients = stage_gradients(network, x, STAGES, target)
    found = {}
    for method, rule in RULES.items():
        maps = [[rule(*part) for part in parts] for parts in gradients]
        for stage, of_stage in zip(STAGES, maps, strict=True):
            found[method, stage] = ComputedMap(joined(network, of_stage), shared_map(network))
        found[method, FUSED] = ComputedMap(fuse(network, maps), shared_map(network))
    return found

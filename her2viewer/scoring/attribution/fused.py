"""One map of all stages: sharp where the fine ones are, and deaf to what only they see."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from her2viewer.scoring.architecture import STAGES
from her2viewer.scoring.attribution.stage_map import Trace, stage_maps
from her2viewer.scoring.network import Network

GAMMA = 2.0
"""The scale factor that LayerCAM's authors use."""


def fused_map(
    network: Network,
    x: Tensor,
    target: int,
    method: str = "LayerCAM",
    against: int | None = None,
    traced: Trace | None = None,
) -> NDArray[np.float32]:
    """The maps of all stages fused as LayerCAM's authors do it.

    Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization": each stage's
    positive evidence over its own peak, M / max(M), is lifted by tanh(2 M / max(M)), since the fine stages' peaks stand alone,
    and each place takes the greatest of the stages. They lift the fine stages alone; here all are, as in torchcam, so
    that the last one is not drowned by them. A stage without positive evidence adds nothing.

    Arguments as in `stage_map`. Returns (rows, columns) float32 on the finest stage's grid, 0 to tanh(2): shares of each
    stage's peak, not logits. Negative evidence is lost even where the method has a sign. Coarse maps are read linearly
    between the centres of their cells, and never across the seam of a network that looks at the stains apart.
    """
    return fuse(network, stage_maps(network, x, STAGES, target, method, against, traced))


def fuse(network: Network, maps: Iterable[list[Tensor]]) -> NDArray[np.float32]:
    """`fused_map` of maps that are there already: for each stage, from the finest on, those of each of the network's parts."""
    fused: list[Tensor] | None = None
    for parts in maps:
        peak = max(float(part.max()) for part in parts)
        lifted = [torch.tanh(GAMMA * part.relu() / peak) if peak > 0 else torch.zeros_like(part) for part in parts]
        if fused is None:
            fused = lifted
        else:
            fused = [torch.maximum(at_hand, _onto(at_hand, part)) for at_hand, part in zip(fused, lifted, strict=True)]
    assert fused is not None
    return np.ascontiguousarray(network.across(fused).cpu().numpy())


def _onto(grid: Tensor, coarse: Tensor) -> Tensor:
    size = (grid.shape[0], grid.shape[1])
    return interpolate(coarse[None, None], size, mode="bilinear", align_corners=False)[0, 0]

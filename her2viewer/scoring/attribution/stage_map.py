"""A class's map at any residual stage, by the real gradient; at the last stage without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.architecture import STAGES
from her2viewer.scoring.attribution.class_activation import RULES, ClassActivation
from her2viewer.scoring.network import Network

StageGradient = list[tuple[Tensor, Tensor]]
"""For each of a network's parts a stage's features and the gradient of the score by them, both (k, rows, columns) float32."""


@dataclass(frozen=True, eq=False, slots=True)
class Trace:
    """A pass forward that can be gone back, for one class after another: each map then takes a pass back alone.

    activations: of each stage by its name, (1, c, rows, columns); features: of the last stage; logits: (1, classes). The network
    must stay as it is. It holds some 8 MB for an input of 224 x 224.
    """

    activations: Mapping[str, Tensor]
    features: Tensor
    logits: Tensor
    parts: int

    def gradients(self, stages: Sequence[str], target: int, against: int | None = None) -> list[StageGradient]:
        """See `stage_gradients`. Goes back no further than the first of the stages. Raises KeyError for one not traced."""
        activations = [self.activations[stage] for stage in stages]
        with torch.enable_grad():
            logits = self.logits[0]
            score = logits[target] if against is None else logits[target] - logits[against]
            gradients = torch.autograd.grad(score, activations, retain_graph=True)
        return [
            [
                (part[0].float(), its[0].float())
                for part, its in zip(
                    activation.detach().chunk(self.parts, dim=3), gradient.chunk(self.parts, dim=3), strict=True
                )
            ]
            for activation, gradient in zip(activations, gradients, strict=True)
        ]


def trace(network: Network, x: Tensor, stages: Sequence[str] = STAGES) -> Trace:
    """One pass forward of x, (1, 3, h, w), normalised, to the bit as without a trace. stages: from fine to coarse."""
    with torch.no_grad():
        first = network.until(x, stages[0])
    with torch.enable_grad():
        activations = [first.detach().requires_grad_(True)]
        # Each stage changes its input in place: it gets a copy of its own to work on.
        for stage, following in pairwise(stages):
            activations.append(network.beyond(activations[-1].clone(), stage, following))
        features = network.beyond(activations[-1].clone(), stages[-1]) if stages[-1] != STAGES[-1] else activations[-1]
        logits = network.classify(features)
    return Trace(dict(zip(stages, activations, strict=True)), features, logits, network.parts)


def last_stage_maps(network: Network, features: Tensor) -> Tensor:
    """Grad-CAM of all classes at the last stage, from the forward pass alone.

    Behind the last stage come only a mean over the grid and one linear layer, so d logit_c / d A_k is `fc.weight[c, k]` over
    the number of cells everywhere, and all class maps are one 1x1 convolution. features: of the network's last stage. Returns
    (n, classes, rows, columns) float32, signed, in logits per cell: a map's cells add up to its class's logit less the bias.
    """
    return network.class_maps(features)


def stage_map(
    network: Network,
    x: Tensor,
    stage: str,
    target: int,
    method: str = "Grad-CAM",
    against: int | None = None,
    traced: Trace | None = None,
) -> NDArray[np.float32]:
    """One class's map at one stage, or that of the difference of two classes' logits (Zhang et al. 2025, "Finer-CAM", with
    one reference and gamma 1).

    x: (1, 3, h, w), normalised; target, against: indices of classes; method: one of `class_activation.RULES`. Returns (rows,
    columns) float32 over the whole picture, in logits per cell. No hook is set and nothing is left on the network. Raises
    ValueError for a stage or a method that there is not.
    """
    if stage not in STAGES:
        raise ValueError(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
    (found,) = stage_maps(network, x, (stage,), target, method, against, traced)
    return joined(network, found)


def joined(network: Network, parts: list[Tensor]) -> NDArray[np.float32]:
    """A stage's maps of the network's parts as one over the whole picture, shared among its copies."""
    return np.ascontiguousarray((network.across(parts) / network.copies).cpu().numpy())


def stage_maps(
    network: Network,
    x: Tensor,
    stages: Sequence[str],
    target: int,
    method: str = "Grad-CAM",
    against: int | None = None,
    traced: Trace | None = None,
) -> list[list[Tensor]]:
    """Several stages' maps from one pass forward and back, as `stage_map`: for each stage, those of each of the network's parts.

    stages: from fine to coarse. Each map is (rows, columns) float32 of the part alone, not yet shared among its copies.
    """
    rule = _rule(method)
    traced = traced or trace(network, x, stages)
    return [[rule(*part) for part in parts] for parts in traced.gradients(stages, target, against)]


def stage_gradients(
    network: Network, x: Tensor, stages: Sequence[str], target: int, against: int | None = None
) -> list[StageGradient]:
    """What every rule takes, of several stages from one pass forward and back. stages: from fine to coarse."""
    return trace(network, x, stages).gradients(stages, target, against)


def _rule(method: str) -> ClassActivation:
    if method not in RULES:
        raise ValueError(f"method must be one of {', '.join(RULES)}, got {method!r}")
    return RULES[method]

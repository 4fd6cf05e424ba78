"""Grad-CAM of every class at any residual stage.

Selvaraju et al. 2017, "Grad-CAM", eq. 1 and 2: a class's map is the sum of a stage's feature maps A_k, each weighted by
the mean over the grid of d logit / d A_k. The ReLU of eq. 2 is left to the drawing, so that negative evidence and a map
without any positive one stay visible.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.evidence import STAGES
from her2viewer.scoring.network import Network


def last_stage_maps(network: Network, features: Tensor) -> Tensor:
    """Grad-CAM of all classes at the last stage, from the forward pass alone.

    Behind the last stage come only a mean over the grid and one linear layer, so d logit_c / d A_k is `fc.weight[c, k]` over
    the number of cells everywhere, and all class maps are one 1x1 convolution. features: of the network's last stage. Returns
    (n, classes, rows, columns) float32, signed, in logits per cell: a map's cells add up to its class's logit less the bias.
    """
    return network.class_maps(features)


def stage_map(network: Network, x: Tensor, stage: str, target: int) -> NDArray[np.float32]:
    """Grad-CAM of one class at one stage by its real gradient.

    x: (1, 3, h, w), normalised; target: index of the class. Returns (rows, columns) float32, signed, in logits per
    cell. No hook is set and nothing is left on the network. Raises ValueError for a stage that there is not.
    """
    if stage not in STAGES:
        raise ValueError(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
    with torch.no_grad():
        activation = network.until(x, stage)
    with torch.enable_grad():
        activation = activation.detach().requires_grad_(True)
        # The later stages change their input in place; they get a copy of their own to work on.
        logits = network.classify(network.beyond(activation.clone(), stage))
        (gradient,) = torch.autograd.grad(logits[0, target], activation)
    return np.ascontiguousarray(network.weighted(activation.detach(), gradient).cpu().numpy())

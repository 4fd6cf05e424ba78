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
from her2viewer.scoring.network import ResNet18


def last_stage_maps(features: Tensor, weight: Tensor) -> Tensor:
    """Grad-CAM of all classes at the last stage, from the forward pass alone.

    Behind the last stage come only a mean over the grid and one linear layer, so d logit_c / d A_k is `weight[c, k]` over
    the number of cells everywhere, and all class maps are one 1x1 convolution. features: (n, 512, h, w) after layer4;
    weight: (classes, 512) of `fc`. Returns (n, classes, h, w) float32, signed, in logits per cell: a map's cells add up
    to its class's logit less the bias.
    """
    cells = features.shape[-2] * features.shape[-1]
    return torch.einsum("nkhw,ck->nchw", features.float(), weight.float()) / cells


def stage_map(network: ResNet18, x: Tensor, stage: str, target: int) -> NDArray[np.float32]:
    """Grad-CAM of one class at one stage by its real gradient.

    x: (1, 3, h, w), normalised; target: index of the class. Returns (rows, columns) float32, signed, in logits per
    cell. No hook is set and nothing is left on the network. Raises ValueError for a stage that there is not.
    """
    if stage not in STAGES:
        raise ValueError(f"stage must be one of {', '.join(STAGES)}, got {stage!r}")
    with torch.no_grad():
        activation = network.stem(x)
        for name in STAGES[: STAGES.index(stage) + 1]:
            activation = getattr(network, name)(activation)
    with torch.enable_grad():
        activation = activation.detach().requires_grad_(True)
        # The later stages change their input in place; they get a view of their own to work on.
        out = activation.clone()
        for name in STAGES[STAGES.index(stage) + 1 :]:
            out = getattr(network, name)(out)
        (gradient,) = torch.autograd.grad(network.classify(out)[0, target], activation)
    weights = gradient.float().mean(dim=(2, 3))
    cam = torch.einsum("k,khw->hw", weights[0], activation.detach()[0].float())
    return np.ascontiguousarray(cam.cpu().numpy())

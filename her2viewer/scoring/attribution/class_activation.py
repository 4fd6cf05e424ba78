"""Class activation maps of one stage, from its features and the gradient of a class's logit by them.

All take A, the features, and G = d logit / d A, both (k, rows, columns) float32, and give (rows, columns) float32. A is not
negative (each stage ends in a ReLU). The ReLU that the papers put over the finished map is left to the drawing.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

ClassActivation = Callable[[Tensor, Tensor], Tensor]


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """sum_k mean(G_k) A_k, signed. Selvaraju et al. 2017, "Grad-CAM", eq. 1 and 2."""
    return torch.einsum("k,khw->hw", gradient.mean(dim=(1, 2)), activation)


def grad_cam_plus_plus(activation: Tensor, gradient: Tensor) -> Tensor:
    """sum_k w_k A_k with w_k = sum_ij a_kij relu(G_kij), not negative.

    Chattopadhyay et al. 2018, "Grad-CAM++", eq. 19, for an exponential of the logit, whose own factor is the same everywhere
    and left out: a = G^2 / (2 G^2 + sum(A_k) G^3), which is 1 / (2 + sum(A_k) G) where G is positive, and elsewhere counts
    for nothing. Written like that it needs no small number against a division by 0, beside which small gradients vanish.
    """
    positive = gradient.relu()
    share = 1 / (2 + activation.sum(dim=(1, 2), keepdim=True) * positive)
    return torch.einsum("k,khw->hw", (share * positive).sum(dim=(1, 2)), activation)


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """sum_k relu(G_k) A_k, place by place, not negative. Jiang et al. 2021, "LayerCAM"."""
    return (gradient.relu() * activation).sum(dim=0)


def hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """sum_k G_k A_k, place by place, signed. Draelos and Carin 2020, "HiResCAM".

    At the last stage of a network that ends in a mean and one linear layer it equals Grad-CAM.
    """
    return (gradient * activation).sum(dim=0)


RULES: Final[Mapping[str, ClassActivation]] = MappingProxyType(
    {
        "Grad-CAM": grad_cam,
        "Grad-CAM++": grad_cam_plus_plus,
        "LayerCAM": layer_cam,
        "HiResCAM": hires_cam,
    }
)
"""By their names in `evidence.METHODS`."""

"""The composed picture as the network takes it. Training and the viewer both come through here."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.preprocess import InputLayout


def normalised(inputs: NDArray[np.uint8], layout: InputLayout, device: str | torch.device) -> Tensor:
    """Composed pictures as the network takes them: (n, h, w, 3) uint8 -> (n, 3, h, w) float32, channels last.

    x / 255, then (x - mean) / std per channel of the layout.
    """
    return normalised_tensor(torch.from_numpy(inputs).to(device), layout)


def normalised_tensor(inputs: Tensor, layout: InputLayout) -> Tensor:
    """`normalised` for a (n, h, w, 3) uint8 tensor, on the device that it lies on."""
    # An NHWC tensor seen as NCHW lies in memory as channels last already: no copy is made for it.
    x = inputs.permute(0, 3, 1, 2).float().div_(255)
    mean = torch.tensor(layout.mean, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(layout.std, device=x.device).view(1, 3, 1, 1)
    return x.sub_(mean).div_(std)

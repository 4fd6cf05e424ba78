"""What a network says of many changed copies of one picture."""

import torch
from torch import Tensor

from her2viewer.scoring.network import Network


def logit_of(network: Network, x: Tensor, target: int, against: int | None) -> Tensor:
    """(n, 3, h, w), normalised -> (n,) float32: the class's logit, or its difference to another's. Call in inference mode."""
    logits = network(x.contiguous(memory_format=torch.channels_last)).float()
    chosen: Tensor = logits[:, target] if against is None else logits[:, target] - logits[:, against]
    return chosen

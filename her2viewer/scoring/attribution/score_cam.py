"""Score-CAM: features weighted by what the network says where only what they mark is shown. Takes no gradient."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.changed_inputs import logit_of
from her2viewer.scoring.network import Network
from her2viewer.scoring.watching import never, unwatched

MOST_VARIED: Final = 64
"""Of the features of each part of a network; all 512 take ten seconds and more on a CPU."""

_BATCH: Final = 8
"""Masked pictures a pass: small enough to stop within half a second on two cores, and as fast a picture as larger ones."""


class ScoreCAM(NamedTuple):
    """(rows, columns) float32, not negative, and how many of how many channels were `taken`."""

    values: NDArray[np.float32]
    taken: int
    channels: int


def score_cam(
    network: Network,
    x: Tensor,
    stage: str,
    target: int,
    against: int | None = None,
    *,
    most: int = MOST_VARIED,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[int, int], None] = unwatched,
) -> ScoreCAM:
    """sum_k w_k A_k, w the softmax over channels of the logit for x times A_k, brought to 0..1 and to the size of x.

    Wang et al. 2020, "Score-CAM", algorithm 1; what x is outside a mask is 0, the mean colour. Of each part's channels only the
    `most` of highest variance over the grid are taken, as Faster-Score-CAM does (github.com/tabayashi0117/Score-CAM): a channel
    that is nearly the same everywhere masks nothing. In a network with an encoder for each stain a channel masks its own stain,
    and the other is shown whole; the softmax is over each encoder's own channels. Masks grow with pixel centres at +0.5.

    Arguments and errors as in `stage_map`. The map is in mean activation weighted by w; a contrast's w is of the difference
    of two logits. Raises Cancelled when `cancelled` says so between batches.
    """
    with torch.inference_mode():
        activation = network.until(x, stage).float()
        parts = [part[0] for part in activation.chunk(network.parts, dim=3)]
        channels = len(parts[0])
        taken = min(most, channels)
        # In their own order, so that with all of them the sum is the one of the paper to the last bit.
        kept = [part[part.var(dim=(1, 2)).topk(taken).indices.sort().values] for part in parts]
        maps = []
        for index, part in enumerate(kept):
            scores = []
            for first in range(0, taken, _BATCH):
                if cancelled():
                    raise Cancelled
                mask = _masks(network, x, part[first : first + _BATCH], index)
                scores.append(logit_of(network, (x * mask).to(x.dtype), target, against))
                progress(index * taken + first + len(scores[-1]), len(kept) * taken)
            weights = torch.cat(scores).softmax(dim=0)
            maps.append(torch.einsum("k,khw->hw", weights, part))
        values = network.across(maps) / network.copies
    return ScoreCAM(np.ascontiguousarray(values.cpu().numpy()), taken, channels)


def _masks(network: Network, x: Tensor, activation: Tensor, index: int) -> Tensor:
    """(n, 1, h, w) of the size of x, from (n, rows, columns) of one part; 1 over the other parts."""
    height, width = x.shape[2], x.shape[3] // (network.parts * network.copies)
    grown = interpolate(activation[:, None], (height, width), mode="bilinear", align_corners=False)
    low, high = grown.amin(dim=(2, 3), keepdim=True), grown.amax(dim=(2, 3), keepdim=True)
    mask = (grown - low) / (high - low + 1e-8)
    whole = torch.ones_like(mask)
    return network.across([mask if part == index else whole for part in range(network.parts)])

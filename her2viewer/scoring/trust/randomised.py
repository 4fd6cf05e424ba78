"""Does the map need what the network has learned?

Adebayo et al. 2018, "Sanity checks for saliency maps", NeurIPS, sec. 3: full randomisation of the parameters. A map that a
network without knowledge draws as well shows the picture (edges, dark stain), not the reason for the score.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

import torch

from her2viewer.errors import Cancelled
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.network import Network
from her2viewer.scoring.trust.agreement import correlation, rank_correlation
from her2viewer.scoring.trust.cells import given, over_input, sampled
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.findings import Randomised
from her2viewer.scoring.watching import never

DRAWS: Final = 3
"""Networks drawn: one may by chance weigh its features as the learned one does."""

_SomeNetwork = TypeVar("_SomeNetwork", bound=Network)


def with_random_weights(network: _SomeNetwork, seed: int) -> _SomeNetwork:
    """The same architecture with every parameter drawn anew: normal, with each tensor's own mean and standard deviation.

    So each layer keeps the scale of its weights and biases, folded batch norms included. The same seed gives the same network on
    every device. A tensor whose numbers are all the same keeps them.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in drawn.parameters():
            if parameter.numel() < 2:
                continue  # it has no spread to draw with
            spread, mean = torch.std_mean(parameter.float())
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_((noise * spread.cpu() + mean.cpu()).to(parameter.dtype))
    return drawn


def randomise(
    explained: Explained,
    evidence: Evidence,
    attribution: Attribution,
    *,
    seed: int = 0,
    cancelled: Callable[[], bool] = never,
) -> Randomised:
    """The maps of `DRAWS` networks with random weights beside the map. Raises Cancelled."""
    parts = given(evidence)
    drawn = sampled(over_input(attribution), parts)
    maps, plain, ranked = [], [], []
    for draw in range(DRAWS):
        if cancelled():
            raise Cancelled
        other = explained.with_network(with_random_weights(explained.network, DRAWS * seed + draw))
        maps.append(replace(attribution, values=other.values(evidence.network_input)))
        seen = sampled(over_input(maps[-1]), parts)
        plain.append(correlation(drawn, seen))
        ranked.append(rank_correlation(drawn, seen))
    return Randomised(maps[0], tuple(plain), tuple(ranked))

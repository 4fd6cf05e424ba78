"""Deletion and insertion: does the score fall where the map says that it comes from?

Petsiuk, Das, Saenko 2018, "RISE: Randomized input sampling for explanation of black-box models", sec. 4.1.
"""

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import Cancelled
from her2viewer.scoring.evidence import Attribution, Evidence
from her2viewer.scoring.preprocess import NetworkInput
from her2viewer.scoring.trust.cells import given, middle, over_input
from her2viewer.scoring.trust.chance import random_maps
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.fill import FILLS, filled
from her2viewer.scoring.trust.findings import Curves, Perturbation

SHARES: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Of the pixels removed. Closest where curves are steep, and the same from both ends: what a map's insertion shows is then what
its negative's deletion shows."""

RANDOM_MAPS: Final = 4

_NEAR: Final = 1 / 8
"""Standard deviation of what is near, in sides of the input."""

_BATCH: Final = 6
"""Pictures in one forward pass: between two of them the work can be cancelled."""


def perturb(
    explained: Explained,
    evidence: Evidence,
    attribution: Attribution,
    *,
    seed: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Perturbation:
    """The curves of a map beside those of random maps and of a spot in the middle. Raises Cancelled."""
    there = given(evidence)
    maps = [
        over_input(attribution),
        middle(evidence.layout),
        *(over_input(attribution, drawn) for drawn in random_maps(attribution.values, RANDOM_MAPS, seed)),
    ]
    empty = filled(evidence.network_input, evidence.layout)
    empty[~there] = evidence.network_input[~there]
    of_map, centre, *random = curves(explained, evidence.network_input, empty, maps, there, cancelled)
    return Perturbation(of_map, tuple(random), centre, MappingProxyType({s: FILLS[s] for s in evidence.layout.order}))


def curves(
    explained: Explained,
    picture: NetworkInput,
    empty: NetworkInput,
    maps: Sequence[NDArray[np.float32]],
    there: NDArray[np.bool_],
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Curves]:
    """Curves of several maps (h, w) over one picture; both ends of all curves are the picture and `empty`, seen once.

    picture, empty: (h, w, 3) uint8; there: (h, w) bool, the pixels that are ordered and moved at all. Raises Cancelled.
    """
    inner = SHARES[1:-1]

    def pictures() -> Iterator[NetworkInput]:
        yield picture
        yield empty
        for one in maps:
            place = importance_order(one, there)
            for share in inner:
                yield np.where((place < share)[..., None], empty, picture)
            for share in inner:
                yield np.where((place < share)[..., None], picture, empty)

    seen = _watched(explained, pictures(), cancelled)
    whole, none, rest = seen[0], seen[1], seen[2:].reshape(len(maps), 2, len(inner))
    share = np.array(SHARES)
    return [
        Curves(share, np.array([whole, *deletion, none]), np.array([none, *insertion, whole]))
        for deletion, insertion in rest
    ]


def importance_order(one: NDArray[np.float32], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(h, w) -> (h, w) float64: each pixel's place among those that are there, the most important at 0, the last below 1.

    Among equal values (a map without negative ones is 0 in most places) those come first that lie closer to higher ones,
    then those of higher rows. Where nothing is, the place is 2: never removed, never brought in.
    """
    around = cv2.GaussianBlur(one, (0, 0), _NEAR * min(one.shape), borderType=cv2.BORDER_REPLICATE)
    order = np.lexsort((-around[there], -one[there]))
    place = np.empty(len(order))
    place[order] = np.arange(len(order)) / len(order)
    out = np.full(one.shape, 2.0)
    out[there] = place
    return out


def _watched(
    explained: Explained, pictures: Iterator[NetworkInput], cancelled: Callable[[], bool]
) -> NDArray[np.float64]:
    found: list[NDArray[np.float64]] = []
    batch: list[NetworkInput] = []
    for picture in pictures:
        batch.append(picture)
        if len(batch) == _BATCH:
            found.append(_seen(explained, batch, cancelled))
            batch = []
    if batch:
        found.append(_seen(explained, batch, cancelled))
    return np.concatenate(found)


def _seen(explained: Explained, batch: list[NetworkInput], cancelled: Callable[[], bool]) -> NDArray[np.float64]:
    if cancelled():
        raise Cancelled
    return explained.watched(explained.probabilities(np.stack(batch)))

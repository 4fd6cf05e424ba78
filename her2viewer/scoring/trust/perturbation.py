"""Deletion and insertion: does the score fall where the map says that it comes from?

Petsiuk, Das, Saenko 2018, "RISE: Randomized input sampling for explanation of black-box models", sec. 4.1. Two things differ
from theirs. Pixels are ordered within each stain, and the same share of both is moved at a time: a map must know where in
an image the evidence lies, and gains nothing by knowing which stain decides (covering a whole stain shows that). And chance is
measured beside it, on the same field.
"""

from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import Cancelled
from her2viewer.scoring.evidence import Attribution, Evidence, never
from her2viewer.scoring.preprocess import NetworkInput
from her2viewer.scoring.trust.cells import Part, given, middle, over_input
from her2viewer.scoring.trust.chance import random_maps, without
from her2viewer.scoring.trust.explained import Explained
from her2viewer.scoring.trust.fill import FILLS, filled
from her2viewer.scoring.trust.findings import Curves, Perturbation

SHARES: Final = (0.0, 0.15, 0.5, 0.85, 1.0)
"""Of the pixels removed. The same from both ends, so that what a map's insertion shows is what its negative's deletion shows.
Few, as each step costs a report twelve runs of the network."""

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
    cancelled: Callable[[], bool] = never,
) -> Perturbation:
    """The curves of a map beside those of random maps and of a spot in the middle. Raises Cancelled."""
    parts = given(evidence)
    own = over_input(attribution)
    random = [
        without(over_input(attribution, drawn), own, parts)
        for drawn in random_maps(attribution.values, RANDOM_MAPS, seed)
    ]
    maps = [own, middle(evidence.layout), *random]
    empty = filled(evidence.network_input, evidence.layout)
    of_map, centre, *of_random = curves(explained, evidence.network_input, empty, maps, parts, cancelled)
    return Perturbation(
        of_map, tuple(of_random), centre, MappingProxyType({s: FILLS[s] for s in evidence.layout.order})
    )


def curves(
    explained: Explained,
    picture: NetworkInput,
    empty: NetworkInput,
    maps: Sequence[NDArray[np.float32]],
    parts: Sequence[Part],
    cancelled: Callable[[], bool] = never,
) -> list[Curves]:
    """Curves of several maps (h, w) over one picture; both ends of all curves are the picture and `empty`, seen once.

    picture, empty: (h, w, 3) uint8; parts: where pixels are moved at all. Raises Cancelled.
    """
    inner = SHARES[1:-1]
    none_left = picture.copy()
    for where in parts:
        none_left[where] = empty[where]

    def pictures() -> Iterator[NetworkInput]:
        yield picture
        yield none_left
        for one in maps:
            place = importance_order(one, parts)
            for share in inner:
                yield np.where((place < share)[..., None], none_left, picture)
            for share in inner:
                yield np.where((place < share)[..., None], picture, none_left)

    seen = _watched(explained, pictures(), cancelled)
    whole, none, rest = seen[0], seen[1], seen[2:].reshape(len(maps), 2, len(inner))
    share = np.array(SHARES)
    return [
        Curves(share, np.array([whole, *deletion, none]), np.array([none, *insertion, whole]))
        for deletion, insertion in rest
    ]


def importance_order(one: NDArray[np.float32], parts: Sequence[Part]) -> NDArray[np.float32]:
    """(h, w) -> (h, w) float32: each pixel's place in its part, the most important at 0, the last below 1.

    Among equal values (a map without negative ones is 0 in most places) those come first that lie closer to higher ones,
    then those of higher rows. Outside the parts the place is 2: never removed, never brought in.
    """
    around = cv2.GaussianBlur(one, (0, 0), _NEAR * min(one.shape), borderType=cv2.BORDER_REPLICATE)
    out = np.full(one.shape, 2, np.float32)
    for where in parts:
        order = np.lexsort((-around[where].ravel(), -one[where].ravel()))
        place = np.empty(len(order), np.float32)
        place[order] = np.arange(len(order)) / len(order)
        out[where] = place.reshape(out[where].shape)
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

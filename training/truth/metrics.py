"""What a map says of a mask: three figures, each 0..1, each the share of the area for a map that is the same everywhere.

Relevance is the positive part of a map: what is drawn as evidence for the class. A map without any is blank; it points
nowhere, so that all three figures are 0 and silence earns nothing.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Map = NDArray[np.floating]

_EQUAL: Final = 1e-6
"""Of the maximum: values closer than that are one, since drawing a map rounds."""


@dataclass(frozen=True, slots=True)
class Marks:
    """pointing, mass, rank: see the functions of these names."""

    pointing: float
    mass: float
    rank: float


def marked(values: Map, mask: Mask, near: Mask) -> Marks:
    """All three of one map. values, mask, near: of one shape; near: the mask with the pointing game's tolerance around it."""
    relevance = np.maximum(values, 0)
    return Marks(pointing(relevance, near), mass(relevance, mask), rank(relevance, mask))


def pointing(relevance: Map, near: Mask) -> float:
    """Whether the maximum lies on the mask or within the tolerance around it, which `near` holds.

    Zhang et al. 2018, "Top-down Neural Attention by Excitation Backprop", section 4.2. Where several places share the
    maximum, the share of them that do: what picking one at random would hit in the long run.
    """
    peak = relevance.max()
    if peak <= 0:
        return 0.0
    return float(near[relevance >= peak * (1 - _EQUAL)].mean())


def mass(relevance: Map, mask: Mask) -> float:
    """Relevance mass accuracy: the share of all relevance that lies within the mask. Arras et al. 2022, "CLEVR-XAI", eq. 1."""
    total = float(relevance.sum(dtype=np.float64))
    return float(relevance[mask].sum(dtype=np.float64)) / total if total > 0 else 0.0


def rank(relevance: Map, mask: Mask) -> float:
    """Relevance rank accuracy: of the K most relevant places the share within the mask, K being the mask's size.

    Arras et al. 2022, eq. 2. Where the K-th place shares its value with others, those count as if drawn at random. Raises
    ValueError for an empty mask.
    """
    size = int(mask.sum())
    if not size:
        raise ValueError("an empty mask has no rank accuracy")
    if relevance.max() <= 0:
        return 0.0
    least = np.partition(relevance.ravel(), relevance.size - size)[relevance.size - size]
    above, level = relevance > least, relevance == least
    room = size - int(above.sum())
    return (int(mask[above].sum()) + room * float(mask[level].mean())) / size


def within(mask: Mask, distance: float) -> Mask:
    """The mask and all pixels whose centres lie at most `distance` px from the centre of one of its own."""
    if not mask.any():
        return mask
    apart = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(apart <= distance, np.bool_)

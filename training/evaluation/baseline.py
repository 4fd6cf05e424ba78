"""What the colour of the IHC alone tells: the floor that a network has to beat.

One number a field, the 97th percentile of its DAB optical density, and three thresholds between the four classes. The
thresholds of each field are chosen on all other fields, by their labels: the baseline knows the data set, which the network
has not seen. So it is a strong floor, and no model that could be used elsewhere.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb_from_hdx

from training.data.index import CLASSES
from training.evaluation.figures import FEWEST, Figure, Labels, Resampling, kappa

PERCENTILE: Final = 97.0
WHITE_PERCENTILE: Final = 98.0
"""Of each channel: the background, as `her2viewer.scoring` takes it."""
DARKEST_WHITE: Final = 150.0
"""No slide's empty glass is darker; a field that shows none is not brightened beyond this."""

_VECTORS: Final = rgb_from_hdx[:2] / np.linalg.norm(rgb_from_hdx[:2], axis=1, keepdims=True)
"""Unit rows, haematoxylin and DAB: optical density in R, G, B (Ruifrok and Johnston 2001, as scikit-image has them)."""
_UNMIX: Final = np.linalg.inv(np.vstack([_VECTORS, np.cross(*_VECTORS) / np.linalg.norm(np.cross(*_VECTORS))]))


@dataclass(frozen=True, eq=False, slots=True)
class Baseline:
    """density: (n,) one number a field; said: (n,) class indices, or None where there are too few fields (`note` says so)."""

    density: NDArray[np.float64]
    said: Labels | None
    exact: Figure
    within_one: Figure
    beyond: Figure
    kappa: Figure
    note: str = ""


def dab_density(image: NDArray[np.uint8]) -> float:
    """The 97th percentile of `dab_densities`."""
    return float(np.percentile(dab_densities(image), PERCENTILE))


def dab_densities(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The DAB's optical density (log10) of each pixel against the image's own background; noise may be below 0.

    image: (h, w, 3) uint8 RGB of an IHC. Returns (h, w). Ruifrok and Johnston 2001: density is unmixed into haematoxylin,
    DAB and a remainder at right angles to both.
    """
    white = np.maximum(np.percentile(image.reshape(-1, 3), WHITE_PERCENTILE, axis=0), DARKEST_WHITE)
    table = np.maximum(np.log10((white + 1) / (np.arange(256)[:, None] + 1)), 0)
    dab = np.zeros(image.shape[:2])
    for c in range(3):
        dab += (table[:, c] * _UNMIX[c, 1])[image[..., c]]
    return dab


def measured_baseline(
    density: NDArray[np.float64], truth: Labels, groups: tuple[str, ...] | None = None, resamples: int = 1000
) -> Baseline:
    """Density and label of each field -> what thresholds said of it that were chosen without it, and what that is worth."""
    names = ("accuracy", "within one grade", "errors of more than one grade", "quadratic weighted kappa")
    usable = np.isfinite(density)
    if usable.sum() < FEWEST or not usable.all():
        note = "not every field has an IHC image" if not usable.all() else f"fewer than {FEWEST} fields: no thresholds"
        exact, within_one, beyond, agreement = (Figure(name, None, int(usable.sum()), note=note) for name in names)
        return Baseline(density, None, exact, within_one, beyond, agreement, note)
    said = left_one_out(density, truth, groups)
    draw = Resampling(len(truth), groups, resamples)
    within = np.abs(said - truth) <= 1
    return Baseline(
        density,
        said,
        draw.share(names[0], said == truth),
        draw.share(names[1], within),
        draw.share(names[2], ~within),
        draw.figure(names[3], kappa, truth, said),
    )


def left_one_out(density: NDArray[np.float64], truth: Labels, groups: tuple[str, ...] | None = None) -> Labels:
    """(n,) class indices, each by thresholds chosen on all other fields (on all other groups, where groups are known)."""
    names = np.arange(len(truth)) if groups is None else np.unique(np.array(groups), return_inverse=True)[1]
    said = np.empty(len(truth), np.intp)
    for name in np.unique(names):
        own = names == name
        said[own] = np.searchsorted(thresholds(density[~own], truth[~own]), density[own], side="right")
    return said


def thresholds(density: NDArray[np.float64], truth: Labels) -> NDArray[np.float64]:
    """(3,) rising thresholds of the least mean absolute error in grades; among equals, of the most exact fields.

    Dynamic programming over the cuts of the sorted fields, so that it is the best choice there is. A class that is best
    never said has no room between its thresholds.
    """
    order = np.argsort(density, kind="stable")
    value, label = density[order], truth[order]
    n, classes = len(value), np.arange(len(CLASSES))
    # One exact field more is worth less than one grade of error less, whatever the number of fields.
    cost = np.abs(label[:, None] - classes) * (n + 1) + (label[:, None] != classes)
    spent = np.vstack([np.zeros(len(CLASSES), np.int64), np.cumsum(cost, axis=0)])
    cuttable = np.concatenate([[True], np.diff(value) > 0, [True]])[: n + 1] if n else np.array([True])
    never = np.iinfo(np.int64).max // 4
    best, came = spent[:, 0], []
    for c in classes[1:]:
        start = np.where(cuttable, best - spent[:, c], never)
        lowest = np.minimum.accumulate(start)
        came.append(np.maximum.accumulate(np.where(start == lowest, np.arange(n + 1), 0)))
        best = lowest + spent[:, c]
    cuts, end = [], n
    for of_class in reversed(came):
        end = int(of_class[end])
        cuts.append(end)
    edges = np.concatenate([[-np.inf], (value[1:] + value[:-1]) / 2, [np.inf]])
    return np.array([edges[cut] for cut in reversed(cuts)])

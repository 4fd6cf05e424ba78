"""Which fields look as if they came from one slide: by the colours that go with the slide and not with the tissue.

A slide has one glass, one bath of each stain and one scan, so that the background and the hue of what is stained stay alike
over it. How alike, the data says itself: the quarters of a field surely are of one slide. Their differences give the
covariance that distances are measured by (within-class covariance normalisation, Hatch et al. 2006) and, between the halves
of a field, how far one slide goes.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from sklearn.covariance import ledoit_wolf

from training.data.cache import Fields
from training.data.relatives import Progress

_WITHIN: Final = 0.95
"""Share of fields whose two halves lie nearer to each other than the widest slide that is looked for."""

_STAINED: Final = 0.15
"""Optical density over the background, summed over the channels, above which a pixel has a hue."""


def slides_by_colour(fields: Fields, progress: Progress = lambda what, done, total: None) -> tuple[int, ...]:
    """A number for each field, equal where two look like one slide: complete linkage, so that no chain joins two slides.

    An estimate. Slides of one batch and one scanner may look alike, and a slide that is unevenly stained falls apart.
    """
    n = len(fields)
    if n < 2:
        return tuple(range(n))
    quarters = np.empty((n, 4, 2 * 9))
    for i in range(n):
        quarters[i] = _quarters(fields[i])
        if i % 100 == 99 or i == n - 1:
            progress("described", i + 1, n)
    residuals = (quarters - quarters.mean(axis=1, keepdims=True)).reshape(4 * n, -1)
    told = residuals.std(axis=0) > 1e-6  # a stain that is not there tells nothing
    if not told.any():
        return tuple(range(n))
    spread = np.maximum(residuals.std(axis=0)[told], 1e-4)
    covariance = ledoit_wolf(residuals[:, told] / spread, assume_centered=True)[0] + 1e-6 * np.eye(int(told.sum()))
    even = quarters[..., told] / spread @ np.linalg.cholesky(np.linalg.inv(covariance))
    halves = (even[:, :2].mean(axis=1), even[:, 2:].mean(axis=1))
    reach = float(np.quantile(np.linalg.norm(halves[0] - halves[1], axis=1), _WITHIN))
    clustering: Any = AgglomerativeClustering(n_clusters=None, distance_threshold=max(reach, 1e-9), linkage="complete")  # type: ignore[no-untyped-call]
    return tuple(int(label) for label in clustering.fit_predict(even.mean(axis=1)))


def _quarters(field: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(4, 18): the colours of each quarter in both stains, row by row."""
    half = field.shape[1] // 2
    corners = [(y, x) for y in (0, half) for x in (0, half)]
    return np.array(
        [np.concatenate([_colours(image[y : y + half, x : x + half]) for image in field]) for y, x in corners]
    )


def _colours(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(9,): the background's optical density, and each channel's share in the density over it, its 10th and 90th percentile."""
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).reshape(-1, 3)
    density = -np.log10((small.astype(np.float64) + 1) / 256)
    background = np.percentile(density, 2, axis=0)
    over = density - background
    total = over.sum(axis=1)
    stained = total > _STAINED
    if stained.sum() < 20:
        return np.concatenate([background, np.full(6, 1 / 3)])
    hue = over[stained] / total[stained, None]
    return np.concatenate([background, *np.percentile(hue, (10, 90), axis=0)])

"""How far a field is from those that the model was trained on, in the space of its own last features.

Lee et al. 2018, "A simple unified framework for detecting out-of-distribution samples": the Mahalanobis distance to the mean of
the training fields' features. Their covariance is that of probabilistic PCA (Tipping and Bishop 1999): the main axes with
their own variance, all others with one, which needs few fields and little room.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.stains import Stain

Features = NDArray[np.float32]
"""(..., c) float32: the mean of the last stage over one stain's part of the input."""


@dataclass(frozen=True, eq=False, slots=True)
class Cloud:
    """Where the training fields of one stain lie. centre: (c,); axes: (k, c) of length 1; spread: (k,), standard deviation along
    each; rest: the one of every other direction."""

    centre: Features
    axes: Features
    spread: Features
    rest: float

    @classmethod
    def around(cls, features: Features, axes: int) -> "Cloud":
        """Of (n, c) features, with at most so many axes. Raises ValueError for fewer than two fields."""
        n, channels = features.shape
        if n < 2:
            raise ValueError(f"needs at least two fields, got {n}")
        centre = features.mean(axis=0, dtype=np.float64)
        _, values, directions = np.linalg.svd(features - centre, full_matrices=False)
        variance = values**2 / (n - 1)
        kept = min(axes, n - 1, channels - 1)
        left = max(float(variance[kept:].sum()) / (channels - kept), 1e-9)
        spread = np.sqrt(np.maximum(variance[:kept], left))
        return cls(
            centre.astype(np.float32),
            directions[:kept].astype(np.float32),
            spread.astype(np.float32),
            float(np.sqrt(left)),
        )

    def distance(self, features: Features) -> NDArray[np.float64]:
        """(..., c) -> (...): per channel, so that a field of the training has about 1."""
        away = np.asarray(features, np.float64) - self.centre
        along = away @ self.axes.T.astype(np.float64)
        beyond = np.maximum((away**2).sum(axis=-1) - (along**2).sum(axis=-1), 0)
        squared = ((along / self.spread) ** 2).sum(axis=-1) + beyond / self.rest**2
        return np.asarray(np.sqrt(squared / away.shape[-1]), np.float64)

    @property
    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """As a package stores it. Half precision would turn the axes: what lies along the strongest then counts beyond them."""
        return {
            "centre": self.centre,
            "axes": self.axes,
            "spread": self.spread,
            "rest": np.array([self.rest], np.float32),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.floating]]) -> "Cloud":
        """From `arrays`. Raises KeyError where one is missing, ValueError where they do not fit each other."""
        centre, axes, spread = (np.asarray(arrays[name], np.float32) for name in ("centre", "axes", "spread"))
        rest = float(arrays["rest"].reshape(-1)[0])
        if axes.shape != (len(spread), len(centre)) or not (rest > 0 and spread.min(initial=1) > 0):
            raise ValueError("the arrays do not fit each other")
        return cls(centre, axes, spread, rest)


@dataclass(frozen=True, eq=False, slots=True)
class Reference:
    """The training fields of each stain, and the distance from which a field is unlike them."""

    clouds: Mapping[Stain, Cloud]
    limits: Mapping[Stain, float]

    def examine(self, order: Sequence[Stain], features: Features) -> Iterator[Examined]:
        """features: (stains, c) of one field, in the order of the model's layout."""
        for stain, of_stain in zip(order, features, strict=True):
            if stain not in self.clouds:
                continue
            distance = float(self.clouds[stain].distance(of_stain))
            yield Examined(
                "unfamiliar",
                stain,
                f"distance of the {stain.caption} image from the training's, in the network's features",
                distance,
                self.limits[stain],
                at_least=False,
                message=f"The {stain.caption} image is unlike those that the model was trained on: do not rely on this score.",
            )

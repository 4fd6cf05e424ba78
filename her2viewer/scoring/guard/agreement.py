"""Whether the two images show the same tissue: small patches of the H&E are looked for near their place in the IHC.

The quick form of `imaging.registration`: one resolution, the field as it lies, shifts up to a twelfth of its side.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import cv2
import numpy as np

from her2viewer.imaging.affine import IDENTITY
from her2viewer.imaging.registration.patches import agreed, measured
from her2viewer.imaging.registration.plane import (
    HAEMATOXYLIN_DAB,
    HAEMATOXYLIN_EOSIN,
    Dyes,
    Features,
    Plane,
    background,
    densities,
)
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain

_SIDE: Final = 96
_PATCH, _STEP, _TOLERANCE = 36, 11, 1.5
_FINEST, _COARSEST = 1.0, 6.0
"""Of six settings the one that let every BCI pair pass and most strangers not: 25 patches take 8 ms."""

LEAST_AGREEING: Final = 0.3
"""Sections that share their cells come to 1, any two images by chance to 0.28 mostly and 0.4 at most. A quarter of the twelve BCI
pairs, whose sections lie too far apart to show the same cells, come to 0.32: a higher threshold would warn of them, and this one
lets about a quarter of strangers pass. It was set on all twelve."""


def examine_agreement(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """Nothing is said of one image alone."""
    if len(samples) == 2:
        yield Examined(
            "different_tissue",
            None,
            "share of patches that both images show at one place",
            agreement(samples[Stain.HE], samples[Stain.IHC]),
            LEAST_AGREEING,
            at_least=True,
            message="The two images do not show the same tissue at one place: register them, or check that they belong together.",
        )


def agreement(he: Sample, ihc: Sample) -> float:
    """Share of the patches tried whose shifts agree on one similarity; 0 where nothing was found to try."""
    shifts = measured(_features(ihc, HAEMATOXYLIN_DAB), _features(he, HAEMATOXYLIN_EOSIN), IDENTITY, _PATCH, _STEP)
    found = agreed(shifts, _TOLERANCE, full=False)
    return 0.0 if found is None else found.share


def _features(sample: Sample, dyes: Dyes) -> Features:
    picture = np.asarray(cv2.resize(sample.fine, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    white = background(picture)
    everywhere = np.ones(picture.shape[:2], np.uint8)
    plane = Plane(densities(picture, dyes, white), everywhere, IDENTITY, dyes, white)
    return plane.features(_SIDE, _FINEST, _COARSEST)

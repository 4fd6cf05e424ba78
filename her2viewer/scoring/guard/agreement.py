"""Whether the two images show the same tissue: small patches of the H&E are looked for near their place in the IHC.

The quick form of `imaging.registration`: one resolution, the field as it lies, shifts up to a sixteenth of its side.
"""

from collections.abc import Iterator, Mapping
from typing import Final

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

_SIDE: Final = 128
_PATCH, _STEP, _TOLERANCE = 56, 14, 2.0
_FINEST, _COARSEST = 1.2, 8.0
"""Of eight settings the one that told six BCI pairs and their 30 mismatches apart best (area under the curve 0.98)."""

LEAST_AGREEING: Final = 0.42
"""Serial sections come to 0.44 and more, phantoms to 1; of mismatched BCI pairs nine in ten stay at 0.44 or less."""


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
    white = background(sample.fine)
    everywhere = np.ones(sample.fine.shape[:2], np.uint8)
    plane = Plane(densities(sample.fine, dyes, white), everywhere, IDENTITY, dyes, white)
    return plane.features(_SIDE, _FINEST, _COARSEST)

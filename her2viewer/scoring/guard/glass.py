"""How much of an IHC field is tissue, told against the glass of its whole image.

A field alone cannot tell: a faint IHC is its own background there, and looks as empty as glass. Beside the glass of the whole
image, the counterstain of the faintest IHC is still seen.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import Check
from her2viewer.scoring.stains import Stain

GLASS: Final = 230.0
"""Grey value that glass has at least: an image that is all tissue has no lighter place to be told against."""

DENSITY: Final = 0.045
"""Optical density summed over R, G and B below the glass, from where a pixel is tissue. At the 0.15 of the check of the H&E
four faint cores of oesophagus would be empty."""

LEAST_SHARE: Final = 0.05
"""Of a field. The faintest of 32 IHC fields and cores measured holds 0.26, cells of glass at their edge 0 to 0.04."""

_SIDE: Final = 128

White = NDArray[np.float64]
"""(3,) R, G, B of glass, 0..255."""


def glass_of(overview: NDArray[np.uint8]) -> White:
    """The glass of an image by the whole of it at any size, (h, w, 3) uint8 RGB: its 98th percentile, 230 at least."""
    white: White = np.maximum(np.percentile(overview.reshape(-1, 3), 98, axis=0), GLASS)
    return white


def tissue_share(image: NDArray[np.uint8], white: White) -> float:
    """The share of a field's pixels, (h, w, 3) uint8 RGB, that is darker than glass, 0..1."""
    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    density = np.log10((white + 1) / (small + 1)).sum(axis=1)
    return float((density > DENSITY).mean())


def check_ihc_tissue(field: FieldPixels, white: White) -> Check | None:
    """The check that an IHC field of glass does not pass, before any network looks at it; None where there is tissue."""
    if Stain.IHC not in field.pixels:
        return None
    share = tissue_share(field.pixels[Stain.IHC], white)
    if share >= LEAST_SHARE:
        return None
    message = f"The IHC image holds hardly any tissue ({share:.1%} of it): choose another field."
    return Check("no_ihc_tissue", share, LEAST_SHARE, message)

"""A first look at the input before its score counts.

Each check has a figure, a threshold and a sentence with what to do. The thresholds come from 28 H&E and 43 IHC images of
13 sources: fields of breast, kidney and lung, cores of oesophagus, of several scanners. `tests/scoring/test_checks.py` counts the
errors on those at hand.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.errors import ImageError
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import Check
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain

SMALLEST_SIDE = 32
"""Pixels. Below this a field holds less than one cell and the network's input would be made up."""

MAGENTA_THRESHOLD = 0.08
"""H&E measured 0.091 to 0.337, IHC -0.039 to 0.066 (see `magenta`)."""

TISSUE_DENSITY = 0.15
"""Optical density summed over R, G and B above the background, from where a pixel counts as tissue."""

TISSUE_SHARE = 0.02
"""The emptiest of the H&E fields measured holds 14% tissue."""

ASPECT_TOLERANCE = 0.02

NO_CALL_CHECKS = frozenset({"stains_swapped", "no_tissue"})
"""Checks after which a score means nothing."""


def refuse_unscorable(field: FieldPixels) -> None:
    """Raises ImageError where an image is too small to say anything about."""
    for stain, image in field.pixels.items():
        height, width = image.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise ImageError(
                f"the {stain.caption} image is {width} x {height} pixels, too small to score",
                remedy=f"open a field of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels",
            )


def refuse_incomplete(field: FieldPixels, layout: InputLayout) -> None:
    """Raises ImageError where a stain is missing that the model cannot do without."""
    for stain in layout.order:
        if stain not in field.pixels and stain not in layout.optional:
            raise ImageError(
                f"this model needs the {stain.caption} image, and it is missing",
                remedy="give both images, or use a model that was trained to do without it",
            )


def check_field(field: FieldPixels, layout: InputLayout) -> tuple[Check, ...]:
    """The warnings on a field; empty where there is nothing to say."""
    return (*_missing_checks(field, layout), *_size_checks(field, layout), *_stain_checks(field))


def check_tissue(field: FieldPixels) -> Check | None:
    """The check that a field without tissue would not pass, before any network looks at it; None where there is tissue.

    By the H&E alone: a faint IHC shows as little as an empty slide, so without an H&E nothing is said.
    """
    if Stain.HE not in field.pixels:
        return None
    return next(iter(_no_tissue(magenta(field.pixels[Stain.HE])[1])), None)


def _missing_checks(field: FieldPixels, layout: InputLayout) -> list[Check]:
    return [
        Check(
            "stain_missing",
            0.0,
            1.0,
            f"There is no {stain.caption} image: the score rests on the {stain.other.caption} alone, as this model was "
            "trained to do where it must.",
        )
        for stain in layout.order
        if stain not in field.pixels
    ]


def _size_checks(field: FieldPixels, layout: InputLayout) -> list[Check]:
    return [*_unlike_sizes(field), *_low_resolution(field, layout)]


def _unlike_sizes(field: FieldPixels) -> list[Check]:
    if len(field.fields) < 2:
        return []
    found = []
    he, ihc = field.fields[Stain.HE], field.fields[Stain.IHC]
    unlike = abs(np.log((he.width / he.height) / (ihc.width / ihc.height)))
    if unlike > ASPECT_TOLERANCE or he.width != ihc.width or he.height != ihc.height:
        found.append(
            Check(
                "unlike_sizes",
                float(unlike),
                ASPECT_TOLERANCE,
                f"The images differ in size (H&E {he.width:.0f} x {he.height:.0f}, IHC {ihc.width:.0f} x {ihc.height:.0f} "
                "pixels) and may not show the same field: check that they belong together.",
            )
        )
    return found


def _low_resolution(field: FieldPixels, layout: InputLayout) -> list[Check]:
    found = []
    for stain in (stain for stain in layout.order if stain in field.pixels):
        cell = layout.cell(stain)
        height, width = field.pixels[stain].shape[:2]
        share = min(width / cell.width, height / cell.height)
        if share < 1:
            found.append(
                Check(
                    "low_resolution",
                    float(share),
                    1.0,
                    f"The {stain.caption} image has fewer pixels than the model looks at ({width} x {height} for "
                    f"{cell.width} x {cell.height}): use the original image.",
                )
            )
    return found


def _stain_checks(field: FieldPixels) -> list[Check]:
    """Whether each image is of its stain. An IHC alone says nothing of tissue: a faint one shows as little as an empty slide."""
    if Stain.HE not in field.pixels:
        ihc_magenta, ihc_tissue = magenta(field.pixels[Stain.IHC])
        return _ihc_unlike_ihc(ihc_magenta > MAGENTA_THRESHOLD and ihc_tissue >= TISSUE_SHARE, ihc_magenta)
    if Stain.IHC not in field.pixels:
        he_magenta, he_tissue = magenta(field.pixels[Stain.HE])
        return _no_tissue(he_tissue) or _he_unlike_he(he_magenta < MAGENTA_THRESHOLD, he_magenta)
    he_magenta, he_tissue = magenta(field.pixels[Stain.HE])
    ihc_magenta, ihc_tissue = magenta(field.pixels[Stain.IHC])
    if found := _no_tissue(he_tissue):
        return found
    he_wrong, ihc_wrong = he_magenta < MAGENTA_THRESHOLD, ihc_magenta > MAGENTA_THRESHOLD and ihc_tissue >= TISSUE_SHARE
    if he_wrong and ihc_wrong:
        return [
            Check(
                "stains_swapped",
                he_magenta - ihc_magenta,
                0.0,
                "The two images look swapped (the one given as IHC is pink, the one given as H&E is not): swap them.",
            )
        ]
    return _he_unlike_he(he_wrong, he_magenta) or _ihc_unlike_ihc(ihc_wrong, ihc_magenta)


def _no_tissue(share: float) -> list[Check]:
    if share >= TISSUE_SHARE:
        return []
    message = f"The H&E image holds hardly any tissue ({share:.1%} of it): choose another field."
    return [Check("no_tissue", share, TISSUE_SHARE, message)]


def _he_unlike_he(wrong: bool, value: float) -> list[Check]:
    message = "The H&E image does not have the pink of eosin: check that it is an H&E stain."
    return [Check("he_unlike_he", value, MAGENTA_THRESHOLD, message)] if wrong else []


def _ihc_unlike_ihc(wrong: bool, value: float) -> list[Check]:
    message = "The IHC image is as pink as an H&E stain: check that it is the HER2 IHC."
    return [Check("ihc_unlike_ihc", value, MAGENTA_THRESHOLD, message)] if wrong else []


def magenta(image: NDArray[np.uint8]) -> tuple[float, float]:
    """How much more green light the tissue takes away than red and blue, as eosin does and DAB does not.

    image: (h, w, 3) uint8 RGB. Optical density is taken against the picture's own background (the 98th percentile of each
    channel), so that the slide's tint and the scanner's white do not count. Returns (g - (r + b) / 2 of the mean density
    of tissue, as shares of its sum; the share of pixels that are tissue).
    """
    small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64)
    white = np.percentile(small, 98, axis=0)
    density = np.log10((white + 1) / (small + 1))
    total = density.sum(axis=1)
    tissue = total > TISSUE_DENSITY
    share = float(tissue.mean())
    if not tissue.any():
        return 0.0, 0.0
    # A faint IHC has nearly no pixel above the density of tissue: its darkest tenth then speaks for it.
    considered = tissue if tissue.sum() >= 20 else total >= np.percentile(total, 90)
    r, g, b = density[considered].mean(axis=0)
    return float((g - (r + b) / 2) / (r + g + b)), share

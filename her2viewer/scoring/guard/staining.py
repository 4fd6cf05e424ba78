"""Whether each image is of its stain: H&E is pink, HER2 IHC is blue and brown, and neither is grey."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.histology import examine_foreign
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import DENSE, Sample
from her2viewer.scoring.guard.tissue import TISSUE_SHARE
from her2viewer.scoring.stains import Stain

MAGENTA_THRESHOLD: Final = 0.08
"""H&E measured 0.091 to 0.337, IHC -0.039 to 0.066 (see `magenta`), on 28 H&E and 43 IHC images of 13 sources."""

MOST_BLUE: Final = 0.085
"""Of `evenly_blue`: H&E measured -0.5 to 0.03, two dark purple ones of other laboratories 0.02 and 0.08; PAS over haematoxylin
-0.06 to 0.16, three quarters of it more than 0.09."""

LEAST_COLOUR: Final = 0.016
"""Of `colourfulness`: good images measured 0.023 to 0.16, grey ones 0, empty glass 0.013."""

_FEW: Final = 30
"""Pixels of dense tissue that say nothing yet."""


def examine_staining(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """Colour and its kind. Where the two images look swapped, that is said alone."""
    for stain, sample in samples.items():
        yield Examined(
            "colourless",
            stain,
            f"colour of the {stain.caption} image",
            colourfulness(sample),
            LEAST_COLOUR,
            at_least=True,
            message=f"The {stain.caption} image has no colour: open the image in colour, as it was scanned.",
        )
    values = {stain: magenta_of(sample) for stain, sample in samples.items()}
    # An IHC that shows hardly anything has no colour to go by.
    faint = Stain.IHC in samples and samples[Stain.IHC].tissue_share < TISSUE_SHARE
    if len(values) == 2 and not faint:
        swapped = _swapped(values[Stain.HE], values[Stain.IHC])
        yield swapped
        if not swapped.passed:
            return
    if Stain.HE in values:
        yield Examined(
            "he_unlike_he",
            Stain.HE,
            "pink of the H&E image",
            values[Stain.HE],
            MAGENTA_THRESHOLD,
            at_least=True,
            message="The H&E image does not have the pink of eosin: check that it is an H&E stain.",
        )
        yield Examined(
            "he_unlike_he",
            Stain.HE,
            "blue of even the pinkest dense tissue in the H&E image",
            evenly_blue(samples[Stain.HE]),
            MOST_BLUE,
            at_least=False,
            message="The dense tissue of the H&E image is blue, with hardly any eosin: check that it is an H&E stain.",
        )
        yield from examine_foreign(samples[Stain.HE])
    if Stain.IHC in values and not faint:
        yield Examined(
            "ihc_unlike_ihc",
            Stain.IHC,
            "pink of the IHC image",
            values[Stain.IHC],
            MAGENTA_THRESHOLD,
            at_least=False,
            message="The IHC image is as pink as an H&E stain: check that it is the HER2 IHC.",
        )


def _swapped(he: float, ihc: float) -> Examined:
    """Fails where the one given as IHC is pink and the one given as H&E is not."""
    return Examined(
        "stains_swapped",
        None,
        "how far the stains are from being swapped",
        max(he - MAGENTA_THRESHOLD, MAGENTA_THRESHOLD - ihc),
        0.0,
        at_least=True,
        message="The two images look swapped (the one given as IHC is pink, the one given as H&E is not): swap them.",
    )


def magenta(image: NDArray[np.uint8]) -> tuple[float, float]:
    """`magenta_of` an image, (h, w, 3) uint8 RGB, and the share of its pixels that are tissue."""
    sample = Sample(image)
    return magenta_of(sample), sample.tissue_share


def magenta_of(sample: Sample) -> float:
    """How much more green light the tissue takes away than red and blue, as eosin does and DAB does not.

    g - (r + b) / 2 of the mean density of what counts, as shares of its sum; 0 where nothing does.
    """
    r, g, b = sample.considered.mean(axis=1, dtype=np.float64)
    return float((g - (r + b) / 2) / max(r + g + b, 1e-6)) if sample.tissue.any() else 0.0


def evenly_blue(sample: Sample) -> float:
    """How blue even the pinkest of the dense tissue is: in H&E it goes from the blue of nuclei to the pink of all else.

    The median less three standard deviations of (r - b) of the densities as shares of their sum, times sqrt(3) / 2 as in
    `histology.hue`; 0 where hardly anything is dense.
    """
    total = sample.considered.sum(axis=0)
    dense = total > DENSE
    if np.count_nonzero(dense) < _FEW:
        return 0.0
    blue = (sample.considered[0] - sample.considered[2])[dense] / total[dense]
    return float(np.median(blue) - 3 * blue.std()) * 3**0.5 / 2


def colourfulness(sample: Sample) -> float:
    """How unlike the densities of R, G and B are in what counts: the mean spread of the three as shares of their sum."""
    r, g, b = sample.considered
    total = r + g + b
    squares = (r * r + g * g + b * b) / 3 - (total / 3) ** 2
    return float((np.sqrt(np.maximum(squares, 0)) / np.maximum(total, 0.02)).mean())

"""Whether the light was right: a bright ground, and tissue that is neither burnt out nor crushed."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import TISSUE_DENSITY, Sample
from her2viewer.scoring.stains import Stain

LEAST_WHITE: Final = 110.0
"""Good images measured 160 to 255."""
MOST_BURNT: Final = 0.02
"""Good images measured 0 to 0.002: what is burnt out to white no longer counts as tissue, so little is left to be seen."""

MOST_FADED: Final = 0.1
"""Good images measured 0, and four fifths of those that were overexposed 0.2 to 1."""
_MUCH_WHITE: Final = 0.25
_NEARLY_WHITE: Final = 254


def examine_exposure(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """Under- and overexposure of each image."""
    for stain, sample in samples.items():
        name = stain.caption
        yield Examined(
            "underexposed",
            stain,
            f"brightness of the {name} image's ground (0 to 255)",
            float(sample.white.max()),
            LEAST_WHITE,
            at_least=True,
            message=f"The {name} image is too dark: scan it again, or correct its brightness.",
        )
        burnt = burnt_share(sample)
        yield Examined(
            "overexposed",
            stain,
            f"share of the {name} image's tissue that is burnt out",
            burnt,
            MOST_BURNT,
            at_least=False,
            message=f"The {name} image is overexposed ({burnt:.0%} of its tissue has lost a colour): use less light.",
        )
        faded = faded_share(sample)
        yield Examined(
            "overexposed",
            stain,
            f"share of what is not yet white in the {name} image that has lost a colour",
            faded,
            MOST_FADED,
            at_least=False,
            message=f"The {name} image is overexposed (much of it is pure white, and {faded:.0%} of the rest has lost a colour): "
            "use less light.",
        )


def burnt_share(sample: Sample) -> float:
    """Share of the tissue's own pixels in which at least one channel is at its end."""
    level = np.arange(256)[:, None]
    table = np.log10((sample.white + 1) / (level + 1)).astype(np.float32)
    r, g, b = sample.points
    tissue = table[r, 0] + table[g, 1] + table[b, 2] > TISSUE_DENSITY
    count = int(np.count_nonzero(tissue))
    return float(np.count_nonzero(tissue & (_brightest(sample) == 255))) / count if count >= 50 else 0.0


def faded_share(sample: Sample) -> float:
    """Where a quarter of the image or more is pure white: the share of all other pixels with a channel at its end; else 0.

    Glass that a scanner shows as pure white ends at the tissue; overexposure fades from the one into the other.
    """
    r, g, b = sample.points
    darkest = np.minimum(np.minimum(r, g), b)
    if np.count_nonzero(darkest == 255) < _MUCH_WHITE * len(darkest):
        return 0.0
    seen = darkest < _NEARLY_WHITE
    number = int(np.count_nonzero(seen))
    return float(np.count_nonzero(seen & (_brightest(sample) == 255))) / max(number, len(darkest) // 50)


def _brightest(sample: Sample) -> NDArray[np.uint8]:
    """(n,): the brightest channel of each of the sample's points."""
    r, g, b = sample.points
    return np.asarray(np.maximum(np.maximum(r, g), b), np.uint8)

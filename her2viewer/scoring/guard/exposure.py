"""Whether the light was right: a bright ground, and tissue that is neither burnt out nor crushed."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import TISSUE_DENSITY, Sample
from her2viewer.scoring.stains import Stain

LEAST_WHITE: Final = 110.0
"""Good images measured 160 to 255."""
MOST_BURNT: Final = 0.02
"""Good images measured 0 to 0.002: what is burnt out to white no longer counts as tissue, so little is left to be seen."""


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


def burnt_share(sample: Sample) -> float:
    """Share of the tissue's own pixels in which at least one channel is at its end."""
    level = np.arange(256)[:, None]
    table = np.log10((sample.white + 1) / (level + 1)).astype(np.float32)
    points = sample.points
    total = table[points[:, 0], 0] + table[points[:, 1], 1] + table[points[:, 2], 2]
    tissue = total > TISSUE_DENSITY
    burnt = (points[:, 0] == 255) | (points[:, 1] == 255) | (points[:, 2] == 255)
    count = int(np.count_nonzero(tissue))
    return float(np.count_nonzero(tissue & burnt)) / count if count >= 50 else 0.0

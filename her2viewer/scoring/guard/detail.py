"""Whether an image shows the details that it should: in focus, at the scale of the training, not ruined by compression."""

from collections.abc import Iterator, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain

LEAST_SHARP: Final = 0.8
"""Good images measured 1.2 to 8, far out of focus 0.4 and less."""
FINEST_SCALE: Final = 0.95
COARSEST_SCALE: Final = 2.4
MOST_FINE: Final = 1.1
"""Octaves; of the half that it was set on 97% of the good stay below, and of 46 pairs magnified 8 times too little one does."""
MOST_BLOCKY: Final = 2.2
"""Good images measured 0.98 to 1.5; BCI's own are JPEG."""
_BLOCK: Final = 8


def examine_detail(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """Sharpness, scale and blocks of each image."""
    for stain, sample in samples.items():
        name = stain.caption
        yield Examined(
            "blurred",
            stain,
            f"sharpness of the {name} image",
            sharpness(sample),
            LEAST_SHARP,
            at_least=True,
            message=f"The {name} image is out of focus or enlarged: scan it again, or open the original image.",
        )
        scale = detail_scale(sample)
        yield Examined(
            "magnified_too_little",
            stain,
            f"scale of the {name} image's details, in octaves",
            scale,
            FINEST_SCALE,
            at_least=True,
            message=f"The {name} image shows more tissue than the model's fields do: choose a smaller field.",
        )
        yield Examined(
            "magnified_too_little",
            stain,
            f"power of the {name} image's finest details over those twice as wide, in octaves",
            fineness(sample),
            MOST_FINE,
            at_least=False,
            message=f"The {name} image shows more tissue than the model's fields do: choose a smaller field.",
        )
        yield Examined(
            "magnified_too_much",
            stain,
            f"scale of the {name} image's details, in octaves",
            scale,
            COARSEST_SCALE,
            at_least=False,
            message=f"The {name} image is magnified more than the model's fields are: choose a larger field.",
        )
        yield Examined(
            "jpeg_blocks",
            stain,
            f"blocks of JPEG in the {name} image",
            blockiness(sample.piece),
            MOST_BLOCKY,
            at_least=False,
            message=f"The {name} image is ruined by JPEG compression: use the original image.",
        )


def sharpness(sample: Sample) -> float:
    """Power of the finest details over that of those twice as wide: what is out of focus loses the finest first."""
    return float(sample.bands[0] / max(sample.bands[1], 1e-9))


def detail_scale(sample: Sample) -> float:
    """Where the contrast lies, in octaves from the finest band: the mean band number weighted by amplitude."""
    amplitude = np.sqrt(sample.bands)
    return float((amplitude * np.arange(len(amplitude))).sum() / max(amplitude.sum(), 1e-9))


def fineness(sample: Sample) -> float:
    """Power of the details of 1/512 of the field's side over that of 1/256, in octaves, in the field's middle.

    A nucleus is 1/60 wide, so that a good field has less at the finer width; where eight times the tissue is shown, the nuclei
    themselves are that small. Of all widths tried these two told tissue best from the noise of a camera.
    """
    finest, finer = sample.fine_bands
    return float(np.log2(max(finest, 1e-9) / max(finer, 1e-9)))


def blockiness(grey: NDArray[np.uint8]) -> float:
    """How much steeper the image is at one place in eight than elsewhere, as the seams of JPEG's blocks are; 1 for none.

    The lesser of both directions, so that stripes of the tissue do not count. grey: (h, w) uint8 of the image's own pixels.
    """
    found = []
    for after, before, along in ((grey[1:], grey[:-1], 1), (grey[:, 1:], grey[:, :-1], 0)):
        steps = cv2.reduce(cv2.absdiff(after, before), along, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
        whole = len(steps) // _BLOCK * _BLOCK
        if whole < 2 * _BLOCK:
            return 1.0
        phases = steps[:whole].reshape(-1, _BLOCK).mean(axis=0)
        found.append(phases.max() / (np.median(phases) + 0.2))
    return float(min(found))

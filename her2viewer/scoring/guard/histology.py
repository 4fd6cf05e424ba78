"""Whether an image can be a stained section at all: dyes of its stain on bright glass."""

from collections.abc import Iterator, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.guard.sample import DENSE, Sample
from her2viewer.scoring.stains import Stain

SECTORS: Final[Mapping[Stain, tuple[float, float]]] = {Stain.HE: (20.0, 150.0), Stain.IHC: (-5.0, 215.0)}
"""Degrees of `hue` that the dyes of each stain can have: haematoxylin 36, eosin 92, blood and DAB 120 to 200."""
_COLOURED: Final = 0.12
"""Saturation from which a hue says something."""
_BLUEST: Final = 0.3
"""How far towards blue a dye goes, as `hue` measures it: haematoxylin 0.19, the blue of a marker 0.47."""
_INK_DENSITY: Final = 2.4
"""Density summed over R, G and B that no averaged pixel of a stained section has: ink or dirt."""

_BLACK: Final = (np.zeros(3), np.full(3, 50.0))

MOST_FOREIGN: Final = 0.4
"""Good images measured 0 to 0.013, and with a pen mark up to 0.3."""
MUCH_FOREIGN: Final = 0.03
"""From where another stain is thought of; what is more than `MOST_FOREIGN` is no section at all."""
MOST_BLACK: Final = 0.3
"""Good images measured 0."""
MOST_INK: Final = 0.002
"""Good images measured 0, a real mark on a whole section 0.003."""


def examine_histology(samples: Mapping[Stain, Sample]) -> Iterator[Examined]:
    """Foreign colours, a black ground, ink."""
    for stain, sample in samples.items():
        name = stain.caption
        foreign = foreign_pixels(sample, stain)
        yield Examined(
            "not_histology",
            stain,
            f"share of the {name} image's tissue in colours of no dye of its stain",
            _share(sample, foreign),
            MOST_FOREIGN,
            at_least=False,
            message=f"The {name} image has colours that no {name} stain has: check what was opened.",
        )
        black = cv2.countNonZero(cv2.inRange(sample.coarse, _BLACK[0], _BLACK[1])) / sample.total.size
        yield Examined(
            "not_histology",
            stain,
            f"share of the {name} image that is black",
            black,
            MOST_BLACK,
            at_least=False,
            message=f"The {name} image is black where a section is bright ({black:.0%} of it): check what was opened.",
        )
        yield Examined(
            "pen_mark",
            stain,
            f"largest mark of ink or dirt on the {name} image, share of the field",
            _mark(sample, foreign),
            MOST_INK,
            at_least=False,
            message=f"There is a pen mark or dirt on the {name} image: choose a field beside it.",
        )


def examine_foreign(he: Sample) -> Iterator[Examined]:
    """Whether an H&E is of another stain. Ink has such colours, too, and is told as what it is: beside it nothing is said."""
    foreign = foreign_pixels(he, Stain.HE)
    share = _share(he, foreign)
    if _mark(he, foreign) <= MOST_INK:
        yield Examined(
            "he_unlike_he",
            Stain.HE,
            "share of the H&E image's tissue in colours of another stain",
            share,
            MUCH_FOREIGN,
            at_least=False,
            message=f"{share:.0%} of the tissue in the H&E image has colours of another stain: check that it is an H&E stain.",
        )


def hue(density: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Angle and saturation of densities, (..., 3): where their shares lie around grey.

    0 degrees takes away red rather than blue, 90 takes away green rather than both, 180 blue rather than red; saturation 0 is
    grey. Neither changes with the thickness of the section.
    """
    r, g, b = (density[..., channel] for channel in range(3))
    total = np.maximum(r + g + b, np.float32(0.02))
    up = (g - (r + b) / 2) / total
    across = (r - b) * np.float32(np.sqrt(3) / 2) / total
    return np.degrees(np.arctan2(up, across)), np.hypot(up, across)


def foreign_pixels(sample: Sample, stain: Stain) -> NDArray[np.bool_]:
    """(COARSE, COARSE) bool: dense, coloured, and of a hue that the stain's dyes do not have."""
    dense = sample.total > DENSE
    angle, saturation = hue(sample.density[dense])
    low, high = SECTORS[stain]
    outside = np.mod(angle - low, 360) > high - low
    bluer = saturation * np.cos(np.radians(angle)) > _BLUEST
    foreign = np.zeros(dense.shape, np.bool_)
    foreign[dense] = (outside & (saturation > _COLOURED)) | bluer
    return foreign


def _share(sample: Sample, foreign: NDArray[np.bool_]) -> float:
    """Of foreign pixels among the dense ones, or among a fiftieth of the field where fewer are dense."""
    dense = int(np.count_nonzero(sample.total > DENSE))
    return float(np.count_nonzero(foreign)) / max(dense, foreign.size // 50)


def _mark(sample: Sample, foreign: NDArray[np.bool_]) -> float:
    return _largest(foreign | (sample.total > _INK_DENSITY))


def _largest(mask: NDArray[np.bool_]) -> float:
    """The largest connected part of a mask, as a share of all of it."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    return float(boxes[1:, cv2.CC_STAT_AREA].max(initial=0)) / mask.size

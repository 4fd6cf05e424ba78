"""How much of a map's evidence lies on DAB-stained membrane, where HER2 is read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.separation import concentration
from her2viewer.imaging.source import RGBImage
from her2viewer.imaging.stain_estimation import usual_vectors
from her2viewer.imaging.stain_vectors import Dyes
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.cells import spot, stain_picture
from her2viewer.scoring.trust.chance import shuffled_maps
from her2viewer.scoring.trust.findings import MembraneShare

WIDEST_UM: Final = 3.0
"""Micrometres. Membrane precipitate is up to 2.14 wide at 3+ (the magnification rule), and a scanner's blur adds to it; stained
cytoplasm, blots and ink are wider."""

STAINED: Final = 0.06
"""DAB amount, log10 optical density, from where a pixel counts as stained. With the width it finds the drawn membranes of 8
phantom pairs, pixel by pixel, at F1 0.73 and precision 0.80; 0.04 at 0.74 and 0.76, 0.08 at 0.72 and 0.83; a disc of 4 comes
to 0.72 at its best amount (`python -m training trust` measures the amounts)."""

WORKING_MPP: Final = 0.5
"""Micrometres a pixel that membranes are looked for at; finer pixels are averaged to it."""

COARSEST_MPP: Final = 1.0
"""From here on a pixel is wider than most membranes, and a shape cannot be told: then DAB of any shape counts."""

RANDOM_MAPS: Final = 32
"""More than for the curves, as they cost no run of the network."""

_RASTER: Final = 256
"""Longer side of what maps are drawn on for this; the membrane's pixels are counted into it."""


def stained_membrane(image: RGBImage, mpp: float, threshold: float = STAINED) -> NDArray[np.bool_]:
    """(h, w) bool: pixels of DAB-stained membrane of an IHC image (h, w, 3) uint8, `mpp` micrometres a pixel.

    DAB by colour deconvolution less its opening with a disc of `WIDEST_UM` (the white top-hat: Soille, "Morphological Image
    Analysis", sec. 4.2) leaves what is thinner than the disc; what of that is `threshold` above its surroundings counts,
    but for pixels that hold more haematoxylin than DAB: a small dark nucleus leaves a trace in the DAB. Where pixels are coarser
    than `COARSEST_MPP` it is all DAB above the threshold.
    """
    vectors = usual_vectors(image, Dyes.HAEMATOXYLIN_DAB)
    haematoxylin, dab = (concentration(image, vectors, dye) for dye in (0, 1))
    amount = dab
    if mpp <= COARSEST_MPP:
        size = max(3, round(WIDEST_UM / mpp) | 1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        amount = np.asarray(cv2.morphologyEx(dab, cv2.MORPH_TOPHAT, disc), np.float32)
    return np.asarray((amount >= threshold) & (dab > haematoxylin))


def membrane_share(
    attribution: Attribution,
    network_input: NDArray[np.uint8],
    *,
    pixels: FieldPixels | None = None,
    mpp: float | None = None,
    seed: int = 0,
) -> MembraneShare | None:
    """The share of the map, of random maps and of a spot in the middle. None where there is no IHC or no membrane in it.

    pixels: the field as it was read; without them the IHC's part of the network's input has to do, which mostly is too
    coarse to show a membrane. mpp: micrometres a pixel of the IHC in `pixels`; where it is unknown, the field is taken to be
    as wide as those that the model was trained on.
    """
    layout = attribution.layout
    if Stain.IHC not in layout.order or (attribution.fields and Stain.IHC not in attribution.fields):
        return None
    if pixels is None or Stain.IHC not in pixels.pixels:
        image = np.ascontiguousarray(stain_picture(network_input, layout, Stain.IHC))
        # Cells need not have the field's proportions: the coarser axis decides what can be seen.
        mpp = layout.field_um / min(image.shape[:2])
    else:
        image = pixels.pixels[Stain.IHC]
        mpp = layout.field_um / max(image.shape[:2]) if mpp is None else mpp
    image, mpp = _at_working_size(image, mpp)
    mask = stained_membrane(image, mpp)
    if not mask.any():
        return None
    stained = _counted(mask)
    maps = [attribution.values, *shuffled_maps(attribution.values, RANDOM_MAPS, seed)]
    of_map, *random = (_share(_drawn(attribution, values, stained.shape), stained) for values in maps)
    centre = _share(spot(stained.shape[1], stained.shape[0]), stained)
    return MembraneShare(of_map, tuple(random), centre, float(mask.mean()), mpp <= COARSEST_MPP, STAINED, mpp)


def _at_working_size(image: RGBImage, mpp: float) -> tuple[RGBImage, float]:
    scale = mpp / WORKING_MPP
    if scale >= 1:
        return image, mpp
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), WORKING_MPP


def _counted(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(h, w) bool -> the share of it in each pixel of a coarser raster, at most `_RASTER` on its longer side."""
    height, width = mask.shape
    scale = min(1.0, _RASTER / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _drawn(attribution: Attribution, values: NDArray[np.float32], shape: Sequence[int]) -> NDArray[np.float32]:
    field = attribution.fields[Stain.IHC]
    return replace(attribution, values=values).render(Stain.IHC, field, (shape[1], shape[0]))


def _share(drawn: NDArray[np.float32], stained: NDArray[np.float32]) -> float:
    positive = np.maximum(drawn, 0).astype(np.float64)
    total = float(positive.sum())
    return float((positive * stained).sum()) / total if total > 0 else 0.0

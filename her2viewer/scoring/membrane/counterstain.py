"""What of the DAB plane is really the counterstain: nuclei that no antibody ever stained show how much.

A scanner's haematoxylin has more yellow in it than the table's, so that each nucleus leaves a shadow in the DAB plane. A
membrane traced there would hug dark nuclei.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import Plane
from her2viewer.scoring.membrane.polar import along_rays

_ENOUGH: Final = 20
_USUAL: Final = 0.4
"""The shadow's share where too few bare nuclei tell it: the middle of what 12 phantoms showed (0.17 to 0.79)."""
_MOST: Final = 0.8
_BARE: Final = 0.12
"""Optical density of DAB round a nucleus above which it tells nothing of the counterstain."""
_SHOWN: Final = 0.03
"""Counterstain by which a nucleus has to be deeper than its surroundings."""
_RADII: Final = np.arange(0.5, 14.0, 1.0, dtype=np.float32)


def without_counterstain(dab: Plane, counterstain: Plane, centre: Plane, radius: Plane) -> Plane:
    """The DAB plane less the nuclei's shadow in it, not negative. centre: (n, 2), radius: (n,), working px."""
    share = _share(dab, counterstain, centre, radius)
    return np.maximum(dab - np.float32(share) * counterstain, 0)


def _share(dab: Plane, counterstain: Plane, centre: Plane, radius: Plane) -> float:
    core = np.float32(0.6) * radius[:, None] > _RADII
    ring = (radius[:, None] + np.float32(1.5) < _RADII) & (radius[:, None] + np.float32(4.0) > _RADII)
    blue_in, blue_out = (_mean(counterstain, centre, part) for part in (core, ring))
    brown_in, brown_out = (_mean(dab, centre, part) for part in (core, ring))
    deeper = blue_in - blue_out
    telling = (deeper > _SHOWN) & (brown_out < _BARE)
    if telling.sum() < _ENOUGH:
        return _USUAL
    return float(np.clip(np.median((brown_in - brown_out)[telling] / deeper[telling]), 0, _MOST))


def _mean(plane: Plane, centre: Plane, part: NDArray[np.bool_]) -> Plane:
    rings = along_rays(plane, centre, _RADII).mean(axis=1)
    return np.asarray((rings * part).sum(axis=1) / np.maximum(part.sum(axis=1), 1), np.float32)

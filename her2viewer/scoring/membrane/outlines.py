"""Where each cell's membrane runs: the brownest closed line round its nucleus that does not reach into the next cell.

Where there is no DAB to follow, the line lies half-way to the neighbours, or a usual cell's depth of cytoplasm from the nucleus.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP, Plane
from her2viewer.scoring.membrane.neighbours import territories
from her2viewer.scoring.membrane.nuclei import Nuclei
from her2viewer.scoring.membrane.polar import Rays, along_rays, closed_paths, on_rays, points

REACH_UM: Final = 9.5
_FIRST_PX: Final = 2.0
RADII: Final = np.arange(_FIRST_PX, REACH_UM / WORKING_MPP, 1.0, dtype=np.float32)
"""px: the radii at which rays are read, one working pixel apart."""
_CYTOPLASM_UM: Final = 2.2
_TO_PRIOR: Final = 0.006
"""Optical density that a px of distance from where a membrane is expected costs: nothing beside a visible one."""
_BEYOND: Final = 0.02
"""The same for the square of px beyond the border with the next cell, after `_OVERLAP_PX`."""
_OVERLAP_PX: Final = 2.0
_IN_NUCLEUS: Final = 0.05


@dataclass(frozen=True, eq=False)
class Outlines:
    """at: (n, RAYS) index into RADII. line: (n, RAYS, 2) float32 px. dab: (n, RAYS, len(RADII)) along the rays."""

    at: NDArray[np.intp]
    line: NDArray[np.float32]
    dab: Rays


def trace(dab: Plane, nuclei: Nuclei) -> Outlines:
    """The outline of the cell round each nucleus. dab: (h, w), freed of the counterstain."""
    read = along_rays(dab, nuclei.centre, RADII)
    x, y = nuclei.outline[..., 0] - nuclei.centre[:, None, 0], nuclei.outline[..., 1] - nuclei.centre[:, None, 1]
    rim = np.hypot(x, y)
    border = _borders(dab.shape, nuclei)
    usual = np.minimum(border, nuclei.radius[:, None] + np.float32(_CYTOPLASM_UM / WORKING_MPP))
    beyond = np.clip(RADII - border[..., None] - np.float32(_OVERLAP_PX), 0, None)
    cost = np.float32(_TO_PRIOR) * np.abs(RADII - usual[..., None])
    cost += np.float32(_BEYOND) * beyond * beyond
    cost += np.float32(_IN_NUCLEUS) * np.clip(np.minimum(rim, nuclei.radius[:, None])[..., None] - 1 - RADII, 0, None)
    cost -= read
    at = closed_paths(cost)
    return Outlines(at, points(nuclei.centre, RADII[at]), read)


def _borders(shape: tuple[int, ...], nuclei: Nuclei) -> NDArray[np.float32]:
    """(n, RAYS) px: how far each ray goes before it is nearer to another centre; REACH where it never is."""
    height, width = shape[:2]
    owner = territories(shape, nuclei.centre)
    x, y = on_rays(nuclei.centre, np.broadcast_to(RADII, (len(nuclei), nuclei.outline.shape[1], len(RADII))))
    there = owner[np.clip(y.astype(np.intp), 0, height - 1), np.clip(x.astype(np.intp), 0, width - 1)]
    foreign = there != np.arange(len(nuclei))[:, None, None]
    first = np.where(foreign.any(axis=-1), foreign.argmax(axis=-1), len(RADII) - 1)
    return np.asarray(RADII[first], np.float32)

"""What each cell's membrane shows: how dark, how wide, and over how much of its length."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.membrane.dyes import WORKING_MPP
from her2viewer.scoring.membrane.outlines import RADII, Outlines

PERCEPTIBLE: Final = 0.05
"""Optical density over the cell's own inside from where a stretch of membrane counts as stained."""
_DEPTH_UM: Final = 2.3
"""How far inwards from the line a membrane's DAB is added up: half of the widest line, 2.14 um a side."""


@dataclass(frozen=True, eq=False)
class Membranes:
    """Per cell, (n,) float32. density: mean optical density of the DAB over the cell's inside, where the membrane is stained
    (0 where none of it is). amount: the same, added up across the cell's side of the membrane, in optical density x um:
    what stays as it is when a scanner's blur makes a line wider and paler. completeness: stained share of the outline's
    length. inside: DAB of the cytoplasm, optical density.
    """

    density: NDArray[np.float32]
    amount: NDArray[np.float32]
    completeness: NDArray[np.float32]
    inside: NDArray[np.float32]


def measure(outlines: Outlines) -> Membranes:
    """The membranes of all cells."""
    at, dab = outlines.at, outlines.dab
    place = np.arange(len(RADII))
    depth = at[..., None] - place
    inner = depth >= 3
    least = np.where(inner, dab, np.inf).min(axis=-1)
    least = np.where(np.isfinite(least), least, dab[..., 0])
    inside = np.median(least, axis=1)
    over = np.clip(dab - inside[:, None, None], 0, None)
    peak = np.where(np.abs(depth) <= 1, over, 0).max(axis=-1)
    half = np.where(depth == 0, np.float32(0.5), np.float32(1.0))
    across = np.where((depth >= 0) & (depth <= _DEPTH_UM / WORKING_MPP), over * half, 0).sum(axis=-1) * WORKING_MPP
    step = outlines.line - np.roll(outlines.line, 1, axis=1)
    length = np.hypot(step[..., 0], step[..., 1])
    length = length + np.roll(length, -1, axis=1)
    stained = (peak >= PERCEPTIBLE) * length
    marked = np.maximum(stained.sum(axis=1), 1e-6)
    return Membranes(
        density=np.asarray((stained * peak).sum(axis=1) / marked, np.float32),
        amount=np.asarray((stained * across).sum(axis=1) / marked, np.float32),
        completeness=np.asarray(stained.sum(axis=1) / length.sum(axis=1), np.float32),
        inside=np.asarray(inside, np.float32),
    )

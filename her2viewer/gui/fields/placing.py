"""Where fields lie in a pane: they stand in level-0 px of the IHC, and the H&E's pane sees them through the alignment."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF, QTransform

from her2viewer.gui.pane.layer import Sight
from her2viewer.gui.state import State
from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain


def alignment_of(state: State) -> Alignment | None:
    """How the two images on screen lie on each other; None where not both are there."""
    return state.registration.alignment if state.pair is not None else None


@dataclass(frozen=True, slots=True)
class Placing:
    """Between level-0 px of the IHC and those of one stain's image. Points are (n, 2), (x, y) in each row."""

    stain: Stain
    alignment: Alignment

    def to_image(self, points: ArrayLike) -> Points:
        """From the IHC to the stain's own image."""
        if self.stain is Stain.IHC:
            return np.asarray(points, np.float64)
        return self.alignment.to_he(points)

    def to_ihc(self, x: float, y: float) -> tuple[float, float]:
        """From the stain's own image to the IHC."""
        if self.stain is Stain.IHC:
            return x, y
        ((to_x, to_y),) = self.alignment.to_ihc([(x, y)]).tolist()
        return to_x, to_y

    @property
    def affine(self) -> Affine | None:
        """From the IHC to the stain's own image in one affine map; None where the alignment bends."""
        if self.stain is Stain.IHC:
            return Affine.identity()
        return self.alignment.he_to_ihc.inverse() if self.alignment.warp is None else None


def on_screen(sight: Sight) -> Affine:
    """From level-0 px of a pane's own image to logical pixels of its viewport. The pane pans, zooms, turns and flips."""
    far = 4096.0  # measured over a long way, so that nothing is lost to rounding
    corner, right, down = sight.to_screen(0, 0), sight.to_screen(far, 0), sight.to_screen(0, far)
    across, along = (right - corner) / far, (down - corner) / far
    return Affine(across.x(), along.x(), corner.x(), across.y(), along.y(), corner.y())


def transform(affine: Affine) -> QTransform:
    """The same map as Qt has it."""
    return QTransform(affine.xx, affine.yx, affine.xy, affine.yy, affine.tx, affine.ty)


def polygon(points: Points) -> QPolygonF:
    """(n, 2) as Qt has it."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def px_at(sight: Sight, placing: Placing, screen: QPointF) -> float:
    """How many level-0 px of the IHC one logical pixel of a pane is, about a point of its viewport."""
    here, there = (placing.to_ihc(*sight.from_screen(point)) for point in (screen, screen + QPointF(1, 0)))
    return max(math.hypot(there[0] - here[0], there[1] - here[1]), 1e-9)

"""Alignment by what the user did to the panes. Pure geometry on what each pane says of itself."""

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF

from her2viewer.gui.pane.layer import Sight
from her2viewer.imaging.affine import Affine

_ARM: Final = 1000.0
"""Logical px: how far from the middle two more points are taken, so that rounding stays below a thousandth of a pixel."""


def as_shown(he: Sight, he_middle: QPointF, ihc: Sight, ihc_middle: QPointF) -> Affine:
    """The map of level-0 px that puts what each pane shows on the other, middle on middle; both in logical px.

    Raises ValueError where a pane shows nothing.
    """
    arms = (QPointF(0, 0), QPointF(_ARM, 0), QPointF(0, _ARM))
    ends = np.array([ihc.from_screen(ihc_middle + arm) for arm in arms])
    starts = np.array([he.from_screen(he_middle + arm) for arm in arms])
    return Affine.of(np.linalg.solve(np.column_stack([starts, np.ones(3)]), ends).T)


def nudged(he_to_ihc: Affine, ihc: Sight, dx: float, dy: float) -> Affine:
    """The H&E moved over the IHC by logical px of the IHC's pane."""
    start, end = ihc.from_screen(QPointF(0, 0)), ihc.from_screen(QPointF(dx, dy))
    return he_to_ihc.shifted(end[0] - start[0], end[1] - start[1])


def turned(he_to_ihc: Affine, ihc: Sight, middle: QPointF, degrees: float) -> Affine:
    """The H&E turned over the IHC about a point of the IHC's pane, clockwise as it is seen there."""
    x, y = ihc.from_screen(middle)
    across, down = ihc.from_screen(middle + QPointF(1, 0)), ihc.from_screen(middle + QPointF(0, 1))
    mirrored = (across[0] - x) * (down[1] - y) - (across[1] - y) * (down[0] - x) < 0
    return he_to_ihc.then(Affine.similarity(degrees=-degrees if mirrored else degrees, about=(x, y)))

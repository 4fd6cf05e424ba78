"""Registration by points that the user sets on both images."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from her2viewer.errors import UserError
from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import ImageSource
from her2viewer.imaging.thin_plate import ThinPlate

_CLOSEST: Final = 1.0
"""Level-0 px between two landmarks of an image."""
_FLATTEST: Final = 0.02
"""How wide the landmarks must lie across their longest direction, as a share of their spread along it."""


def by_landmarks(
    he_points: ArrayLike,
    ihc_points: ArrayLike,
    ihc: ImageSource,
    *,
    ihc_um: float | None = None,
    mirrored: bool = False,
    bend: bool = False,
) -> Alignment:
    """The alignment that takes landmarks of the H&E to those of the IHC, (n, 2) level-0 px each, in one order.

    Two give a similarity, turned over where `mirrored` says so (two points cannot tell); three or more the affine of least
    squares, from four on with its error; with `bend` a thin-plate spline then passes through all. ihc_um: micrometres per
    level-0 px, where the user knows better than the file. Raises UserError where the landmarks do not fix that.
    """
    he, on_ihc = np.asarray(he_points, np.float64).reshape(-1, 2), np.asarray(ihc_points, np.float64).reshape(-1, 2)
    if len(he) != len(on_ihc):
        raise ValueError(f"{len(he)} landmarks on the H&E, {len(on_ihc)} on the IHC")
    for points, caption in ((he, "H&E"), (on_ihc, "IHC")):
        _refuse(points, caption)
    affine = _similarity(he, on_ihc, mirrored) if len(he) == 2 else _least_squares(he, on_ihc)
    error = None
    if len(he) > 3:
        left = affine.points(he) - on_ihc
        error = float(np.sqrt((left**2).sum() / (len(he) - 3)))
    warp = ThinPlate.through(affine.points(he), on_ihc) if bend and len(he) > 3 else None
    um = ihc_um or (None if ihc.mpp is None else ihc.mpp.um)
    return Alignment.measured(affine, "landmarks", error, ihc.size, um, warp)


def _refuse(points: Points, caption: str) -> None:
    """Raises UserError for landmarks of one image that leave the alignment open."""
    if len(points) < 2:
        raise UserError("one landmark does not say how the images lie", remedy="set at least two, far from each other")
    apart = np.hypot(*(points[:, None] - points[None]).T) + np.where(np.eye(len(points)), np.inf, 0)
    if apart.min() < _CLOSEST:
        one, two = (index + 1 for index in divmod(int(apart.argmin()), len(points)))
        raise UserError(
            f"landmarks {one} and {two} lie on one place of the {caption}", remedy="move or delete one of them"
        )
    if len(points) > 2:
        along, across = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
        if across < _FLATTEST * along:
            raise UserError(
                f"all landmarks of the {caption} lie on one line", remedy="set another one to the side, or keep two"
            )


def _similarity(he: Points, ihc: Points, mirrored: bool) -> Affine:
    """Exactly through two points."""
    before = he * (-1, 1) if mirrored else he
    (ax, ay), (bx, by) = before[1] - before[0], ihc[1] - ihc[0]
    scale, degrees = np.hypot(bx, by) / np.hypot(ax, ay), np.degrees(np.arctan2(by, bx) - np.arctan2(ay, ax))
    turned = Affine.similarity(float(scale), float(degrees), mirrored=mirrored)
    x, y = turned(*he[0].tolist())
    return turned.shifted(float(ihc[0, 0]) - x, float(ihc[0, 1]) - y)


def _least_squares(he: Points, ihc: Points) -> Affine:
    """About the middle of the points, which keeps places on a large slide well conditioned."""
    middle, target = he.mean(axis=0), ihc.mean(axis=0)
    linear = np.linalg.lstsq(he - middle, ihc - target, rcond=None)[0].T
    return Affine.of(np.column_stack([linear, target - linear @ middle]))

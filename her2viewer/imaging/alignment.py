"""How the H&E image of a pair lies on its IHC image, how sure that is, and in which words it is said."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.thin_plate import ThinPlate

Origin = Literal["assumed", "automatic", "landmarks", "by hand"]
"""Who says so: nobody (both images are taken for the same rectangle), the registration, landmarks, or the user's hand."""

_BEGINNINGS: Final[dict[Origin, str]] = {
    "assumed": "Not registered: both images are taken to show the same field",
    "automatic": "Registered automatically",
    "landmarks": "Registered by landmarks",
    "by hand": "Aligned by hand",
}


POOR_UM, POOR_SHARE = 25.0, 0.01
"""Error from which an alignment is poor: two cells, or a hundredth of the longer side where micrometres are not known."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """From level-0 px of the H&E to level-0 px of the IHC: `he_to_ihc`, and then `warp`, a bending of the IHC's plane.

    `error_px` is how far off it is likely to be, in level-0 px of the IHC, and `error_um` the same in micrometres; None
    where that is not known. Automatically: the median distance left between patches of the two; by landmarks: the root
    mean square at them, over the figures that are not used up by the fit. `poor`: too little agrees to rely on it.
    """

    he_to_ihc: Affine
    warp: ThinPlate | None = None
    origin: Origin = "assumed"
    error_px: float | None = None
    error_um: float | None = None
    poor: bool = False

    @classmethod
    def assumed(cls, he_size: tuple[int, int], ihc_size: tuple[int, int]) -> "Alignment":
        """What holds while nothing is known: one image's rectangle stretched to the other's, sizes (width, height)."""
        return cls(Affine.between(he_size, ihc_size))

    @classmethod
    def measured(
        cls,
        he_to_ihc: Affine,
        origin: Origin,
        error_px: float | None,
        ihc_size: tuple[int, int],
        ihc_um: float | None,
        warp: ThinPlate | None = None,
    ) -> "Alignment":
        """With its error in micrometres, and whether that is poor. ihc_um: micrometres per level-0 px, None if unknown."""
        error_um = None if error_px is None or ihc_um is None else error_px * ihc_um
        allowed = POOR_SHARE * max(ihc_size) if ihc_um is None else POOR_UM / ihc_um
        return cls(he_to_ihc, warp, origin, error_px, error_um, error_px is not None and error_px > allowed)

    @property
    def words(self) -> str:
        """One sentence for the window, without a full stop."""
        off = f", about {self._distance} off" if self._distance else ""
        if self.poor:
            if self.origin == "automatic" and not off:
                return "Poor: the images were not found to match; set landmarks or align by hand"
            beginning = _BEGINNINGS[self.origin]
            return f"Poor: {beginning[0].lower()}{beginning[1:]}{off}; set landmarks or align by hand"
        return _BEGINNINGS[self.origin] + off

    @property
    def _distance(self) -> str:
        if self.error_um is not None:
            return f"{_figure(self.error_um)} µm"
        return f"{_figure(self.error_px)} px" if self.error_px is not None else ""

    def to_ihc(self, points: ArrayLike) -> Points:
        """(n, 2) level-0 px of the H&E -> (n, 2) level-0 px of the IHC, (x, y) in each row."""
        placed = self.he_to_ihc.points(points)
        return placed if self.warp is None else self.warp(placed)

    def to_he(self, points: ArrayLike) -> Points:
        """(n, 2) level-0 px of the IHC -> (n, 2) level-0 px of the H&E: the way back of `to_ihc`."""
        straight = np.asarray(points, np.float64) if self.warp is None else self.warp.inverse(points)
        return self.he_to_ihc.inverse().points(straight)

    def affine_at(self, x: float, y: float) -> Affine:
        """The affine map that touches `to_ihc` at (x, y), level-0 px of the H&E: the same there, and the same slope."""
        if self.warp is None:
            return self.he_to_ihc
        ((px, py),) = placed = self.he_to_ihc.points([(x, y)])
        ((qx, qy),) = self.warp(placed)
        (xx, xy), (yx, yy) = self.warp.jacobian(placed)[0].tolist()
        local = Affine(xx, xy, 0.0, yx, yy, 0.0)
        at_x, at_y = local(float(px), float(py))
        return self.he_to_ihc.then(local.shifted(float(qx) - at_x, float(qy) - at_y))


def _figure(value: float) -> str:
    """One digit behind the point below ten, none above: an estimated error has no more."""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"

"""Objective magnification on a screen, and the magnification rule of HER2.

A screen has no objective. The field's convention (scanner vendors, OpenSlide's `objective-power`, QuPath) is that a scan at
40x has 0.25 µm per pixel; M x on screen is 10 / M µm per device pixel, so that such a scan at 40x is shown 1:1.
"""

from dataclasses import dataclass
from typing import Final

UM_AT_ONE: Final = 10.0
"""Micrometres per device pixel at 1x."""

PRESETS: Final = (2.5, 5.0, 10.0, 20.0, 40.0)


@dataclass(frozen=True, slots=True)
class Membrane:
    """The membrane's precipitate of a score: its mean width in micrometres, and the objective that first shows it."""

    score: str
    um: float
    objective: float
    looks: str


MAGNIFICATION_RULE: Final = (
    Membrane("1+", 0.64, 40, "faint membranes of 1+ show only at 40x"),
    Membrane("2+", 1.0, 10, "membranes of 2+ show from 10x"),
    Membrane("3+", 2.14, 5, "membranes of 3+ show from 5x already"),
)
"""Scheel, Penault-Llorca, Hanna et al. 2018, Diagnostic Pathology 13:19 (mean widths 0.64, 1.0 and 2.14 µm)."""


def um_per_device_px(objective: float) -> float:
    """Micrometres per device pixel at an objective magnification."""
    return UM_AT_ONE / objective


def objective_of(um_per_px: float) -> float:
    """The objective magnification that so many micrometres per device pixel, or per pixel of a scan, come to."""
    return UM_AT_ONE / um_per_px


def magnification_words(px: float, um_per_px: float | None) -> str:
    """How close a view is. px: level-0 pixels per device pixel; um_per_px: µm per level-0 pixel, or None.

    '10x' where the scale is known, otherwise how large an image pixel is on screen: '1:1', '250%'.
    """
    if um_per_px is not None:
        return f"{objective_of(px * um_per_px):.3g}x"
    return "1:1" if abs(px - 1) < 1e-6 else f"{1 / px:.0%}"

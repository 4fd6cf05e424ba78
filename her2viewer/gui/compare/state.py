"""How the two images are compared."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from her2viewer.scoring.stains import Stain


class CompareMode(StrEnum):
    """Beside each other, or both in the place of one."""

    SIDE_BY_SIDE = "side_by_side"
    FLICKER = "flicker"
    SWIPE = "swipe"
    BLEND = "blend"


SLOWEST_MS: Final = 2000
FASTEST_MS: Final = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """The mode and its settings, which each mode keeps while another is used.

    `front`: the image that a flicker shows now; `every_ms`: how long it shows each; `running`: whether it goes by itself;
    `held`: a key shows the other one meanwhile. `divider`: the place of the curtain as a share of the width, H&E left of it.
    `blend`: the share of the H&E, 0 to 1.
    """

    mode: CompareMode = CompareMode.SIDE_BY_SIDE
    front: Stain = Stain.IHC
    every_ms: int = 600
    running: bool = True
    held: bool = False
    divider: float = 0.5
    blend: float = 0.5

    @property
    def together(self) -> bool:
        """Whether both images are seen in one place."""
        return self.mode is not CompareMode.SIDE_BY_SIDE

    @property
    def seen(self) -> Stain:
        """The image that a flicker shows just now."""
        return self.front.other if self.held else self.front

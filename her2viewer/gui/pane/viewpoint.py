"""Where an image is looked at from. Pure geometry: level-0 pixels, x to the right, y down."""

from dataclasses import dataclass, replace
from typing import Final

from her2viewer.scoring.prediction import FieldOfView

CLOSEST: Final = 1 / 32
"""Level-0 pixels per device pixel at the closest: one image pixel is 32 x 32 on screen."""

FARTHEST: Final = 16.0
"""How much farther than 'fit' one may go: a field of 0.5 mm is that small at 2.5x."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """The level-0 position in the middle of the viewport, and level-0 pixels per device pixel."""

    x: float
    y: float
    px: float

    def moved(self, dx: float, dy: float) -> "Viewpoint":
        """Moved by device pixels: the tissue goes with them."""
        return replace(self, x=self.x - dx * self.px, y=self.y - dy * self.px)

    def zoomed(self, factor: float, anchor: tuple[float, float]) -> "Viewpoint":
        """Closer by `factor`, with the level-0 position `anchor` staying where it is on screen."""
        ax, ay = anchor
        return Viewpoint(ax + (self.x - ax) / factor, ay + (self.y - ay) / factor, self.px / factor)

    def visible(self, viewport: tuple[float, float]) -> FieldOfView:
        """The level-0 rectangle that a viewport (width, height in device pixels) shows."""
        width, height = viewport[0] * self.px, viewport[1] * self.px
        return FieldOfView(self.x - width / 2, self.y - height / 2, width, height)

    def relative(self, field: FieldOfView) -> "Viewpoint":
        """In units of a field: its top left is (0, 0), its width is 1 across and its height 1 down."""
        return Viewpoint((self.x - field.x) / field.width, (self.y - field.y) / field.height, self.px / field.width)

    def absolute(self, field: FieldOfView) -> "Viewpoint":
        """The inverse of `relative`: the same place of another field."""
        return Viewpoint(field.x + self.x * field.width, field.y + self.y * field.height, self.px * field.width)


def fitted(size: tuple[int, int], viewport: tuple[float, float]) -> Viewpoint:
    """The whole of an image in the viewport (width, height in device pixels), in its middle."""
    width, height = size
    return Viewpoint(width / 2, height / 2, max(width / max(viewport[0], 1), height / max(viewport[1], 1)))


def kept_in_reach(wanted: Viewpoint, size: tuple[int, int], viewport: tuple[float, float]) -> Viewpoint:
    """As near to what is wanted as keeps the image in reach: its middle on the tissue, neither too close nor too far."""
    farthest = max(fitted(size, viewport).px * FARTHEST, 1.0)
    return Viewpoint(
        min(max(wanted.x, 0.0), float(size[0])),
        min(max(wanted.y, 0.0), float(size[1])),
        min(max(wanted.px, CLOSEST), farthest),
    )

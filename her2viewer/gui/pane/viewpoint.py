"""Where an image is looked at from. Pure geometry: level-0 pixels, x to the right, y down."""

import math
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtGui import QTransform

from her2viewer.scoring.prediction import FieldOfView

CLOSEST: Final = 1 / 32
"""Level-0 pixels per device pixel at the closest: one image pixel is 32 x 32 on screen."""

FARTHEST: Final = 4.0
"""How much farther than 'fit' one may go."""

ALWAYS: Final = 40.0
"""Level-0 pixels per device pixel that are near enough for any image: a scan at 100x (0.1 µm) as through a 2.5x objective."""


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """The level-0 position in the middle of the viewport, level-0 pixels per device pixel, and how the image is turned.

    The image is mirrored left to right first (`mirrored`) and then turned by `rotation` degrees, clockwise on screen, in
    [0, 360).
    """

    x: float
    y: float
    px: float
    rotation: float = 0.0
    mirrored: bool = False

    def moved(self, dx: float, dy: float) -> "Viewpoint":
        """Moved by device pixels: the tissue goes with them."""
        cos, sin = turn(self.rotation)
        across, down = cos * dx + sin * dy, cos * dy - sin * dx
        if self.mirrored:
            across = -across
        return replace(self, x=self.x - across * self.px, y=self.y - down * self.px)

    def zoomed(self, factor: float, anchor: tuple[float, float]) -> "Viewpoint":
        """Closer by `factor`, with the level-0 position `anchor` staying where it is on screen."""
        ax, ay = anchor
        return replace(self, x=ax + (self.x - ax) / factor, y=ay + (self.y - ay) / factor, px=self.px / factor)

    def turned(self, degrees: float) -> "Viewpoint":
        """Turned clockwise on screen about the middle of the viewport."""
        return replace(self, rotation=_within_a_turn(self.rotation + degrees))

    def flipped(self) -> "Viewpoint":
        """What is on screen mirrored left to right about the middle of the viewport."""
        return replace(self, rotation=_within_a_turn(-self.rotation), mirrored=not self.mirrored)

    def upright(self) -> "Viewpoint":
        """As the image lies in its file."""
        return replace(self, rotation=0.0, mirrored=False)

    @property
    def is_upright(self) -> bool:
        return self.rotation == 0 and not self.mirrored

    def transform(self, viewport: tuple[float, float]) -> QTransform:
        """From level-0 pixels to device pixels of a viewport (width, height in device pixels)."""
        cos, sin = turn(self.rotation)
        side = -1.0 if self.mirrored else 1.0
        m11, m12, m21, m22 = side * cos / self.px, side * sin / self.px, -sin / self.px, cos / self.px
        return QTransform(
            m11,
            m12,
            m21,
            m22,
            viewport[0] / 2 - (m11 * self.x + m21 * self.y),
            viewport[1] / 2 - (m12 * self.x + m22 * self.y),
        )

    def visible(self, viewport: tuple[float, float]) -> FieldOfView:
        """The level-0 rectangle around what a viewport (width, height in device pixels) shows, turned or not."""
        width, height = (side * self.px for side in turned_size(viewport, self.rotation))
        return FieldOfView(self.x - width / 2, self.y - height / 2, width, height)

    def relative(self, field: FieldOfView) -> "Viewpoint":
        """In units of a field: its top left is (0, 0), its width is 1 across and its height 1 down."""
        return replace(
            self,
            x=(self.x - field.x) / field.width,
            y=(self.y - field.y) / field.height,
            px=self.px / field.width,
        )

    def absolute(self, field: FieldOfView) -> "Viewpoint":
        """The inverse of `relative`: the same place of another field."""
        return replace(
            self,
            x=field.x + self.x * field.width,
            y=field.y + self.y * field.height,
            px=self.px * field.width,
        )


def _within_a_turn(degrees: float) -> float:
    """In [0, 360). Of a hair below 0 the remainder rounds to 360 itself, so it is taken twice."""
    return degrees % 360 % 360


def turn(degrees: float) -> tuple[float, float]:
    """(cosine, sine), exact for right angles."""
    quarter, rest = divmod(degrees % 360, 90)
    if rest == 0:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarter) % 4]
    angle = math.radians(degrees)
    return math.cos(angle), math.sin(angle)


def turned_size(size: tuple[float, float], degrees: float) -> tuple[float, float]:
    """(width, height) of the upright rectangle around a turned one."""
    cos, sin = (abs(part) for part in turn(degrees))
    return cos * size[0] + sin * size[1], sin * size[0] + cos * size[1]


def fitted(
    size: tuple[int, int], viewport: tuple[float, float], rotation: float = 0.0, mirrored: bool = False
) -> Viewpoint:
    """The whole of an image in the viewport (width, height in device pixels), in its middle."""
    width, height = turned_size(size, rotation)
    px = max(width / max(viewport[0], 1), height / max(viewport[1], 1))
    return Viewpoint(size[0] / 2, size[1] / 2, px, rotation, mirrored)


def kept_in_reach(wanted: Viewpoint, size: tuple[int, int], viewport: tuple[float, float]) -> Viewpoint:
    """As near to what is wanted as keeps the image in reach: its middle on the tissue, neither too close nor too far.

    How far one may go does not depend on how the image is turned, so that turning it never changes the zoom.
    """
    farthest = max(fitted(size, viewport).px * FARTHEST, ALWAYS)
    return replace(
        wanted,
        x=min(max(wanted.x, 0.0), float(size[0])),
        y=min(max(wanted.y, 0.0), float(size[1])),
        px=min(max(wanted.px, CLOSEST), farthest),
    )

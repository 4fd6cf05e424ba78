"""The one affine map of the product: between images, and between an image and what is made of it.

Coordinates are continuous pixels: pixel `i` covers `[i, i + 1)`, its centre is at `i + 0.5`, x to the right, y down.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]
"""(n, 2) float64: (x, y) in each row."""


@dataclass(frozen=True, slots=True)
class Affine:
    """`(x, y) -> (xx * x + xy * y + tx, yx * x + yy * y + ty)`; the fields are the rows of the 2 x 3 matrix in order."""

    xx: float = 1.0
    xy: float = 0.0
    tx: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    ty: float = 0.0

    @classmethod
    def identity(cls) -> "Affine":
        """The map that changes nothing."""
        return cls()

    @classmethod
    def stretch(cls, ax: float, bx: float, ay: float, by: float) -> "Affine":
        """A scale and a shift per axis: `(ax * x + bx, ay * y + by)`."""
        return cls(ax, 0.0, bx, 0.0, ay, by)

    @classmethod
    def between(cls, size_a: tuple[float, float], size_b: tuple[float, float]) -> "Affine":
        """One image's rectangle stretched onto another's; sizes are (width, height) in px."""
        return cls.stretch(size_b[0] / size_a[0], 0.0, size_b[1] / size_a[1], 0.0)

    @classmethod
    def similarity(
        cls,
        scale: float = 1.0,
        degrees: float = 0.0,
        shift: tuple[float, float] = (0.0, 0.0),
        mirrored: bool = False,
        about: tuple[float, float] = (0.0, 0.0),
    ) -> "Affine":
        """Mirrored left to right, then turned and scaled, all about one point, then shifted.

        degrees: from the x axis towards the y axis, which is clockwise on screen.
        """
        cos, sin = _turn(degrees)
        side = -1.0 if mirrored else 1.0
        linear = cls(side * scale * cos, -scale * sin, 0.0, side * scale * sin, scale * cos, 0.0)
        x, y = linear(*about)
        return linear.shifted(about[0] - x + shift[0], about[1] - y + shift[1])

    @classmethod
    def of(cls, matrix: ArrayLike) -> "Affine":
        """From a (2, 3) matrix. Raises ValueError for another shape, or figures that are not finite."""
        rows = np.asarray(matrix, np.float64)
        if rows.shape != (2, 3) or not np.isfinite(rows).all():
            raise ValueError(f"a finite (2, 3) matrix expected, got {rows.shape}")
        return cls(*rows.ravel().tolist())

    @classmethod
    def of_indices(cls, matrix: ArrayLike) -> "Affine":
        """From OpenCV's (2, 3) matrix between pixel indices, whose pixel centres are whole numbers."""
        return cls(tx=-0.5, ty=-0.5).then(cls.of(matrix)).shifted(0.5, 0.5)

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        return self.xx * x + self.xy * y + self.tx, self.yx * x + self.yy * y + self.ty

    def points(self, points: ArrayLike) -> Points:
        """(n, 2) -> (n, 2) float64, (x, y) in each row."""
        places = np.asarray(points, np.float64)
        return places @ self.linear.T + (self.tx, self.ty)

    @property
    def linear(self) -> NDArray[np.float64]:
        """(2, 2): the map without its shift."""
        return np.array([[self.xx, self.xy], [self.yx, self.yy]])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(2, 3) float64."""
        return np.array([[self.xx, self.xy, self.tx], [self.yx, self.yy, self.ty]])

    @property
    def indices(self) -> NDArray[np.float64]:
        """(2, 3) float64 between pixel indices, as OpenCV's warps take it: pixel centres at whole numbers there."""
        return Affine(tx=0.5, ty=0.5).then(self).shifted(-0.5, -0.5).matrix

    @property
    def determinant(self) -> float:
        """How many times larger an area becomes; negative where the map mirrors."""
        return self.xx * self.yy - self.xy * self.yx

    def inverse(self) -> "Affine":
        """The way back. Raises ZeroDivisionError where the map flattens the plane."""
        area = self.determinant
        xx, xy, yx, yy = self.yy / area, -self.xy / area, -self.yx / area, self.xx / area
        return Affine(xx, xy, -(xx * self.tx + xy * self.ty), yx, yy, -(yx * self.tx + yy * self.ty))

    def then(self, outer: "Affine") -> "Affine":
        """The map that applies this one first and `outer` to its result."""
        return Affine(
            outer.xx * self.xx + outer.xy * self.yx,
            outer.xx * self.xy + outer.xy * self.yy,
            outer.xx * self.tx + outer.xy * self.ty + outer.tx,
            outer.yx * self.xx + outer.yy * self.yx,
            outer.yx * self.xy + outer.yy * self.yy,
            outer.yx * self.tx + outer.yy * self.ty + outer.ty,
        )

    def shifted(self, dx: float, dy: float) -> "Affine":
        """This map, and then a shift."""
        return Affine(self.xx, self.xy, self.tx + dx, self.yx, self.yy, self.ty + dy)

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing at all, to the last bit."""
        return self == IDENTITY

    @property
    def is_upright(self) -> bool:
        """Whether rows stay rows and columns stay columns: a scale and a shift per axis."""
        return self.xy == 0 and self.yx == 0

    @property
    def scale(self) -> float:
        """How many times longer a length becomes, the geometric mean of all directions."""
        return math.sqrt(abs(self.determinant))

    @property
    def mirrored(self) -> bool:
        """Whether left and right change places, whatever the rotation."""
        return self.determinant < 0

    @property
    def rotation(self) -> float:
        """Degrees in (-180, 180], as `similarity` takes them, of the nearest similarity with the same mirroring."""
        side = -1.0 if self.mirrored else 1.0
        return math.degrees(math.atan2(side * self.yx - self.xy, side * self.xx + self.yy))


IDENTITY: Final = Affine()


def _turn(degrees: float) -> tuple[float, float]:
    """Cosine and sine, exact at quarter turns so that a picture turned by 90 degrees is not resampled."""
    quarters = degrees / 90
    if quarters == round(quarters):
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarters) % 4]
    angle = math.radians(degrees)
    return math.cos(angle), math.sin(angle)

"""The outline of an annotation: a rectangle, an ellipse, a polygon, or a line drawn free-hand.

Level-0 pixels of the IHC image, the reference of a case; the H&E's pane maps them through the alignment. Corners lie on a
grid of 1/100 pixel, finer than anybody draws, so that a shape comes back from a file exactly as it went in.

Areas, cuts and validity are GEOS's, through shapely. Free-hand lines are thinned by shapely and not by OpenCV's
approxPolyDP, which counts in float32 and may let a line cross itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import FieldOfView

Points = NDArray[np.float64]
"""(n, 2) float64: a point (x, y) a row."""

MINIMUM_SIDE: Final = 4.0
"""Level-0 pixels. Less is a slip of the hand."""
DECIMALS: Final = 2
FREE_HAND_TOLERANCE: Final = 1.0
"""How far a thinned free-hand line may leave the pen's, in level-0 pixels, unless the caller knows the zoom."""
MANY_VERTICES: Final = 60
"""A polygon of more is moved by the handles of its frame; nobody takes hold of the two-hundredth corner."""
_ELLIPSE_POINTS: Final = 256
_STRAY_SHARE: Final = 0.05
"""Loops of a crossing pen that make up less than this of what it drew fall away."""
_MENDABLE_POINTS: Final = 100_000
_MENDABLE_CROSSINGS: Final = 2_000
"""Beyond these the parts of a tangle are nobody's intent, and finding them takes minutes."""

_DRAW_AGAIN: Final = "draw it again without crossing its own line"


class ShapeKind(StrEnum):
    """What was drawn. The value is the word used in files."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    FREE_HAND = "free-hand"


@dataclass(frozen=True, slots=True)
class Shape:
    """An area of the image. Made by `rectangle`, `ellipse`, `polygon` and `free_hand`; equal where all corners are.

    `corners`: what the user takes hold of. Of an ellipse it is the frame around it; of all others it is the area itself, with
    its holes.
    """

    kind: ShapeKind
    corners: shapely.Polygon

    def __post_init__(self) -> None:
        if not _is_large_enough(self.corners):
            raise AnnotationError(
                f"a field needs at least {MINIMUM_SIDE:.0f} pixels each way", remedy="draw it larger, or zoom in first"
            )

    @classmethod
    def rectangle(cls, x: float, y: float, width: float, height: float) -> Self:
        """Raises AnnotationError where it is too small. Sides may be negative: drawn towards the upper left."""
        return cls(ShapeKind.RECTANGLE, _box(x, y, x + width, y + height))

    @classmethod
    def of_field(cls, field: FieldOfView) -> Self:
        """A field as a rectangle."""
        return cls.rectangle(field.x, field.y, field.width, field.height)

    @classmethod
    def ellipse(cls, x: float, y: float, width: float, height: float) -> Self:
        """The ellipse within that frame. Raises AnnotationError where it is too small."""
        return cls(ShapeKind.ELLIPSE, _box(x, y, x + width, y + height))

    @classmethod
    def polygon(cls, points: ArrayLike, holes: Sequence[ArrayLike] = (), kind: ShapeKind = ShapeKind.POLYGON) -> Self:
        """A closed polygon; the first point need not stand at the end again.

        points: (n, 2); holes: each (m, 2), within it. Raises AnnotationError where it crosses itself or is too small,
        ValueError for points that are no numbers.
        """
        corners = _polygon(points, holes)
        # Points in a row are too small an area, and only then a line that runs back on itself.
        if not corners.is_valid and corners.convex_hull.area >= MINIMUM_SIDE:
            raise AnnotationError("the outline crosses itself or a hole", remedy=_DRAW_AGAIN)
        return cls(kind, corners)

    @classmethod
    def free_hand(cls, points: ArrayLike, tolerance: float = FREE_HAND_TOLERANCE) -> Self:
        """The area inside a line drawn with the pen, closed from its end to its start and thinned to `tolerance` pixels.

        Small loops, where the pen crossed its own line near the end, fall away. Raises AnnotationError where what would fall
        away is more than a twentieth of the area, or what is left is too small.
        """
        drawn = _polygon(points, ())
        parts = [drawn] if drawn.is_valid else _parts(_untangled(drawn))
        parts.sort(key=lambda part: part.area, reverse=True)
        if sum(part.area for part in parts[1:]) > _STRAY_SHARE * sum(part.area for part in parts):
            raise AnnotationError("the line crosses itself", remedy=_DRAW_AGAIN)
        kept = parts[0] if parts else drawn
        return cls(ShapeKind.FREE_HAND, kept.simplify(tolerance, preserve_topology=True))

    @property
    def geometry(self) -> shapely.Polygon:
        """The area as shapely has it; an ellipse as a polygon of 256 points, 1/10,000 smaller than the true one."""
        if self.kind is not ShapeKind.ELLIPSE:
            return self.corners
        return shapely.Polygon(_ellipse(self.bounds, _ELLIPSE_POINTS))

    @property
    def bounds(self) -> FieldOfView:
        """The upright rectangle around it."""
        x0, y0, x1, y1 = self.corners.bounds
        return FieldOfView(x0, y0, x1 - x0, y1 - y0)

    @property
    def area(self) -> float:
        """Square pixels, without the holes."""
        if self.kind is ShapeKind.ELLIPSE:
            return float(np.pi / 4 * self.bounds.width * self.bounds.height)
        return float(self.corners.area)

    @property
    def rings(self) -> tuple[Points, ...]:
        """The outline and then the holes, each (n, 2) without the closing point; of an ellipse as `geometry` has it."""
        return tuple(_ring(ring) for ring in (self.geometry.exterior, *self.geometry.interiors))

    @property
    def has_vertices(self) -> bool:
        """True where the handles are the corners of a polygon, so that one can be added or taken away."""
        closing = 1 + len(self.corners.interiors)
        return self.kind is ShapeKind.POLYGON and shapely.get_num_coordinates(self.corners) - closing <= MANY_VERTICES

    def contains(self, x: float, y: float) -> bool:
        """True for a point inside or on the outline, and not in a hole."""
        if self.kind is ShapeKind.ELLIPSE:
            frame = self.bounds
            across = (x - frame.x) / frame.width - 0.5
            down = (y - frame.y) / frame.height - 0.5
            return bool(across**2 + down**2 <= 0.25)
        return bool(shapely.intersects_xy(self.corners, x, y))

    def outline(self, points: int | None = None) -> Points:
        """(n, 2) float64: the outer ring to be drawn, not closed. At most `points` of it where that is given.

        A long ring is thinned by distance, not cut: it never leaves the true one by more than a thousandth of its size.
        """
        if self.kind is ShapeKind.ELLIPSE:
            return _ellipse(self.bounds, points or _ELLIPSE_POINTS)
        ring = _ring(self.corners.exterior)
        if points is None or len(ring) <= points:
            return ring
        size = max(self.bounds.width, self.bounds.height)
        thinned = _ring(shapely.simplify(self.corners.exterior, size / 1000, preserve_topology=False))
        if len(thinned) <= points:
            return thinned
        return thinned[np.linspace(0, len(thinned), points, endpoint=False).astype(np.intp)]

    def handles(self) -> Points:
        """(n, 2) float64: what can be dragged. The vertices of a polygon, outline first; else eight places on the frame.

        Those of the frame go clockwise from the upper left corner: corner, middle of the side, corner and so on.
        """
        if self.has_vertices:
            return np.concatenate(self.rings)
        f = self.bounds
        across, down = (f.x, f.x + f.width / 2, f.x + f.width), (f.y, f.y + f.height / 2, f.y + f.height)
        return np.array([(across[column], down[row]) for column, row in _FRAME])

    def moved(self, dx: float, dy: float, within: tuple[int, int] | None = None) -> Self:
        """Moved by so many pixels; not beyond the edges of an image of size `within` (width, height)."""
        if within is not None:
            f = self.bounds
            dx = _clamped(dx, -f.x, within[0] - f.x - f.width)
            dy = _clamped(dy, -f.y, within[1] - f.y - f.height)
        # Rounded first, every corner moves alike: what was valid stays so.
        shift = np.round([dx, dy], DECIMALS)
        return type(self)(self.kind, shapely.transform(self.corners, lambda points: np.round(points + shift, DECIMALS)))

    def reshaped(self, handle: int, to: tuple[float, float], within: tuple[int, int] | None = None) -> Self:
        """With a handle dragged to a place (x, y), which is brought into an image of size `within` first.

        A side never passes the opposite one: it stops at the smallest size. Raises AnnotationError where a dragged vertex
        makes the polygon cross itself, IndexError for a handle that is not there.
        """
        x, y = to
        if within is not None:
            x, y = _clamped(x, 0, within[0]), _clamped(y, 0, within[1])
        if self.has_vertices:
            points = self.handles()
            points[handle] = x, y
            return self._of_handles(points)
        column, row = _FRAME[handle]
        f = self.bounds
        left, width = _dragged(f.x, f.width, column, x)
        top, height = _dragged(f.y, f.height, row, y)
        scale, shift = np.array([width / f.width, height / f.height]), np.array([left, top])
        origin = np.array([f.x, f.y])
        corners = shapely.transform(self.corners, lambda points: np.round((points - origin) * scale + shift, DECIMALS))
        if not corners.is_valid:
            raise AnnotationError("the outline would touch itself", remedy="press it less flat")
        return type(self)(self.kind, corners)

    def with_vertex(self, at: tuple[float, float]) -> Self:
        """A polygon with one more vertex, on the side nearest to a place (x, y). ValueError where `has_vertices` is not."""
        self._needs_vertices()
        place = shapely.Point(at)
        rings = list(self.rings)
        ring = min(range(len(rings)), key=lambda i: float(shapely.LinearRing(rings[i]).distance(place)))
        points = rings[ring]
        sides = shapely.linestrings(np.stack([points, np.roll(points, -1, axis=0)], axis=1))
        after = int(np.argmin(shapely.distance(sides, place)))
        rings[ring] = np.insert(points, after + 1, at, axis=0)
        return type(self).polygon(rings[0], rings[1:])

    def without_vertex(self, handle: int) -> Self:
        """A polygon without one of its vertices; a hole of three goes with it. AnnotationError where too little is left."""
        self._needs_vertices()
        rings, first = [], 0
        for index, ring in enumerate(self.rings):
            here = handle - first
            first += len(ring)
            kept = np.delete(ring, here, axis=0) if 0 <= here < len(ring) else ring
            if len(kept) >= 3:
                rings.append(kept)
            elif index == 0:
                raise AnnotationError("a polygon needs three corners", remedy="delete the field instead")
        return type(self).polygon(rings[0], rings[1:])

    def clipped(self, size: tuple[int, int]) -> tuple[Self, ...]:
        """What of it lies in an image of `size` (width, height): itself, one or several parts, or nothing.

        A rectangle stays one; of an ellipse that is cut a polygon is left. Parts below the smallest size are left out.
        """
        width, height = size
        f = self.bounds
        if f.x >= 0 and f.y >= 0 and f.x + f.width <= width and f.y + f.height <= height:
            return (self,)
        if self.kind is ShapeKind.RECTANGLE:
            x0, y0, x1, y1 = max(f.x, 0), max(f.y, 0), min(f.x + f.width, width), min(f.y + f.height, height)
            return (type(self).rectangle(x0, y0, x1 - x0, y1 - y0),) if min(x1 - x0, y1 - y0) >= MINIMUM_SIDE else ()
        inside = shapely.intersection(self.geometry, shapely.box(0, 0, width, height))
        kind = ShapeKind.FREE_HAND if self.kind is ShapeKind.ELLIPSE else self.kind
        return tuple(type(self)(kind, part) for part in _parts(inside) if _is_large_enough(part))

    def _of_handles(self, points: Points) -> Self:
        sizes = [len(ring) for ring in self.rings]
        rings = np.split(points, np.cumsum(sizes)[:-1])
        return type(self).polygon(rings[0], rings[1:])

    def _needs_vertices(self) -> None:
        if not self.has_vertices:
            raise ValueError(f"a {self.kind} has no vertices to change")


def mended(
    points: ArrayLike, holes: Sequence[ArrayLike] = (), kind: ShapeKind = ShapeKind.POLYGON
) -> tuple[tuple[Shape, ...], bool]:
    """The areas that a polygon encloses, one shape each, and whether it had to be mended because it crosses itself.

    Every area once enclosed is kept and holes are cut out (GEOS's MakeValid, 'structure'); those below the smallest size are
    left out. Raises AnnotationError for a tangle of more crossings than a person draws.
    """
    outline = _rounded(points)
    if len(outline) < 3 or np.ptp(outline, axis=0).min() < MINIMUM_SIDE - 1e-6:
        return (), False
    drawn = _polygon(points, holes)
    is_valid = bool(drawn.is_valid)
    parts = [drawn] if is_valid else _parts(_untangled(drawn))
    return tuple(Shape(kind, part) for part in parts if _is_large_enough(part)), not is_valid


# Column and row (0, 1, 2) of the eight handles on a frame, clockwise.
_FRAME: Final = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def _box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    left, right = sorted((x0, x1))
    top, bottom = sorted((y0, y1))
    return _polygon([(left, top), (right, top), (right, bottom), (left, bottom)], ())


def _polygon(points: ArrayLike, holes: Sequence[ArrayLike]) -> shapely.Polygon:
    """Rounded, without points that repeat the one before; not yet known to be valid."""
    rings = [_rounded(ring) for ring in (points, *holes)]
    if len(rings[0]) < 3:
        raise AnnotationError("an outline needs three different points", remedy="draw it larger, or zoom in first")
    return shapely.Polygon(rings[0], [ring for ring in rings[1:] if len(ring) >= 3])


def _rounded(points: ArrayLike) -> Points:
    # Adding zero turns -0.0 into 0.0, which a file would tell apart.
    ring = np.asarray(np.round(np.asarray(points, np.float64), DECIMALS) + 0.0, np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2 or not np.isfinite(ring).all():
        raise ValueError(f"expected (n, 2) finite numbers, got {ring.shape}")
    different: NDArray[np.bool_] = np.any(ring != np.roll(ring, -1, axis=0), axis=1)
    return ring[different]


def _ring(ring: shapely.LinearRing) -> Points:
    points: Points = shapely.get_coordinates(ring)[:-1]
    return points


def _ellipse(frame: FieldOfView, points: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centre = np.array([frame.x + frame.width / 2, frame.y + frame.height / 2])
    ring: Points = centre + unit * np.array([frame.width / 2, frame.height / 2])
    return ring


def _untangled(drawn: shapely.Polygon) -> shapely.Geometry:
    """Raises AnnotationError where there are too many crossings: the work grows faster than their number."""
    count = 0
    lines = [line for ring in (drawn.exterior, *drawn.interiors) for line in _sides(ring)]
    if len(lines) <= _MENDABLE_POINTS:
        tree = shapely.STRtree(lines)
        step = max(1, 2_000_000 // len(lines))
        for first in range(0, len(lines), step):
            count += tree.query(lines[first : first + step], predicate="crosses").shape[1]
            if count > 2 * _MENDABLE_CROSSINGS:  # each is seen from both sides
                break
        else:
            return shapely.make_valid(drawn, method="structure", keep_collapsed=False)
    raise AnnotationError("the outline crosses itself too often to be mended", remedy=_DRAW_AGAIN)


def _sides(ring: shapely.LinearRing) -> NDArray[np.object_]:
    points = shapely.get_coordinates(ring)
    sides: NDArray[np.object_] = shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1))
    return sides


def _parts(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons of a computed geometry, its corners rounded, in reading order of their upper left."""
    rounded = shapely.transform(geometry, lambda points: np.round(points, DECIMALS) + 0.0)
    if not rounded.is_valid:  # two corners fell onto one place: cut apart there by GEOS
        snapped = shapely.set_precision(geometry, 10**-DECIMALS)
        rounded = shapely.transform(snapped, lambda points: np.round(points, DECIMALS) + 0.0)
    parts = [part for part in shapely.get_parts(rounded) if isinstance(part, shapely.Polygon) and not part.is_empty]
    return sorted(parts, key=lambda part: (part.bounds[1], part.bounds[0]))


def _is_large_enough(part: shapely.Polygon) -> bool:
    if part.is_empty:
        return False
    x0, y0, x1, y1 = part.bounds
    return bool(min(x1 - x0, y1 - y0) >= MINIMUM_SIDE - 1e-6 and part.area >= MINIMUM_SIDE)


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))


def _dragged(start: float, length: float, place: int, to: float) -> tuple[float, float]:
    """New start and length of a side whose beginning (0), middle (1, not moved) or end (2) is dragged to `to`."""
    end = start + length
    if place == 0:
        start = min(to, end - MINIMUM_SIDE)
    elif place == 2:
        end = max(to, start + MINIMUM_SIDE)
    return start, end - start

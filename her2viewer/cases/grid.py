"""Where fields lie: a grid of them over a region, or one at a place."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import FieldOfView

MOST_CELLS: Final = 20_000
"""Half an hour of a CPU at 90 ms a field; a section of 15 x 20 mm has 1,350 fields of 471 micrometres."""
FALLBACK_SIDE_PX: Final = 1024
"""BCI's fields, and what its images are cut to. Used where nobody knows how large a pixel is."""

_ROUGH_POINTS: Final = 2_000
"""The share of a cell is told to 1%; a longer outline is thinned for it."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """One field of a grid. `row` and `column` count from the upper left of the grid; `share`: how much of it is region."""

    field: FieldOfView
    row: int
    column: int
    share: float


def side_px(um_per_px: float | None, field_um: float) -> int:
    """How many level-0 pixels make the side of a field of `field_um` micrometres; 1,024 where the scale is not known."""
    if um_per_px is None:
        return FALLBACK_SIDE_PX
    return max(1, round(field_um / um_per_px))


def side_words(um_per_px: float | None, field_um: float) -> str:
    """What a field measures, for the user; and that it is a guess where the scale is not known."""
    if um_per_px is None:
        return (
            f"The image does not say how large a pixel is, so fields are {FALLBACK_SIDE_PX:,} pixels wide, as the model's would "
            f"be at {field_um / FALLBACK_SIDE_PX:.2f} µm a pixel: type the scale if you know it."
        )
    return f"Fields are {side_px(um_per_px, field_um):,} pixels wide, {field_um:.0f} µm of tissue, as the model was trained."


def field_at(x: float, y: float, side: float, image_size: tuple[int, int]) -> FieldOfView:
    """The field around a place, moved where it would leave the image and as large as that allows; whole pixels.

    image_size: (width, height).
    """
    width, height = (min(max(1, round(side)), length) for length in image_size)
    left = min(max(round(x - width / 2), 0), image_size[0] - width)
    top = min(max(round(y - height / 2), 0), image_size[1] - height)
    return FieldOfView(float(left), float(top), float(width), float(height))


def grid_over(
    shape: Shape, image_size: tuple[int, int], side: float, step: float | None = None, *, most: int = MOST_CELLS
) -> tuple[GridCell, ...]:
    """The fields of a grid whose centre lies in the region, in reading order, on whole pixels and inside the image.

    shape, side, step: level-0 pixels; image_size: (width, height); step: from a field to the next, `side` unless given
    (less and they overlap, more and there are gaps). The grid covers the region and has its centre, but is moved or loses a
    row where it would leave the image. A region too thin to hold a centre gets one field, about a point inside it. Raises
    AnnotationError where there would be more than `most` or the region lies outside the image, ValueError for a side or
    step below a pixel.
    """
    step = side if step is None else step
    if not (side >= 1 and step >= 1):
        raise ValueError(f"side and step must be at least a pixel, got {side} and {step}")
    region = shapely.intersection(shape.geometry, shapely.box(0, 0, *image_size))
    if region.area == 0:
        raise AnnotationError("the region lies outside the image", remedy="draw it on the tissue")
    x0, y0, x1, y1 = region.bounds
    width, height = (min(round(side), length) for length in image_size)
    across = _starts(x0, x1, width, step, image_size[0])
    down = _starts(y0, y1, height, step, image_size[1])
    # The outline takes away from the frame; twenty times as many candidates cannot be a region drawn with sense.
    if len(across) * len(down) > 20 * most:
        raise _too_many(len(across) * len(down), most)
    row, column = (index.ravel() for index in np.indices((len(down), len(across))))
    left, top = across[column], down[row]
    shapely.prepare(region)
    inside = shapely.intersects_xy(region, left + width / 2, top + height / 2)
    row, column, left, top = row[inside], column[inside], left[inside], top[inside]
    if len(left) > most:
        raise _too_many(len(left), most)
    if not len(left):
        place = shapely.point_on_surface(region)
        field = field_at(place.x, place.y, side, image_size)
        return (
            GridCell(field, 0, 0, float(_shares(region, np.array([field.x]), np.array([field.y]), width, height)[0])),
        )
    shares = _shares(region, left, top, width, height)
    return tuple(
        GridCell(FieldOfView(float(x), float(y), float(width), float(height)), int(r), int(c), float(share))
        for x, y, r, c, share in zip(left, top, row - row.min(), column - column.min(), shares, strict=True)
    )


def _starts(first: float, last: float, side: int, step: float, length: int) -> NDArray[np.float64]:
    """Where the fields of a row begin: they cover `[first, last)` and lie within `[0, length)`."""
    # A hundredth of a step is the pen's, not a field's.
    count = max(1, math.ceil((last - first - side) / step - 0.01) + 1)
    count = min(count, math.floor((length - side) / step + 1e-9) + 1)
    extent = side + (count - 1) * step
    start = min(max((first + last - extent) / 2, 0), length - extent)
    return np.clip(np.round(start + step * np.arange(count)), 0, length - side)


def _shares(
    region: shapely.Geometry, left: NDArray[np.float64], top: NDArray[np.float64], width: int, height: int
) -> NDArray[np.float64]:
    """(n,) 0..1: how much of each cell is region. Only those on its edge are cut."""
    if shapely.get_num_coordinates(region) > _ROUGH_POINTS:
        region = shapely.simplify(region, min(width, height) / 200, preserve_topology=True)
    shapely.prepare(region)
    cells = shapely.box(left, top, left + width, top + height)
    shares = np.ones(len(cells))
    edge = ~shapely.contains(region, cells)
    shares[edge] = shapely.area(shapely.intersection(region, cells[edge])) / (width * height)
    return np.minimum(shares, 1)


def _too_many(count: int, most: int) -> AnnotationError:
    return AnnotationError(
        f"the region holds {count:,} fields, and at most {most:,} are scored in one go",
        remedy="draw a smaller region or set the fields further apart",
    )

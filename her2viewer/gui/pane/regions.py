"""Which part of which pyramid level is worth reading for a viewpoint. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from her2viewer.gui.pane.viewpoint import Viewpoint
from her2viewer.imaging.source import ImageSource, Level, RGBImage
from her2viewer.scoring.prediction import FieldOfView

WHOLE_LEVEL_PIXELS: Final = 2048 * 2048
"""A level up to this size is read whole, so that panning reads nothing."""

OVERVIEW_SIDE: Final = 1024
"""The overview is the smallest level whose longer side is at least this."""

GRID: Final = 256
"""Regions begin and end on this grid of the level's pixels, so that a small pan asks for the same region."""

MARGIN: Final = 0.25
"""How much of the viewport is read beyond each of its edges."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of pixels of one level."""

    level: int
    x: int
    y: int
    width: int
    height: int

    def field(self, levels: Sequence[Level], size: tuple[int, int]) -> FieldOfView:
        """The level-0 rectangle that the region covers. A level spans the whole image, whatever its rounding."""
        level = levels[self.level]
        across, down = size[0] / level.width, size[1] / level.height
        return FieldOfView(self.x * across, self.y * down, self.width * across, self.height * down)


def whole(levels: Sequence[Level], level: int) -> Region:
    """All of a level."""
    return Region(level, 0, 0, levels[level].width, levels[level].height)


def overview_region(levels: Sequence[Level]) -> Region:
    """The level that is held for as long as an image is open."""
    enough = [i for i, level in enumerate(levels) if max(level.width, level.height) >= OVERVIEW_SIDE]
    return whole(levels, enough[-1] if enough else 0)


def level_for(levels: Sequence[Level], px: float) -> int:
    """The coarsest level that is no coarser than the screen: shrinking by less than two is left to the painter."""
    fine_enough = [i for i, level in enumerate(levels) if level.downsample <= max(px, 1.0) * 1.001]
    return fine_enough[-1] if fine_enough else 0


def wanted_region(
    levels: Sequence[Level], size: tuple[int, int], viewpoint: Viewpoint, viewport: tuple[float, float]
) -> Region | None:
    """What should be read to show a viewport (device pixels) as sharp as it gets; None where it shows nothing."""
    index = level_for(levels, viewpoint.px)
    level = levels[index]
    if level.width * level.height <= WHOLE_LEVEL_PIXELS:
        return whole(levels, index)
    seen = viewpoint.visible(viewport)
    across, down = level.width / size[0], level.height / size[1]
    left, right = _span(seen.x * across, seen.width * across, level.width)
    top, bottom = _span(seen.y * down, seen.height * down, level.height)
    if right <= left or bottom <= top:
        return None
    return Region(index, left, top, right - left, bottom - top)


def suffices(
    region: Region,
    levels: Sequence[Level],
    size: tuple[int, int],
    viewpoint: Viewpoint,
    viewport: tuple[float, float],
) -> bool:
    """Whether a region holds all that a viewport shows, at the level that is right for it, but for half a pixel."""
    if region.level != level_for(levels, viewpoint.px):
        return False
    held, seen = region.field(levels, size), viewpoint.visible(viewport)
    slack = levels[region.level].downsample / 2
    return (
        held.x <= max(seen.x, 0) + slack
        and held.y <= max(seen.y, 0) + slack
        and held.x + held.width >= min(seen.x + seen.width, size[0]) - slack
        and held.y + held.height >= min(seen.y + seen.height, size[1]) - slack
    )


def _span(start: float, length: float, end: int) -> tuple[int, int]:
    """The part of an axis to read: with a margin, on the grid, inside the level."""
    first = int((start - length * MARGIN) // GRID) * GRID
    last = -int(-(start + length * (1 + MARGIN)) // GRID) * GRID
    return max(first, 0), min(last, end)


def read_region(source: ImageSource, region: Region) -> RGBImage:
    """The pixels of a region, (height, width, 3) uint8."""
    return source.read(region.level, region.x, region.y, region.width, region.height)

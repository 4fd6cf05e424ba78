"""Any rectangle of an image at any size, turned and mirrored too: shrunk by averaging areas, so that nothing aliases."""

from typing import Final

import cv2
import numpy as np

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.source import ImageSource, RGBImage

_MARGIN: Final = 2
"""Pixels read around what is shown, for the interpolation at its edge."""
_WHITE: Final = (255, 255, 255)


def read_through(
    source: ImageSource, frame: Affine, rectangle: tuple[float, float, float, float], size: tuple[int, int]
) -> RGBImage:
    """(height, width, 3) uint8 sRGB of a rectangle in the plane that `frame` leads to; outside the image is white.

    frame: from level-0 px to that plane; rectangle: (x, y, width, height) there; size: (width, height) of the result. Reads
    the coarsest level that is no coarser than the result.
    """
    to_source = _raster(rectangle, size).then(frame.inverse())  # from px of the result to level-0 px
    fine = [i for i, level in enumerate(source.levels) if level.downsample <= to_source.scale * 1.001]
    index = fine[-1] if fine else 0
    downsample = source.levels[index].downsample
    to_level = to_source.then(Affine.stretch(1 / downsample, 0, 1 / downsample, 0))
    if to_level == Affine(tx=round(to_level.tx), ty=round(to_level.ty)):
        return source.read(index, round(to_level.tx), round(to_level.ty), *size)
    corners = to_level.points([(0, 0), (size[0], 0), size, (0, size[1])])
    left, top = (int(value) for value in np.floor(corners.min(axis=0) + 1e-6) - _MARGIN)
    right, bottom = (int(value) for value in np.ceil(corners.max(axis=0) - 1e-6) + _MARGIN)
    # Only the part on the image is read: a rectangle may lie far outside.
    level = source.levels[index]
    left, top = max(left, -_MARGIN), max(top, -_MARGIN)
    right, bottom = min(right, level.width + _MARGIN), min(bottom, level.height + _MARGIN)
    if left >= right or top >= bottom:
        return np.full((size[1], size[0], 3), 255, np.uint8)
    picture = source.read(index, left, top, right - left, bottom - top)
    step = max(to_level.scale, 1.0)
    shrunk = max(1, round((right - left) / step)), max(1, round((bottom - top) / step))
    if shrunk != (right - left, bottom - top):
        picture = np.asarray(cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    to_picture = to_level.shifted(-left, -top).then(Affine.between((right - left, bottom - top), shrunk))
    warped = cv2.warpAffine(
        picture,
        to_picture.indices,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_WHITE,
    )
    return np.asarray(warped, np.uint8)


def covered(source: ImageSource, frame: Affine, rectangle: tuple[float, float, float, float]) -> float:
    """The share of a rectangle, as in `read_through`, that lies on the image."""
    x, y, width, height = rectangle
    image = frame.points([(0, 0), (source.size[0], 0), source.size, (0, source.size[1])])
    wanted = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    # About the rectangle's middle: OpenCV's polygons are float32.
    middle = wanted.mean(axis=0)
    area, _ = cv2.intersectConvexConvex(
        np.asarray(image - middle, np.float32), np.asarray(wanted - middle, np.float32), handleNested=True
    )
    return min(float(area) / (width * height), 1.0)


def _raster(rectangle: tuple[float, float, float, float], size: tuple[int, int]) -> Affine:
    """From px of a raster to the rectangle that it spans."""
    x, y, width, height = rectangle
    return Affine.stretch(width / size[0], x, height / size[1], y)

"""A small picture of a source, for lists and overviews."""

import cv2
import numpy as np

from her2viewer.imaging.source import ImageSource, RGBImage


def thumbnail(source: ImageSource, max_px: int) -> RGBImage:
    """The whole image with its longer side at most `max_px`, never enlarged: (h, w, 3) uint8 sRGB, the caller's own.

    Reads the smallest level that is still large enough, whole. Raises ValueError for `max_px` below 1.
    """
    if max_px < 1:
        raise ValueError(f"max_px must be at least 1, got {max_px}")
    enough = [i for i, level in enumerate(source.levels) if max(level.width, level.height) >= max_px]
    index = enough[-1] if enough else 0
    level = source.levels[index]
    return shrunk(source.read(index, 0, 0, level.width, level.height), max_px)


def shrunk(image: RGBImage, max_px: int) -> RGBImage:
    """A picture with its longer side at most `max_px`, never enlarged: (h, w, 3) uint8; itself where it is small enough."""
    height, width = image.shape[:2]
    scale = max_px / max(width, height)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)

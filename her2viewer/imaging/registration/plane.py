"""What of an image is compared: where its haematoxylin lies and where its tissue is, both stains alike, on bounded pixels."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import Affine, Points
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.imaging.thumbnail import thumbnail

OVERVIEW_SIDE: Final = 1024
"""Longer side of the overview that is compared, px: a slide costs what a field does."""

Features = NDArray[np.float32]
"""(2, h, w) float32: haematoxylin and tissue, band-passed, of about unit spread each."""

Dyes = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Optical density in R, G, B of haematoxylin and of the dye beside it."""

# Ruifrok and Johnston 2001.
HAEMATOXYLIN_EOSIN: Final[Dyes] = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11))
HAEMATOXYLIN_DAB: Final[Dyes] = ((0.65, 0.70, 0.29), (0.27, 0.57, 0.78))

_FINEST, _COARSEST = 1.2, 10.0
"""Gaussian sigmas of the band that is compared, px: below lies noise, above what the two stains do not share."""
_FAINT: Final = 0.02
"""Optical density added to the median before it scales the tissue: a field that is nearly all glass does not become noise."""


@dataclass(frozen=True, eq=False, slots=True)
class Densities:
    """Optical densities of an image: its haematoxylin's and the mean of R, G and B, both (h, w) float32 and not negative."""

    haematoxylin: NDArray[np.float32]
    total: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Plane:
    """An overview to compare. scanned: (h, w) uint8, 1 where there is picture, 0 where the scanner or a program filled in.

    to_source: from px of the overview to level-0 px; dyes, white: what the densities were taken with.
    """

    densities: Densities
    scanned: NDArray[np.uint8]
    to_source: Affine
    dyes: Dyes
    white: tuple[float, float, float]

    @property
    def side(self) -> int:
        """The longer side, px."""
        return int(max(self.scanned.shape))

    @property
    def corners(self) -> Points:
        """(4, 2): the picture's corners, level-0 px."""
        height, width = self.scanned.shape
        return self.to_source.points([(0, 0), (width, 0), (width, height), (0, height)])

    def to_level(self, side: int) -> Affine:
        """From level-0 px to px of the overview shrunk to a longer side."""
        height, width = self.scanned.shape
        shrunk = Affine.between((width, height), _size(width, height, side))
        return self.to_source.inverse().then(shrunk)

    def features(self, side: int, finest: float = _FINEST, coarsest: float = _COARSEST) -> Features:
        """The overview shrunk to a longer side, as it is compared; finest, coarsest: the band's sigmas, px."""
        parts = (self._shrunk(part, side) for part in (self.densities.haematoxylin, self.densities.total))
        return _band(self._evened(Densities(*parts)), self.scanned_at(side) > 0, finest, coarsest)

    def features_of(self, picture: RGBImage) -> Features:
        """A part of the image at any resolution, as it is compared. picture: (h, w, 3) uint8 RGB."""
        parts = densities(picture, self.dyes, self.white)
        return _band(self._evened(parts), np.ones(parts.total.shape, np.bool_), _FINEST, _COARSEST)

    def _evened(self, parts: Densities) -> Features:
        """Square root and tanh bring strong and faint stains of one tissue close to each other."""
        usual = float(np.median(self.densities.total)) + _FAINT
        return np.stack([np.sqrt(parts.haematoxylin), np.tanh(parts.total / usual)])

    def scanned_at(self, side: int) -> NDArray[np.float32]:
        """(h, w) float32, 1 where all of a shrunken pixel is picture, else 0."""
        return (self._shrunk(self.scanned.astype(np.float32), side) > 0.99).astype(np.float32)

    def without_blank(self) -> "Plane":
        """The same, taking what was filled in for picture: flat white may be clean glass, and its outline tells a lot."""
        return replace(self, scanned=np.ones_like(self.scanned))

    def _shrunk(self, part: NDArray[np.float32], side: int) -> NDArray[np.float32]:
        height, width = part.shape
        return np.asarray(cv2.resize(part, _size(width, height, side), interpolation=cv2.INTER_AREA), np.float32)


def plane_of(source: ImageSource, dyes: Dyes) -> Plane:
    """The overview of an image in a stain."""
    picture = thumbnail(source, OVERVIEW_SIDE)
    height, width = picture.shape[:2]
    white = background(picture)
    to_source = Affine.between((width, height), source.size)
    return Plane(densities(picture, dyes, white), _scanned(picture), to_source, dyes, white)


def background(picture: RGBImage) -> tuple[float, float, float]:
    """The 98th percentile of each channel, RGB."""
    r, g, b = np.percentile(picture[::4, ::4].reshape(-1, 3), 98, axis=0).tolist()
    return r, g, b


def densities(picture: RGBImage, dyes: Dyes, white: tuple[float, float, float]) -> Densities:
    """(h, w, 3) uint8 RGB -> densities against a background."""
    level = np.arange(256)[:, None]
    table = np.maximum(np.log10((np.array(white) + 1) / (level + 1)), 0).astype(np.float32)
    density = cv2.LUT(picture, table[:, None, :])
    first, second = (np.array(dye) / np.linalg.norm(dye) for dye in dyes)
    third = np.cross(first, second)
    amounts = np.linalg.inv(np.stack([first, second, third / np.linalg.norm(third)]))
    weights = np.vstack([amounts[:, 0], np.full(3, 1 / 3)]).astype(np.float32)
    both = np.maximum(cv2.transform(density, weights), 0)
    return Densities(np.ascontiguousarray(both[..., 0]), np.ascontiguousarray(both[..., 1]))


def _size(width: int, height: int, side: int) -> tuple[int, int]:
    factor = side / max(width, height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _band(parts: Features, seen: NDArray[np.bool_], finest: float, coarsest: float) -> Features:
    """Each part between two blurs that take nothing from where nothing was seen; 0 there."""
    weight = seen.astype(np.float32)

    def blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)

    bands = np.zeros_like(parts)
    for sigma, sign in ((finest, 1), (coarsest, -1)):
        below = 1.0 if seen.all() else np.maximum(blurred(weight, sigma), 1e-3)
        for band, part in zip(bands, parts, strict=True):
            band += sign * blurred(part * weight, sigma) / below
    bands *= weight
    for band in bands:
        band /= (float(band[seen].std()) if seen.any() else 0.0) + 1e-6
    return bands


def _scanned(picture: RGBImage) -> NDArray[np.uint8]:
    """(h, w) uint8: 0 in areas without a single step of noise, which no camera saw, else 1."""
    kernel = np.ones((3, 3), np.uint8)
    flat = (cv2.dilate(picture, kernel) == cv2.erode(picture, kernel)).all(axis=2).astype(np.uint8)
    area = max(5, max(picture.shape) // 40) | 1
    # Three by three px see flatness one px away from the edge of it: the closing brings that px back.
    filled = cv2.morphologyEx(flat, cv2.MORPH_OPEN, np.ones((area, area), np.uint8))
    return np.asarray(1 - cv2.dilate(filled, np.ones((5, 5), np.uint8)), np.uint8)

"""What the checks look at of an image: small pictures of the whole field, made once, and a piece of its own pixels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.scoring.preprocess import shrunk

SIDE: Final = 256
"""Pixels across the finer picture: about what a network of this kind sees of a field."""
COARSE: Final = 128
"""Pixels across the coarser one, on which colours are told."""
TISSUE_DENSITY: Final = 0.15
"""Optical density summed over R, G and B above the background, from where a pixel counts as tissue."""
DENSE: Final = 0.3
"""From where its colour can be told."""
_PIECE: Final = 512
_BANDS: Final = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """An image, (h, w, 3) uint8 RGB, as the checks see it. Each part is made when a check first asks for it."""

    image: NDArray[np.uint8]

    @property
    def fine(self) -> NDArray[np.uint8]:
        """(SIDE, SIDE, 3) uint8: the whole field, areas averaged."""
        # Kept without cached_property's lock, which all samples share: two threads make those of two images at the same time.
        made: NDArray[np.uint8] | None = self.__dict__.get("_fine")
        if made is None:
            made = self.__dict__["_fine"] = shrunk(self.image, SIDE, SIDE)
        return made

    @cached_property
    def coarse(self) -> NDArray[np.uint8]:
        """(COARSE, COARSE, 3) uint8: the whole field, areas averaged."""
        return np.asarray(cv2.resize(self.fine, (COARSE, COARSE), interpolation=cv2.INTER_AREA), np.uint8)

    @cached_property
    def white(self) -> NDArray[np.float64]:
        """(3,): the 98th percentile of each channel. The slide's tint and the scanner's white do not count above it."""
        pixels = self.coarse.reshape(-1, 3)
        place = int(0.98 * (len(pixels) - 1))
        counts = (np.bincount(pixels[:, channel], minlength=256).cumsum() for channel in range(3))
        return np.array([np.searchsorted(count, place + 1) for count in counts], np.float64)

    @cached_property
    def density(self) -> NDArray[np.float32]:
        """(COARSE, COARSE, 3) float32: optical density against the picture's own background, which may be negative."""
        level = np.arange(256)[:, None]
        table = np.log10((self.white + 1) / (level + 1)).astype(np.float32)
        return np.asarray(cv2.LUT(self.coarse, table[:, None, :]), np.float32)

    @cached_property
    def total(self) -> NDArray[np.float32]:
        """(COARSE, COARSE) float32: the density summed over R, G and B."""
        return np.asarray(cv2.transform(self.density, np.ones((1, 3), np.float32)), np.float32).reshape(COARSE, COARSE)

    @cached_property
    def tissue(self) -> NDArray[np.bool_]:
        """(COARSE, COARSE) bool: where light is taken away."""
        return self.total > TISSUE_DENSITY

    @cached_property
    def tissue_share(self) -> float:
        return float(self.tissue.mean())

    @cached_property
    def considered(self) -> NDArray[np.float32]:
        """(3, n) densities of the tissue; a faint image has nearly none above its threshold: its darkest tenth speaks for it."""
        tissue = self.tissue if np.count_nonzero(self.tissue) >= 20 else self.total >= np.percentile(self.total, 90)
        return np.stack([channel[tissue] for channel in cv2.split(self.density)])

    @cached_property
    def bands(self) -> NDArray[np.float64]:
        """(5,) power of the grey density in octaves, finest first: details of 1/128, 1/64, ... 1/8 of the field's side.

        A Laplacian pyramid (Burt and Adelson 1983) of the finer picture.
        """
        picture, powers = self._grey(self.fine), []
        for _ in range(_BANDS):
            coarser = _halved(picture)
            powers.append(_power_between(picture, coarser))
            picture = coarser
        return np.array(powers)

    @cached_property
    def fine_bands(self) -> tuple[float, float]:
        """As `bands`, of 1/512 and 1/256 of the field's side, in its middle half."""
        height, width = self.image.shape[:2]
        middle = self.image[height // 4 : height - height // 4, width // 4 : width - width // 4]
        first = self._grey(shrunk(middle, 2 * SIDE, 2 * SIDE))
        second = _halved(first)
        return _power_between(first, second), _power_between(second, _halved(second))

    def _grey(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(h, w, 3) uint8 -> (h, w): the density of its grey against this picture's background."""
        table = np.log10((float(self.white.mean()) + 1) / (np.arange(256) + 1)).astype(np.float32)
        return np.asarray(cv2.LUT(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), table.reshape(256, 1)), np.float32)

    @cached_property
    def piece(self) -> NDArray[np.uint8]:
        """(h, w) uint8: grey of the image's own pixels in its middle, at most 512 a side."""
        height, width = self.image.shape[:2]
        top, left = max((height - _PIECE) // 2, 0), max((width - _PIECE) // 2, 0)
        middle = self.image[top : top + _PIECE, left : left + _PIECE]
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(middle), cv2.COLOR_RGB2GRAY), np.uint8)

    @cached_property
    def points(self) -> NDArray[np.uint8]:
        """(3, n) uint8, R, G and B of single pixels of the image, about COARSE by COARSE of them, none averaged."""
        height, width = self.image.shape[:2]
        return np.ascontiguousarray(
            self.image[:: max(height // COARSE, 1), :: max(width // COARSE, 1)].reshape(-1, 3).T
        )


def _halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.pyrDown(picture), np.float32)


def _power_between(picture: NDArray[np.float32], coarser: NDArray[np.float32]) -> float:
    """Of the band that a picture has beyond the next coarser one of its pyramid, per pixel."""
    grown = cv2.pyrUp(coarser, dstsize=(picture.shape[1], picture.shape[0]))
    return float(cv2.norm(picture, grown, cv2.NORM_L2SQR)) / picture.size

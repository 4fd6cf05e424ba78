"""Which stain view is wished for, by which vectors, and what that makes of the pixels. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from types import MappingProxyType

import cv2
import numpy as np

from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.imaging.source import ImageSource, RGBImage
from her2viewer.imaging.stain_estimation import estimate_vectors, usual_vectors, white_of
from her2viewer.imaging.stain_vectors import Dyes, StainVectors, ruifrok_johnston, typed_vectors
from her2viewer.imaging.stain_views import StainView, caption, limits, picture_in, view_name
from her2viewer.scoring.stains import Stain

_CELLS_UM = 0.5
_CELLS_DOWNSAMPLE = 2.0
_SAMPLE_SIDE = 1024
"""Vectors are estimated from pixels of about half a micrometre (or of half the image's resolution), this many each way."""


class VectorKind(StrEnum):
    """How stain vectors are found. The value is the word in the settings."""

    USUAL = "usual"
    RUIFROK_JOHNSTON = "ruifrok-johnston"
    MACENKO = "macenko"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class VectorWish:
    """How a stain's vectors are found; `first` and `second` are those that were typed, as text."""

    kind: VectorKind = VectorKind.USUAL
    first: str = ""
    second: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class FoundVectors:
    """The vectors of one image, for the wish they were found for."""

    source: ImageSource
    wish: VectorWish
    vectors: StainVectors


def _usual() -> Mapping[Stain, VectorWish]:
    return MappingProxyType({stain: VectorWish() for stain in Stain})


@dataclass(frozen=True, eq=False, slots=True)
class StainViewing:
    """The stain view of both panes, how the vectors are to be found, and those that have been."""

    view: StainView = StainView.ORIGINAL
    wishes: Mapping[Stain, VectorWish] = field(default_factory=_usual)
    found: Mapping[Stain, FoundVectors] = field(default_factory=lambda: MappingProxyType({}))

    def with_wish(self, stain: Stain, wish: VectorWish) -> "StainViewing":
        return replace(self, wishes=MappingProxyType({**self.wishes, stain: wish}))

    def with_found(self, stain: Stain, found: FoundVectors) -> "StainViewing":
        return replace(self, found=MappingProxyType({**self.found, stain: found}))

    def vectors(self, stain: Stain, source: ImageSource) -> StainVectors | None:
        """The vectors of an image by the wish of now; None while they are being found."""
        found = self.found.get(stain)
        return found.vectors if found and found.source is source and found.wish == self.wishes[stain] else None

    def colouring(self, stain: Stain, source: ImageSource) -> Colouring:
        """What a stain's pane makes of its pixels. The same wish gives one of the same name."""
        vectors = self.vectors(stain, source)
        if self.view.component is None or vectors is None:
            return ORIGINAL
        words = f"{view_name(self.view, vectors.dyes)} (not quantitative)"
        more = "\n".join(
            text for text in (caption(self.view, vectors), vectors.note, limits(self.view, vectors.dyes)) if text
        )
        return Colouring((self.view, vectors), partial(_separated, self.view, vectors), words, more)


def _separated(view: StainView, vectors: StainVectors, image: RGBImage) -> RGBImage:
    return picture_in(view, image, vectors)


def find_vectors(wish: VectorWish, dyes: Dyes, source: ImageSource, overview: RGBImage) -> StainVectors:
    """The vectors of an image by a wish. Reads part of it where they are estimated.

    Raises StainVectorError for typed ones that are no vectors, ImageError where the image cannot be read.
    """
    white = white_of(overview)
    match wish.kind:
        case VectorKind.RUIFROK_JOHNSTON:
            return ruifrok_johnston(dyes, white)
        case VectorKind.TYPED:
            return typed_vectors(dyes, wish.first, wish.second, white)
        case VectorKind.MACENKO:
            return estimate_vectors(stained_part(source, overview), dyes, white)
        case VectorKind.USUAL:
            return usual_vectors(stained_part(source, overview), dyes, white)


def stained_part(source: ImageSource, overview: RGBImage) -> RGBImage:
    """Where an image has most stain, at the resolution of cells; all of it where it is no larger than that.

    (h, w, 3) uint8, at most 1024 each way. An overview of a slide would mix the dyes in each pixel. Raises ImageError.
    """
    coarsest = _CELLS_UM / source.mpp.um if source.mpp is not None else _CELLS_DOWNSAMPLE
    index = max(i for i, level in enumerate(source.levels) if level.downsample <= max(coarsest, 1.0) * 1.05)
    level = source.levels[index]
    width, height = min(_SAMPLE_SIDE, level.width), min(_SAMPLE_SIDE, level.height)
    across, down = overview.shape[1] / level.width, overview.shape[0] / level.height
    grey = overview.mean(axis=2, dtype=np.float32)
    # What is nearly black is ink or a fold.
    absorbed = np.where(grey > 40, 255 - grey, 0)
    amount = cv2.blur(
        absorbed, (max(round(width * across), 1), max(round(height * down), 1)), borderType=cv2.BORDER_CONSTANT
    )
    row, column = np.unravel_index(int(np.argmax(amount)), amount.shape)
    x = int(np.clip(column / across - width / 2, 0, level.width - width))
    y = int(np.clip(row / down - height / 2, 0, level.height - height))
    return source.read(index, x, y, width, height)

"""Stain vectors: which colour each dye of a slide takes from the light, by Ruifrok & Johnston's table or as typed.

Beer-Lambert: a pixel's optical density log10(white / pixel) is the sum of each dye's amount times its vector (Ruifrok &
Johnston, "Quantification of histochemical staining by color deconvolution", Anal Quant Cytol Histol 23, 2001). How an image's own
vectors are found is in `stain_estimation`, what is done with them in `separation`.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from her2viewer.errors import StainVectorError

Vector = NDArray[np.float64]
"""(3,) float64: R, G and B."""

WHITE: Final = (255.0, 255.0, 255.0)

LEAST_ANGLE: Final = 8.0
"""Degrees between two vectors below which they are refused: noise of the picture grows by 1 / sin(angle), here 7 times."""

_EXAMPLE: Final = "0.65 0.70 0.29"


class Dyes(Enum):
    """The two dyes of a slide, by their names."""

    HAEMATOXYLIN_EOSIN = ("haematoxylin", "eosin")
    HAEMATOXYLIN_DAB = ("haematoxylin", "DAB")


class Origin(StrEnum):
    """Where stain vectors came from. The value is the word on screen."""

    RUIFROK_JOHNSTON = "Ruifrok-Johnston"
    MACENKO = "Macenko"
    TYPED = "typed"


_RUIFROK_JOHNSTON: Final = {
    "haematoxylin": (0.65, 0.70, 0.29),
    "eosin": (0.07, 0.99, 0.11),
    "DAB": (0.27, 0.57, 0.78),
}
"""Their table of 2001, to two digits, as ImageJ, scikit-image and others use it."""


@dataclass(frozen=True, eq=False)
class StainVectors:
    """Two dyes and what they leave over.

    matrix: (3, 3) float64, rows of length 1 in optical density of R, G, B: first dye, second dye, residual. The residual stands
    at right angles to both, so that the dyes' amounts are a least-squares fit. white: (3,) float64, RGB of the empty slide.
    note: why these are not the vectors that were asked for, as a sentence; else empty. Neither array can be written.
    """

    dyes: Dyes
    matrix: NDArray[np.float64]
    origin: Origin
    white: Vector
    note: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        return (*self.dyes.value, "residual")

    @classmethod
    def of(
        cls, dyes: Dyes, first: ArrayLike, second: ArrayLike, origin: Origin, white: ArrayLike = WHITE, note: str = ""
    ) -> "StainVectors":
        """From two vectors of any length. Raises StainVectorError where they are nearly parallel."""
        one, two = unit(first), unit(second)
        apart = angle(one, two)
        if apart < LEAST_ANGLE:
            raise StainVectorError(
                f"the vectors of {' and '.join(dyes.value)} point nearly the same way ({apart:.1f} degrees apart) and cannot be "
                "told apart",
                remedy=f"use vectors at least {LEAST_ANGLE:g} degrees apart",
            )
        matrix = np.stack([one, two, unit(np.cross(one, two))])
        background = np.clip(np.asarray(white, np.float64), 1, 255)
        matrix.setflags(write=False)
        background.setflags(write=False)
        return cls(dyes, matrix, origin, background, note)


def ruifrok_johnston(dyes: Dyes, white: ArrayLike = WHITE, note: str = "") -> StainVectors:
    """The vectors of the table of 2001: the same for every laboratory and scanner, and so of none exactly."""
    first, second = (_RUIFROK_JOHNSTON[name] for name in dyes.value)
    return StainVectors.of(dyes, first, second, Origin.RUIFROK_JOHNSTON, white, note)


def typed_vectors(dyes: Dyes, first: str, second: str, white: ArrayLike = WHITE) -> StainVectors:
    """From two texts such as '0.65 0.70 0.29'. Raises StainVectorError, in words for the user, where they are no two vectors."""
    one, two = (parsed(text, name) for text, name in zip((first, second), dyes.value, strict=True))
    return StainVectors.of(dyes, one, two, Origin.TYPED, white)


def parsed(text: str, name: str) -> Vector:
    """Three numbers as a vector of length 1, of the dye `name`.

    They stand apart by spaces, commas or semicolons, in brackets or not; a decimal comma is understood where they stand apart by
    something else. Raises StainVectorError.
    """
    bare = text.strip().strip("[](){}")
    pieces = [piece for piece in re.split(r"[;\s]+|,\s+", bare) if piece.strip(",")]
    if len(pieces) == 3:
        pieces = [piece.strip(",").replace(",", ".") for piece in pieces]
    else:
        pieces = [piece for piece in re.split(r"[;,\s]+", bare) if piece]
    remedy = f"type the optical density of red, green and blue, for example {_EXAMPLE}"
    try:
        values = np.array([float(piece) for piece in pieces])
    except ValueError:
        raise StainVectorError(f"the vector of {name} holds something that is not a number", remedy=remedy) from None
    if len(values) != 3:
        raise StainVectorError(f"the vector of {name} has {_counted(len(values))} instead of three", remedy=remedy)
    if not np.isfinite(values).all() or np.abs(values).max() > 1e6:
        raise StainVectorError(f"the vector of {name} holds a number without bounds", remedy=remedy)
    if values.min() < 0:
        raise StainVectorError(f"the vector of {name} has a negative part, but no dye adds light", remedy=remedy)
    if values.max() < 1e-6:
        raise StainVectorError(f"the vector of {name} is zero: it says nothing of its colour", remedy=remedy)
    return unit(values)


def unit(vector: ArrayLike) -> Vector:
    """The vector at length 1. It must have a length."""
    values = np.asarray(vector, np.float64)
    return np.asarray(values / np.linalg.norm(values), np.float64)


def angle(one: ArrayLike, two: ArrayLike) -> float:
    """Degrees between two vectors, 0 to 180."""
    return float(np.degrees(np.arccos(np.clip(unit(one) @ unit(two), -1, 1))))


def density_table(white: ArrayLike) -> NDArray[np.float64]:
    """(256, 3) float64: optical density of each byte in R, G and B against `white`, negative where it is brighter.

    A byte of 0 counts as 1: it says that less light came than could be counted.
    """
    counted = np.maximum(np.arange(256, dtype=np.float64), 1)[:, None]
    return np.asarray(np.log10(np.asarray(white, np.float64) / counted), np.float64)


def _counted(count: int) -> str:
    return "one number" if count == 1 else f"{count or 'no'} numbers"

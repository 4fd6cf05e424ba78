"""The one place where a field of two images becomes network input, and the exact way back.

Coordinates are continuous: pixel `i` covers `[i, i + 1)`, its centre is at `i + 0.5`, x to the right, y down. A field
(level-0 pixels of one image) is stretched onto its cell of the network's input, so both directions are an affine map and hold
no rounding: a scale and a shift per axis, after the field's frame where an image is laid on another.

The thesis pastes IHC left and H&E right into one 2048 x 1024 picture and shrinks that to 224 x 224. Shrinking each image
onto its own 112 x 224 cell is the same picture (1024 / 112 is the same step, and no averaged pixel straddles the
seam), needs no 6 MB canvas, and lets the two images have unlike sizes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from her2viewer.imaging.affine import Affine
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

NetworkInput = NDArray[np.uint8]
"""(height, width, 3) uint8 RGB: the composed picture before scaling to floats."""


FIELD_UM: Final = 471.04
"""Micrometres: the side of BCI's fields, 1024 pixels at 0.46 micrometres, which the phantoms keep to."""


class Cell(NamedTuple):
    """The part of the network's input that one stain fills, in input pixels."""

    x: int
    y: int
    width: int
    height: int


class InputLayout(BaseModel):
    """How a model package wants its input composed: the `input` section of `model.json`.

    `order` lists the stains from left to right; one stain alone fills the whole input. `mean` and `std` are of RGB in
    0..1, applied after scaling by 1/255 (the thesis uses none: zeros and ones). `optional` are stains that the model was
    trained to do without; a missing one's cell is filled with `mean`. `white`: 'background' sets each image against its
    own background first, so that the tint of slide and scanner goes (see `against_background`). `field_um`: the side of
    the square fields that it was trained on, in micrometres of tissue; packages that do not say it were trained on BCI's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: tuple[Stain, ...] = (Stain.IHC, Stain.HE)
    width: int = Field(default=224, ge=32, le=4096)
    height: int = Field(default=224, ge=32, le=4096)
    colour: Literal["rgb", "grayscale"] = "rgb"
    resample: Literal["area"] = "area"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    optional: tuple[Stain, ...] = ()
    white: Literal["as-is", "background"] = "as-is"
    field_um: float = Field(default=FIELD_UM, ge=10, le=10_000, allow_inf_nan=False)

    @model_validator(mode="after")
    def _check(self) -> "InputLayout":
        if not self.order or len(set(self.order)) != len(self.order):
            raise ValueError("order must name each stain at most once, and at least one")
        if self.width % len(self.order):
            raise ValueError(f"width {self.width} cannot be shared evenly by {len(self.order)} stains")
        if min(self.std) <= 0:
            raise ValueError("std must be positive")
        if not set(self.optional) <= set(self.order):
            raise ValueError("optional stains must be among those in order")
        return self

    def cell(self, stain: Stain) -> Cell:
        """Where a stain lies in the input. Raises KeyError for a stain that this model does not take."""
        if stain not in self.order:
            raise KeyError(stain)
        width = self.width // len(self.order)
        return Cell(self.order.index(stain) * width, 0, width, self.height)

    def enlarged(self, scale: int) -> "InputLayout":
        """The same input with `scale` times the pixels on each side, for a network that takes any size."""
        return self.model_copy(update={"width": self.width * scale, "height": self.height * scale})

    def to_input(self, stain: Stain, field: FieldOfView) -> Affine:
        """From level-0 pixels of the stain's image, through the field's frame, to input pixels."""
        cell = self.cell(stain)
        ax, ay = cell.width / field.width, cell.height / field.height
        return field.frame.then(Affine.stretch(ax, cell.x - ax * field.x, ay, cell.y - ay * field.y))

    def to_source(self, stain: Stain, field: FieldOfView) -> Affine:
        """From input pixels back to level-0 pixels of the stain's image."""
        return self.to_input(stain, field).inverse()


Cells = Callable[[Callable[[Stain], NDArray[np.uint8]], Iterable[Stain]], Iterable[NDArray[np.uint8]]]
"""What `map` does: the cell of each stain; an executor's makes them at the same time."""


def compose(pixels: Mapping[Stain, NDArray[np.uint8]], layout: InputLayout, each: Cells = map) -> NetworkInput:
    """The network's picture from the pixels of each stain's field.

    pixels: per stain (h, w, 3) uint8 RGB, any size; stains that the layout does not take are passed over. Returns
    (layout.height, layout.width, 3) uint8. Shrinking averages areas (no aliasing of membranes); a field smaller than its
    cell is interpolated linearly. each: makes the stains' parts, as `map` does. Raises KeyError where a stain is missing that
    is not optional, ValueError for another shape or dtype.
    """
    out = np.empty((layout.height, layout.width, 3), np.uint8)

    def fill(stain: Stain) -> NDArray[np.uint8]:
        x, y, w, h = layout.cell(stain)
        place = out[y : y + h, x : x + w]
        if stain not in pixels and stain in layout.optional:
            place[:] = mean_colour(layout)
            return place
        image = pixels[stain]
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"{stain}: expected (h, w, 3) uint8, got {image.shape} {image.dtype}")
        cell = shrunk(image, w, h)
        place[:] = against_background(cell) if layout.white == "background" else cell
        return place

    for _ in each(fill, layout.order):
        pass
    return _grey(out) if layout.colour == "grayscale" else out


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601, as Pillow's "L" and the thesis do it; three equal channels keep one network for both."""
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def mean_colour(layout: InputLayout) -> NDArray[np.uint8]:
    """(3,) uint8 RGB: what fills the cell of a stain that is missing, as it stands in the network's input."""
    colour = np.round(255 * np.array(layout.mean)).astype(np.uint8)
    return _grey(colour[None, None])[0, 0] if layout.colour == "grayscale" else colour


def empty_glass(layout: InputLayout) -> NDArray[np.uint8]:
    """(3,) uint8 RGB: a slide without tissue, as it stands in the network's input."""
    return np.full(3, WHITE if layout.white == "background" else 255, np.uint8)


def shrunk(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 -> (height, width, 3) uint8: areas averaged where it shrinks, linear where it grows."""
    # OpenCV's area averaging turns into linear sampling on both axes if one of them grows: shrink first, then grow.
    smaller = (min(width, image.shape[1]), min(height, image.shape[0]))
    averaged = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    if smaller == (width, height):
        return np.asarray(averaged, np.uint8)
    return np.asarray(cv2.resize(averaged, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


WHITE: Final = 245
"""What the background becomes in a layout with `white` 'background'."""
_DARKEST_WHITE: Final = 150
"""No slide's empty glass is darker; a field that shows none is not brightened beyond this."""


def against_background(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 with its own background brought to `WHITE` in each channel, which leaves optical density as it is.

    The background is the 98th percentile of each channel on the shrunken cell, so that training, which keeps shrunken
    squares, and the viewer, which has the whole image, come to the same.
    """
    sample = cell.reshape(-1, 3)[::3]
    place = int(0.98 * (len(sample) - 1))
    white = np.maximum(np.partition(sample, place, axis=0)[place], _DARKEST_WHITE)
    table = np.clip(np.arange(256)[:, None] * (WHITE / white) + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(cell, table[:, None, :]), np.uint8)

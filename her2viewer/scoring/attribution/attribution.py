"""A class's map and the way back from it to the pixels of each image. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from her2viewer.imaging.affine import IDENTITY, Affine
from her2viewer.scoring.methods import FUSED, INPUT, METHODS, MapRequest
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """A class's map over the whole network input, signed where the method is (before ReLU), and the way back to each image.

    `values`: (rows, columns) float32, read-only; one number per cell of the stage's grid, in `unit`: Grad-CAM of the last
    stage adds up to the class's logit less the bias (of a contrast, to the difference of two). Cell (r, c) covers an equal
    part of the input, its centre is at (c + 0.5, r + 0.5) cells. Where the input holds two stains side by side and the number
    of columns is odd, the column on the seam has seen both stains. `separate`: the stains' parts were computed apart, so
    nothing is read across the seam.
    `against`: the class that the target is set against, or None. `detail`: what else has to be said of how it came about.
    """

    values: NDArray[np.float32]
    target: str
    stage: str
    method: str
    layout: InputLayout
    fields: Mapping[Stain, FieldOfView]
    separate: bool = False
    against: str | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def title(self) -> str:
        """How it was made, for legends: 'Grad-CAM, layer4', 'LayerCAM, all stages fused', 'Occlusion'."""
        stage = {FUSED: "all stages fused", INPUT: ""}.get(self.stage, self.stage)
        return ", ".join(filter(None, (self.method, stage, self.detail)))

    @property
    def question(self) -> str:
        """The class that it is evidence for, for legends: '2+', or '2+ and not 1+'."""
        return self.target if self.against is None else f"{self.target} and not {self.against}"

    @property
    def unit(self) -> str:
        """What the values are counted in; of a fused map, shares of each stage's own peak."""
        return "share of each stage's peak" if self.stage == FUSED else METHODS[self.method].unit

    @property
    def request(self) -> MapRequest:
        """The request that this map answers."""
        return MapRequest(self.target, self.stage, self.method, self.against)

    @property
    def peak(self) -> float:
        """The strongest positive evidence anywhere in the input, in `unit`; 0 where there is none."""
        return max(float(self.values.max()), 0.0)

    def peak_of(self, stain: Stain) -> float:
        """The strongest positive evidence within a stain's own part, in `unit`; 0 where there is none."""
        cell = self.layout.cell(stain)
        rows, columns = self.values.shape
        first = int(np.floor(cell.x * columns / self.layout.width))
        last = int(np.ceil((cell.x + cell.width) * columns / self.layout.width))
        top = int(np.floor(cell.y * rows / self.layout.height))
        bottom = int(np.ceil((cell.y + cell.height) * rows / self.layout.height))
        return max(float(self.values[top:bottom, first:last].max()), 0.0)

    def render(self, stain: Stain, region: FieldOfView, size: tuple[int, int]) -> NDArray[np.float32]:
        """The map over a region of a stain's image, drawn at any resolution.

        region: a rectangle of level-0 pixels of the stain's image, or of a plane that its frame leads to; size: (width,
        height) of the raster that spans it. Returns (height, width) float32, signed, 0 outside the scored field. Linear
        between cell centres, constant beyond the outermost ones of the input; evaluated in float at each raster pixel's
        centre, so that the placement carries no rounding (OpenCV's warps and resizes place to 1/32 of a cell, which is 4
        source pixels on a 7 x 7 grid). Where the region is turned against the field, the map is drawn like that in the
        field's own plane first and turned by one warp of those pixels, to 1/32 of one.
        """
        field = self.fields[stain]
        to_field = IDENTITY if region.frame == field.frame else region.frame.inverse().then(field.frame)
        if to_field.is_upright:
            return self._upright(stain, region, size, to_field)
        raster = Affine.stretch(region.width / size[0], region.x, region.height / size[1], region.y).then(to_field)
        around = _shared(raster, size, field)
        if around is None:
            return np.zeros((size[1], size[0]), np.float32)
        fine = max(1, round(around.width / raster.scale)), max(1, round(around.height / raster.scale))
        drawn = self._upright(stain, around, fine, IDENTITY)
        place = Affine.stretch(around.width / fine[0], around.x, around.height / fine[1], around.y)
        return np.asarray(cv2.warpAffine(drawn, place.then(raster.inverse()).indices, size), np.float32)

    def _upright(
        self, stain: Stain, region: FieldOfView, size: tuple[int, int], to_field: Affine
    ) -> NDArray[np.float32]:
        """`render` where rows stay rows; to_field: from the region's plane to the field's, a scale and a shift per axis."""
        width, height = size
        field = self.fields[stain]
        scale = self.layout.to_input(stain, replace(field, frame=IDENTITY))
        rows, columns = self.values.shape
        x = to_field.xx * (region.x + (np.arange(width) + 0.5) * (region.width / width)) + to_field.tx
        y = to_field.yy * (region.y + (np.arange(height) + 0.5) * (region.height / height)) + to_field.ty
        place = (scale.xx * x + scale.tx) * (columns / self.layout.width)
        if self.separate:
            cell, step = self.layout.cell(stain), columns / self.layout.width
            place = np.clip(place, cell.x * step + 0.5, (cell.x + cell.width) * step - 0.5)
        across = _interpolation(place, columns)
        down = _interpolation((scale.yy * y + scale.ty) * (rows / self.layout.height), rows)
        across[(x < field.x) | (x >= field.x + field.width)] = 0
        down[(y < field.y) | (y >= field.y + field.height)] = 0
        drawn: NDArray[np.float32] = (down @ self.values @ across.T).astype(np.float32, copy=False)
        return drawn


def _shared(raster: Affine, size: tuple[int, int], field: FieldOfView) -> FieldOfView | None:
    """The upright rectangle of the field's plane that a raster, led there by an affine, can show anything of.

    It is that of the field, or of the raster with two of its pixels around, where they overlap; None where they do not.
    """
    width, height = size
    corners = raster.points([(-2, -2), (width + 2, -2), (width + 2, height + 2), (-2, height + 2)])
    left, top = np.maximum(corners.min(axis=0), (field.x, field.y)).tolist()
    right, bottom = np.minimum(corners.max(axis=0), (field.x + field.width, field.y + field.height)).tolist()
    return FieldOfView(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _interpolation(position: NDArray[np.float64], cells: int) -> NDArray[np.float32]:
    """(n, cells) float32 weights that read a row of cells, centres at +0.5, linearly at continuous positions (n,)."""
    place = np.clip(position - 0.5, 0, cells - 1)
    left = np.minimum(place.astype(np.intp), max(cells - 2, 0))
    share = (place - left).astype(np.float32)
    weights = np.zeros((len(position), cells), np.float32)
    row = np.arange(len(position))
    weights[row, left] = 1 - share
    weights[row, np.minimum(left + 1, cells - 1)] += share
    return weights

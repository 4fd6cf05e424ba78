"""An attribution drawn over tissue, under any transform: the colours of an export, at the screen's own pixels."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter, QPolygonF, QTransform

from her2viewer.export.overlay import OverlayStyle, colourise
from her2viewer.gui.pane.pixel_grid import draw, is_right_angled, on_whole_pixels, scale_of
from her2viewer.gui.resolve.map import OverlayShown
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

_ALL_STEPS = np.arange(256, dtype=np.float32)[None]


class MapOverlay:
    """One map over one stain's image. Which values are seen is kept, so that other colours cost a table look-up."""

    def __init__(self, stain: Stain) -> None:
        self._stain = stain
        self._shown: OverlayShown | None = None
        self._table = _lookup_table(OverlayStyle())
        self._steps: _Steps | None = None
        self._picture: QImage | None = None

    def set_shown(self, shown: OverlayShown | None) -> None:
        """Another map, or none."""
        self._shown = shown
        self._steps = self._picture = None

    def set_style(self, style: OverlayStyle) -> None:
        """Other colours."""
        self._table = _lookup_table(style)
        self._picture = None

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None:
        """Paints the map where it lies in `viewport`.

        transform: from level-0 pixels of the stain's image to the painter's coordinates; viewport: in those. The map is
        evaluated at the middle of each pixel of the screen, and where the image is turned by no right angle, on a grid of the
        image as fine as the screen.
        """
        if self._shown is None or self._shown.full_scale <= 0:
            return
        device = transform * painter.deviceTransform()
        steps = self._seen(device, painter.deviceTransform().mapRect(viewport))
        if steps is None:
            return
        if self._picture is None:
            self._picture = _coloured(steps.values, self._table)
        placed = QTransform(steps.step, 0, 0, steps.step, steps.x, steps.y) * device
        straight = is_right_angled(placed)
        draw(painter, self._picture, on_whole_pixels(placed) if straight else placed, viewport, smooth=not straight)

    def _seen(self, device: QTransform, viewport: QRectF) -> "_Steps | None":
        """The values on the grid of a view, kept until the view changes; None where the map is not in it."""
        assert self._shown is not None
        if self._steps is not None and self._steps.view == (device, viewport):
            return self._steps
        self._picture = None
        seen = device.inverted()[0].mapRect(viewport)
        step = 1 / scale_of(device)
        box = _on_image(self._shown.attribution.fields[self._stain])
        # Whole steps of the grid that begins with the first pixel of the screen.
        left, width = _span(seen.left(), seen.right(), box.left(), box.right(), step)
        top, height = _span(seen.top(), seen.bottom(), box.top(), box.bottom(), step)
        if width <= 0 or height <= 0:
            self._steps = None
            return None
        x, y = seen.left() + left * step, seen.top() + top * step
        region = FieldOfView(x, y, width * step, height * step)
        values = self._shown.attribution.render(self._stain, region, (width, height))
        scaled = cv2.convertScaleAbs(np.maximum(values, 0, out=values), alpha=255 / self._shown.full_scale)
        self._steps = _Steps((device, viewport), np.asarray(scaled, np.uint8), x, y, step)
        return self._steps


class _Steps:
    """The map in 256 steps over part of an image: the level-0 position of the first corner, and level-0 pixels a step."""

    __slots__ = ("step", "values", "view", "x", "y")

    def __init__(
        self, view: tuple[QTransform, QRectF], values: NDArray[np.uint8], x: float, y: float, step: float
    ) -> None:
        self.view = view
        self.values = values
        self.x = x
        self.y = y
        self.step = step


def _on_image(field: FieldOfView) -> QRectF:
    """The upright rectangle of level-0 pixels around a field, which may lie turned on its image."""
    x, y, right, bottom = field.x, field.y, field.x + field.width, field.y + field.height
    corners = [QPointF(*field.frame.inverse()(*at)) for at in ((x, y), (right, y), (right, bottom), (x, bottom))]
    return QPolygonF(corners).boundingRect()


def _span(start: float, end: float, first: float, last: float, step: float) -> tuple[int, int]:
    """Of the grid from `start` to `end`: the first step that reaches into [first, last), and how many do."""
    begin = max(math.floor((first - start) / step), 0)
    stop = min(math.ceil((last - start) / step - 1e-9), math.ceil((end - start) / step - 1e-9))
    return begin, stop - begin


def _lookup_table(style: OverlayStyle) -> NDArray[np.uint32]:
    """(256,) uint32: what `colourise` makes of each of its 256 steps, premultiplied and packed as Qt holds it."""
    rgba = colourise(_ALL_STEPS, 255.0, style)[0].astype(np.uint32)
    alpha = rgba[:, 3]
    red, green, blue = ((rgba[:, i] * alpha + 127) // 255 for i in range(3))
    return np.asarray((alpha << 24) | (red << 16) | (green << 8) | blue, np.uint32)


def _coloured(steps: NDArray[np.uint8], table: NDArray[np.uint32]) -> QImage:
    pixels = np.take(table, steps)
    height, width = pixels.shape
    shared = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    return shared.copy()

"""The whole image, small, in a corner of its pane, with the place that is seen marked on it."""

from typing import Final

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QTransform
from PySide6.QtWidgets import QWidget

from her2viewer.imaging.source import RGBImage

_LEAST_BOX: Final = 5.0
"""Logical pixels: a place smaller than this on the map is marked by a cross as well."""


def map_size(image: tuple[int, int], room: tuple[int, int]) -> QSize:
    """How large an image of (width, height) is drawn: it keeps its shape and fits into `room`."""
    scale = min(room[0] / image[0], room[1] / image[1])
    return QSize(max(round(image[0] * scale), 1), max(round(image[1] * scale), 1))


def everything_seen(to_screen: QTransform, image: tuple[int, int], viewport: QRectF) -> bool:
    """Whether the whole of an image (width, height) lies in the viewport, but for half a pixel."""
    return viewport.adjusted(-0.5, -0.5, 0.5, 0.5).contains(to_screen.mapRect(QRectF(0, 0, *image)))


class OverviewMap(QWidget):
    """Bottom left of a pane. Always upright: the box is turned where the pane is.

    `chosen`: level-0 position (x, y) that was clicked or dragged to, always inside the image.
    """

    chosen = Signal(object)

    LONGEST = 168

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._size = (1, 1)
        self._picture = np.zeros((1, 1, 3), np.uint8)
        self._pixmap = QPixmap()
        self._seen = QPolygonF()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("The whole image. Click or drag to move there (N hides it)")
        self.setAccessibleName("Overview map")
        self.hide()

    def set_image(self, overview: RGBImage, size: tuple[int, int]) -> None:
        """overview: the whole image at any resolution; size: (width, height) of level 0."""
        self._picture, self._size = overview, size
        self._pixmap = QPixmap()

    def set_room(self, width: int, height: int) -> None:
        """How much of the pane there is for it, in logical pixels; a frame of 1 px is inside."""
        room = min(self.LONGEST, width), min(self.LONGEST, height)
        self.resize(map_size(self._size, (max(room[0] - 2, 1), max(room[1] - 2, 1))) + QSize(2, 2))

    def set_seen(self, seen: QPolygonF) -> None:
        """The corners of what the pane shows, in level-0 pixels."""
        self._seen = seen
        self.update()

    def _to_map(self) -> QTransform:
        inner = self.rect().adjusted(1, 1, -1, -1)
        return QTransform.fromTranslate(1, 1).scale(inner.width() / self._size[0], inner.height() / self._size[1])

    def paintEvent(self, event: QPaintEvent) -> None:
        inner, ratio = self.rect().adjusted(1, 1, -1, -1), self.devicePixelRatioF()
        wanted = QSize(max(round(inner.width() * ratio), 1), max(round(inner.height() * ratio), 1))
        if self._pixmap.size() != wanted:
            self._pixmap = _shrunk(self._picture, wanted)
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 150))
        painter.drawPixmap(inner, self._pixmap)
        if self._seen.isEmpty():  # Qt does not survive drawing a polygon without corners
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(inner)
        box = self._to_map().map(self._seen)
        bounds = box.boundingRect()
        for width, colour in ((3.0, QColor(0, 0, 0, 160)), (1.0, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(box)
            if max(bounds.width(), bounds.height()) < _LEAST_BOX:
                self._mark(painter, bounds.center())

    def _mark(self, painter: QPainter, at: QPointF) -> None:
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            painter.drawLine(at + QPointF(5 * dx, 5 * dy), at + QPointF(11 * dx, 11 * dy))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Is no double click on the tissue beneath."""

    def _choose(self, position: QPointF) -> None:
        at = self._to_map().inverted()[0].map(position)
        self.chosen.emit((min(max(at.x(), 0.0), float(self._size[0])), min(max(at.y(), 0.0), float(self._size[1]))))


def _shrunk(picture: RGBImage, size: QSize) -> QPixmap:
    small = cv2.resize(picture, (size.width(), size.height()), interpolation=cv2.INTER_AREA)
    image = QImage(
        np.ascontiguousarray(small).data, size.width(), size.height(), 3 * size.width(), QImage.Format.Format_RGB888
    )
    return QPixmap.fromImage(image)

"""The H&E over the IHC, warped onto it by the alignment: all of it, left of a line, or half seen through."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPolygonF, QTransform

from her2viewer.gui.compare.resolve import VeilShown
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment


class Painted(Protocol):
    """The tiles of an image, painted under any affine transform."""

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None: ...


class Veil:
    """Paints in the IHC's frame. What it reads of the world it asks for each time: there is nothing to keep in step."""

    def __init__(
        self,
        he: Painted,
        size: Callable[[], tuple[int, int] | None],
        alignment: Callable[[], Alignment | None],
        shown: Callable[[], VeilShown | None],
        surround: QColor,
    ) -> None:
        """size: (width, height) of the H&E, level-0 px; surround: what stands where the H&E has no pixels."""
        self._he = he
        self._size = size
        self._alignment = alignment
        self._shown = shown
        self._surround = surround

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None:
        """transform: from level-0 px of the IHC to the painter's coordinates; viewport: in those."""
        shown, alignment, size = self._shown(), self._alignment(), self._size()
        if shown is None or alignment is None or size is None:
            return
        place = as_transform(touching(alignment, transform, viewport)) * transform
        seen = QRectF(viewport.left(), viewport.top(), shown.width * viewport.width(), viewport.height())
        painter.save()
        painter.setClipRect(seen, Qt.ClipOperation.IntersectClip)
        painter.setOpacity(shown.opacity * painter.opacity())
        self._fill_around(painter, place.map(QPolygonF(QRectF(0, 0, *size))), seen)
        self._he.paint(painter, place, seen)
        painter.restore()

    def _fill_around(self, painter: QPainter, outline: QPolygonF, seen: QRectF) -> None:
        """Outside the H&E there is nothing of it to see, least of all the IHC in its place."""
        around, image = QPainterPath(), QPainterPath()
        around.addRect(seen)
        image.addPolygon(outline)
        painter.fillPath(around.subtracted(image), self._surround)


def touching(alignment: Alignment, transform: QTransform, viewport: QRectF) -> Affine:
    """H&E to IHC, level-0 px: the alignment itself, or where it bends the affine that touches it in the middle of a viewport."""
    if alignment.warp is None:
        return alignment.he_to_ihc
    middle = transform.inverted()[0].map(viewport.center())
    ((x, y),) = alignment.to_he([(middle.x(), middle.y())]).tolist()
    return alignment.affine_at(x, y)


def as_transform(affine: Affine) -> QTransform:
    """Qt writes its matrices for rows of points: the other way up."""
    return QTransform(affine.xx, affine.yx, affine.xy, affine.yy, affine.tx, affine.ty)

"""The picture of one pane: tissue, the map over it, and the mouse. It knows geometry and pixels, and nothing of scores."""
# mypy: disallow-untyped-calls=False, disallow-subclassing-any=False
# (pyqtgraph carries no types)

from typing import Any, Final

import cv2
import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QTransform
from PySide6.QtWidgets import QWidget

from her2viewer.export.overlay import OverlayStyle, colourise
from her2viewer.gui.pane.layer import ContextWish, Layer, Tool, Touch
from her2viewer.gui.pane.regions import Region, overview_region, suffices, wanted_region, whole
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted, kept_in_reach
from her2viewer.gui.resolve import OverlayShown
from her2viewer.gui.state import OpenedImage
from her2viewer.imaging.source import RGBImage
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain

SURROUND: Final = QColor(118, 118, 118)
"""Neutral mid grey in both themes: what stands around tissue changes how its stain is seen."""

WHEEL_STEP: Final = 1.25
"""How much closer one notch of the wheel goes."""

MOST_MAP_PIXELS: Final = 1_200_000
"""A map is drawn with no more pixels than this, which is more than a pane has: 5 ms for a 1024 x 1024 field."""

_ALL_STEPS: Final = np.arange(256, dtype=np.float32)[None]


def _lookup_table(style: OverlayStyle) -> NDArray[np.uint8]:
    """(256, 4) uint8: what `colourise` makes of each of its 256 steps. The pane draws the very colours of an export."""
    table: NDArray[np.uint8] = colourise(_ALL_STEPS, 255.0, style)[0]
    return table


class _Box(pg.ViewBox):
    """A view box whose mouse wishes go to the view that owns it, instead of moving itself."""

    def __init__(self, owner: "TissueView") -> None:
        super().__init__(lockAspect=True, invertY=True, enableMenu=False, enableMouse=False, defaultPadding=0)
        self._owner = owner
        self.disableAutoRange()
        self.setBackgroundColor(SURROUND)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        self._owner.zoom_at(WHEEL_STEP ** (event.delta() / 120), self.mapSceneToView(event.scenePos()))

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        event.accept()
        step = event.scenePos() - event.lastScenePos()
        self._owner.move_by(step.x(), step.y())

    def mouseClickEvent(self, event: Any) -> None:
        if event.double():
            event.accept()
            self._owner.zoom_at(2.0, self.mapSceneToView(event.scenePos()))


class TissueView(pg.GraphicsView):
    """Shows one image and a map over it, placed exactly.

    `moved`: the user moved or zoomed. `region_wanted`: pixels are missing for what is seen. `cursor_moved`: level-0
    position under the mouse, or None where it left. `context_wanted`: a right click, as a `ContextWish`. `tool_changed`: the
    tool that has the mouse from now on, None where nobody chose one.
    """

    moved = Signal(object)
    region_wanted = Signal(object)
    cursor_moved = Signal(object)
    context_wanted = Signal(object)
    tool_changed = Signal(object)

    def __init__(self, stain: Stain, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=SURROUND)
        self._stain = stain
        self._image: OpenedImage | None = None
        self._region: Region | None = None
        self._asked: Region | None = None
        self._viewpoint: Viewpoint | None = None
        self._fits = True
        self._overlay_shown: OverlayShown | None = None
        self._ghost: QPointF | None = None
        self._layers: list[Layer] = []
        self._tool: Tool | None = None
        self._resting: Tool | None = None
        self._holds = False
        self._box = _Box(self)
        self.setCentralItem(self._box)
        # Tissue has no levels at all: pyqtgraph then shows 8-bit RGB as it is. With levels (0, 255) it would compute the
        # same for every pixel (50 ms for a large region), and left to itself it would stretch them.
        self._overview = pg.ImageItem(axisOrder="row-major")
        self._detail = pg.ImageItem(axisOrder="row-major")
        self._overlay = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        for depth, item in enumerate((self._overview, self._detail, self._overlay)):
            item.setZValue(depth)
            self._box.addItem(item, ignoreBounds=True)
        self._box.sigResized.connect(self._on_resized)
        self.sceneObj.sigMouseMoved.connect(self._on_mouse)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(False)  # the pane around it takes what is dropped

    @property
    def stain(self) -> Stain:
        return self._stain

    @property
    def viewpoint(self) -> Viewpoint | None:
        return self._viewpoint

    @property
    def image(self) -> OpenedImage | None:
        return self._image

    @property
    def fits(self) -> bool:
        """Whether the whole image is shown and stays so when the window changes its size."""
        return self._fits

    def set_image(self, image: OpenedImage | None) -> None:
        """Shows another image, whole; None clears the pane."""
        self._image = image
        self._region = self._asked = None
        self._overlay_shown = None
        for item in (self._overview, self._detail, self._overlay):
            item.clear()
        self._viewpoint = None
        if image is not None:
            self._overview.setImage(image.overview, autoLevels=False)
            self._overview.setRect(QRectF(0, 0, *image.source.size))
            self._overview.setVisible(True)
            self._region = overview_region(image.source.levels)
            self.fit()

    def set_region(self, image: OpenedImage, region: Region, pixels: RGBImage) -> None:
        """Shows pixels that were asked for, unless the image has changed since."""
        if image is not self._image:
            return
        self._region, self._asked = region, None
        self._detail.setImage(pixels, autoLevels=False)
        self._detail.setRect(_rect(region.field(image.source.levels, image.source.size)))
        # What cannot be seen is not painted.
        self._overview.setVisible(region != whole(image.source.levels, region.level))
        self._draw_overlay()

    def set_overlay(self, shown: OverlayShown | None, style: OverlayStyle) -> None:
        """Draws another map, or none."""
        self._overlay_shown = shown
        self._overlay.setLookupTable(_lookup_table(style), update=False)
        self._draw_overlay()

    def set_overlay_style(self, style: OverlayStyle) -> None:
        """Other colours for the map at hand: 256 colours are replaced, no pixel is computed."""
        self._overlay.setLookupTable(_lookup_table(style))

    def set_overlay_visible(self, visible: bool) -> None:
        self._overlay.setVisible(visible)

    def set_viewpoint(self, viewpoint: Viewpoint) -> None:
        """Looks from elsewhere, without telling anyone."""
        self._fits = False
        self._look(viewpoint)

    def fit(self) -> None:
        """The whole image; stays so when the window changes its size."""
        if self._image is None:
            return
        self._fits = True
        self._look(fitted(self._image.source.size, self.viewport_pixels()))

    def zoom_at(self, factor: float, anchor: QPointF | None = None) -> None:
        """The user goes closer by a factor, at a level-0 position (the middle where none is given)."""
        if self._viewpoint is None:
            return
        at = (anchor.x(), anchor.y()) if anchor is not None else (self._viewpoint.x, self._viewpoint.y)
        self.go(self._viewpoint.zoomed(factor, at))

    def move_by(self, dx: float, dy: float) -> None:
        """The user drags the tissue by logical pixels."""
        if self._viewpoint is not None:
            ratio = self.devicePixelRatioF()
            self.go(self._viewpoint.moved(dx * ratio, dy * ratio))

    def go(self, wanted: Viewpoint) -> None:
        """The user wants to look from elsewhere: as near to it as keeps the tissue in reach, and those who listen are told."""
        if self._image is None:
            return
        self._fits = False
        self._look(kept_in_reach(wanted, self._image.source.size, self.viewport_pixels()))
        self.moved.emit(self._viewpoint)

    def set_ghost(self, position: tuple[float, float] | None) -> None:
        """Marks the level-0 position that the mouse points at in the other pane."""
        self._ghost = QPointF(*position) if position is not None else None
        self.viewport().update()

    def add_layer(self, layer: Layer) -> None:
        """Draws a layer over tissue and map, above those that are there."""
        self._layers.append(layer)
        self.repaint_layers()

    def repaint_layers(self) -> None:
        self.viewport().update()

    @property
    def tool(self) -> Tool | None:
        """The tool that has the mouse; the resting one where nobody chose another."""
        return self._tool

    def set_tool(self, tool: Tool | None) -> None:
        """Gives the mouse to a tool; None gives it back to the resting tool, or to the pane where there is none."""
        taken = tool if tool is not None else self._resting
        self._tool, self._holds = taken, False
        self.viewport().setCursor(taken.cursor if taken is not None else Qt.CursorShape.ArrowCursor)
        self.tool_changed.emit(tool)

    def set_resting_tool(self, tool: Tool | None) -> None:
        """The tool that has the mouse while no other was chosen."""
        resting, self._resting = self._resting, tool
        if self._tool is resting:
            self.set_tool(None)

    def viewport_pixels(self) -> tuple[float, float]:
        """(width, height) in device pixels."""
        ratio = self.devicePixelRatioF()
        return self._box.width() * ratio, self._box.height() * ratio

    def to_screen(self, x: float, y: float) -> QPointF:
        """Where a level-0 position is in the viewport, logical pixels."""
        return QPointF(self._box.mapViewToScene(QPointF(x, y)))

    def from_screen(self, position: QPointF) -> tuple[float, float]:
        """The level-0 position under a point of the viewport, also outside the image."""
        at = self._box.mapSceneToView(position)
        return at.x(), at.y()

    def _look(self, viewpoint: Viewpoint) -> None:
        self._viewpoint = viewpoint
        seen = viewpoint.visible(self.viewport_pixels())
        self._box.setRange(_rect(seen), padding=0, disableAutoRange=True)
        # Between screen pixels there is something to smooth; a pixel that is shown whole or large stays what it is.
        sharp = viewpoint.px == 1 or viewpoint.px <= 0.5
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not sharp)
        self._ask()

    def _ask(self) -> None:
        """Asks for pixels where those at hand are not the ones that are wanted."""
        image, viewpoint = self._image, self._viewpoint
        if image is None or viewpoint is None:
            return
        source = image.source
        viewport = self.viewport_pixels()
        for region in (self._region, self._asked):
            if region is not None and suffices(region, source.levels, source.size, viewpoint, viewport):
                return
        self._asked = wanted_region(source.levels, source.size, viewpoint, viewport)
        if self._asked is not None:
            self.region_wanted.emit((image, self._asked))

    def _draw_overlay(self) -> None:
        """Draws the map over the tissue at hand, pixel for pixel as far as the screen can show them."""
        shown, image, region = self._overlay_shown, self._image, self._region
        if shown is None or image is None or region is None:
            self._overlay.clear()
            return
        field = region.field(image.source.levels, image.source.size)
        coarser = max((region.width * region.height / MOST_MAP_PIXELS) ** 0.5, 1.0)
        size = (max(round(region.width / coarser), 1), max(round(region.height / coarser), 1))
        values = shown.attribution.render(self._stain, field, size)
        scale = 255 / shown.full_scale if shown.full_scale > 0 else 0.0
        steps = cv2.convertScaleAbs(np.maximum(values, 0), alpha=scale)
        self._overlay.setImage(steps, levels=(0, 255), autoLevels=False)
        self._overlay.setRect(_rect(field))

    def _on_resized(self, *_: object) -> None:
        if self._image is None or self._viewpoint is None:
            return
        if self._fits:
            self._look(fitted(self._image.source.size, self.viewport_pixels()))
        else:
            self._look(self._viewpoint)

    def _on_mouse(self, position: QPointF) -> None:
        if self._image is None:
            return
        at = self._box.mapSceneToView(position)
        width, height = self._image.source.size
        inside = 0 <= at.x() < width and 0 <= at.y() < height
        self.cursor_moved.emit((at.x(), at.y()) if inside else None)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self.cursor_moved.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._tool is not None and self._image is not None and self._tool.press(self._touch(event)):
            self._holds = True
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._tool is not None and self._image is not None:
            if self._holds:
                self._tool.drag(self._touch(event))
                self._on_mouse(event.position())
                event.accept()
                return
            if event.buttons() == Qt.MouseButton.NoButton:
                self._tool.hover(self._touch(event))
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._holds and self._tool is not None:
            self._holds = False
            self._tool.release(self._touch(event))
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._tool is not None and self._image is not None and self._tool.double_click(self._touch(event)):
            event.accept()
            return
        super().mouseDoubleClickEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        if self._image is not None:
            self.context_wanted.emit(ContextWish(self, self.from_screen(QPointF(event.pos())), event.globalPos()))

    def _touch(self, event: QMouseEvent) -> Touch:
        position = event.position()
        return Touch(self, self.from_screen(position), position, event.button(), event.modifiers())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._tool is not None and self._tool.key(event):
            event.accept()
            return
        event.ignore()  # keys belong to the window

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def drawForeground(self, painter: QPainter, rect: Any) -> None:
        if self._image is not None:
            for layer in self._layers:
                painter.save()
                painter.setWorldTransform(QTransform())
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                layer.paint(painter, self)
                painter.restore()
        if self._ghost is None or self._viewpoint is None:
            return
        at = self.to_screen(self._ghost.x(), self._ghost.y())
        painter.save()
        painter.setWorldTransform(QTransform())
        for width, colour in ((3, QColor(0, 0, 0, 140)), (1, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(at + QPointF(4 * dx, 4 * dy), at + QPointF(10 * dx, 10 * dy))
        painter.restore()


def _rect(field: FieldOfView) -> QRectF:
    return QRectF(field.x, field.y, field.width, field.height)

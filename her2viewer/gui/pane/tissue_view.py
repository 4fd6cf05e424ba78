"""The picture of one pane: tissue, the map over it, and the mouse. It knows geometry and pixels, and nothing of scores."""

from dataclasses import replace
from typing import Any, Final, Protocol

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.pane.colouring import Colouring
from her2viewer.gui.pane.fetching import Fetching
from her2viewer.gui.pane.layer import ContextWish, Layer, Tool, Touch
from her2viewer.gui.pane.map_overlay import MapOverlay
from her2viewer.gui.pane.mosaic import Mosaic
from her2viewer.gui.pane.viewpoint import Viewpoint, fitted, kept_in_reach
from her2viewer.gui.resolve.map import OverlayShown
from her2viewer.gui.state import OpenedImage
from her2viewer.scoring.stains import Stain

SURROUND: Final = QColor(118, 118, 118)
"""Neutral mid grey in both themes: what stands around tissue changes how its stain is seen."""

WHEEL_STEP: Final = 1.25
"""How much closer one notch of the wheel goes."""

WHEEL_DEGREES: Final = 15.0
"""How far one notch of the wheel turns the tissue while Shift is held."""

_NOTCH: Final = 120


class Veil(Protocol):
    """What lies over the tissue and beneath the map: another image."""

    def paint(self, painter: QPainter, transform: QTransform, viewport: QRectF) -> None:
        """transform: from level-0 pixels of the view's image to `viewport`, which is in logical pixels."""
        ...


class TissueView(QAbstractScrollArea):
    """Shows one image and a map over it, placed exactly.

    `moved`: the user moved, zoomed or turned it (a `Viewpoint`). `looked`: it is looked at from elsewhere, whoever wanted
    that, or its viewport has another size. `cursor_moved`: level-0 position under the mouse, or None
    where it left. `context_wanted`: a right click, as a `ContextWish`. `tool_changed`: the tool that was chosen, None for none.
    """

    moved = Signal(object)
    looked = Signal()
    cursor_moved = Signal(object)
    context_wanted = Signal(object)
    tool_changed = Signal(object)

    def __init__(self, stain: Stain, fetching: Fetching | None = None, parent: QWidget | None = None) -> None:
        """`fetching`: the threads that read tiles, shared by all panes; without any the view has its own."""
        super().__init__(parent)
        self._stain = stain
        if fetching is None:
            fetching = Fetching()
            self.destroyed.connect(lambda: fetching.close())
        self.mosaic = Mosaic(fetching, self)
        self.overlay = MapOverlay(stain)
        self._overlay_visible = True
        self._viewpoint: Viewpoint | None = None
        self._fits = True
        self._ratio = self.devicePixelRatioF()
        self._ghost: QPointF | None = None
        self._veil: Veil | None = None
        self._layers: list[Layer] = []
        self._tool: Tool | None = None
        self._resting: Tool | None = None
        self._holds = False
        self._dragged_from: QPointF | None = None
        self._tissue = QImage()
        self._tissue_of: tuple[Viewpoint, int] | None = None
        self.mosaic.changed.connect(self.viewport().update)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
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
        return self.mosaic.image

    @property
    def fits(self) -> bool:
        """Whether the whole image is shown and stays so when the window changes its size."""
        return self._fits

    def set_image(self, image: OpenedImage | None) -> None:
        """Shows another image, whole and upright; None clears the pane."""
        self._viewpoint = None
        self.overlay.set_shown(None)
        self.mosaic.set_image(image)
        self.fit()

    def set_colouring(self, colouring: Colouring) -> None:
        """Shows the same pixels otherwise: a stain view."""
        self.mosaic.set_colouring(colouring)

    def set_overlay(self, shown: OverlayShown | None, style: OverlayStyle) -> None:
        """Draws another map, or none."""
        self.overlay.set_shown(shown)
        self.set_overlay_style(style)

    def set_overlay_style(self, style: OverlayStyle) -> None:
        """Other colours for the map at hand: 256 colours are replaced, no pixel is computed."""
        self.overlay.set_style(style)
        self.viewport().update()

    def set_overlay_visible(self, visible: bool) -> None:
        self._overlay_visible = visible
        self.viewport().update()

    def set_viewpoint(self, viewpoint: Viewpoint) -> None:
        """Looks from elsewhere, without telling anyone."""
        self._fits = False
        self._look(viewpoint)

    def fit(self) -> None:
        """The whole image, turned as it is; stays so when the window changes its size."""
        if self.image is None:
            return
        self._fits = True
        at = self._viewpoint or Viewpoint(0, 0, 1)
        self._look(fitted(self.image.source.size, self.viewport_pixels(), at.rotation, at.mirrored))

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

    def turn(self, degrees: float) -> None:
        """The user turns the tissue, clockwise; what fitted into the pane still does."""
        if self._viewpoint is not None:
            self._orient(self._viewpoint.turned(degrees))

    def flip(self) -> None:
        """The user mirrors what is on screen, left to right."""
        if self._viewpoint is not None:
            self._orient(self._viewpoint.flipped())

    def set_upright(self) -> None:
        """The user wants to see the image as it lies in its file."""
        if self._viewpoint is not None:
            self._orient(self._viewpoint.upright())

    def _orient(self, wanted: Viewpoint) -> None:
        if self._fits and self.image is not None:
            self._look(fitted(self.image.source.size, self.viewport_pixels(), wanted.rotation, wanted.mirrored))
            self.moved.emit(self._viewpoint)
        else:
            self.go(wanted)

    def go(self, wanted: Viewpoint) -> None:
        """The user wants to look from elsewhere: as near to it as keeps the tissue in reach, and those who listen are told."""
        if self.image is None:
            return
        self._fits = False
        self._look(kept_in_reach(wanted, self.image.source.size, self.viewport_pixels()))
        self.moved.emit(self._viewpoint)

    def set_ghost(self, position: tuple[float, float] | None) -> None:
        """Marks the level-0 position that the mouse points at in the other pane."""
        self._ghost = QPointF(*position) if position is not None else None
        self.viewport().update()

    def set_veil(self, veil: Veil | None) -> None:
        """Draws something over the tissue and beneath the map."""
        self._veil = veil
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
        ratio, size = self.devicePixelRatioF(), self.viewport().size()
        return size.width() * ratio, size.height() * ratio

    def transform(self) -> QTransform:
        """From level-0 pixels to the viewport's logical pixels."""
        if self._viewpoint is None:
            return QTransform()
        ratio = self.devicePixelRatioF()
        return self._viewpoint.transform(self.viewport_pixels()) * QTransform.fromScale(1 / ratio, 1 / ratio)

    def to_screen(self, x: float, y: float) -> QPointF:
        """Where a level-0 position is in the viewport, logical pixels."""
        return self.transform().map(QPointF(x, y))

    def from_screen(self, position: QPointF) -> tuple[float, float]:
        """The level-0 position under a point of the viewport, also outside the image."""
        at = self.transform().inverted()[0].map(QPointF(position))
        return at.x(), at.y()

    def _look(self, viewpoint: Viewpoint) -> None:
        self._viewpoint = viewpoint
        self.viewport().update()
        self.looked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        if self.image is None or self._viewpoint is None:
            painter.fillRect(event.rect(), SURROUND)
            return
        transform, whole = self.transform(), QRectF(self.viewport().rect())
        painter.drawImage(0, 0, self._painted_tissue(self._viewpoint, transform, whole))
        if self._veil is not None:
            self._veil.paint(painter, transform, whole)
        if self._overlay_visible:
            self.overlay.paint(painter, transform, whole)
        for layer in self._layers:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            layer.paint(painter, self)
            painter.restore()
        self._paint_ghost(painter)

    def _painted_tissue(self, viewpoint: Viewpoint, transform: QTransform, whole: QRectF) -> QImage:
        """Tissue and surround, in device pixels; painted again when either changes, not for what is drawn over it."""
        ratio = self.devicePixelRatioF()
        size = (whole.size() * ratio).toSize()
        if self._tissue.size() != size or self._tissue.devicePixelRatio() != ratio:
            self._tissue = QImage(size, QImage.Format.Format_RGB32)
            self._tissue.setDevicePixelRatio(ratio)
            self._tissue_of = None
        if self._tissue_of != (viewpoint, self.mosaic.revision):
            self._tissue.fill(SURROUND)
            painter = QPainter(self._tissue)
            self.mosaic.paint(painter, transform, whole)
            painter.end()
            self._tissue_of = (viewpoint, self.mosaic.revision)
        return self._tissue

    def _paint_ghost(self, painter: QPainter) -> None:
        if self._ghost is None:
            return
        at = self.to_screen(self._ghost.x(), self._ghost.y())
        for width, colour in ((3, QColor(0, 0, 0, 140)), (1, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(at + QPointF(4 * dx, 4 * dy), at + QPointF(10 * dx, 10 * dy))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits and self.image is not None:
            self.fit()
            self.moved.emit(self._viewpoint)  # a pane that follows a registered one has to follow this as well
        else:
            self.looked.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._keep_size_on_screen()
        return super().event(event)

    def _keep_size_on_screen(self) -> None:
        """The window came to a screen with other pixels: as much is seen as before."""
        before, self._ratio = self._ratio, self.devicePixelRatioF()
        if self._fits:
            self.fit()
        elif self._viewpoint is not None and before != self._ratio:
            self._look(replace(self._viewpoint, px=self._viewpoint.px * before / self._ratio))

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        # Some systems make Shift and the wheel a sideways one.
        notches = (event.angleDelta().y() or event.angleDelta().x()) / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.turn(WHEEL_DEGREES * notches)
        else:
            self.zoom_at(WHEEL_STEP**notches, QPointF(*self.from_screen(event.position())))

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self.cursor_moved.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.image is None:
            return
        if self._tool is not None and self._tool.press(self._touch(event)):
            self._holds = True
        elif event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._dragged_from = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.image is None:
            return
        if self._tool is not None and self._holds:
            self._tool.drag(self._touch(event))
        elif self._dragged_from is not None:
            step, self._dragged_from = event.position() - self._dragged_from, event.position()
            self.move_by(step.x(), step.y())
        elif self._tool is not None and event.buttons() == Qt.MouseButton.NoButton:
            self._tool.hover(self._touch(event))
        self._tell_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged_from = None
        if self._holds and self._tool is not None:
            self._holds = False
            self._tool.release(self._touch(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.image is None:
            return
        if self._tool is not None and self._tool.double_click(self._touch(event)):
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self.zoom_at(2.0, QPointF(*self.from_screen(event.position())))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()
        if self.image is not None:
            self.context_wanted.emit(ContextWish(self, self.from_screen(QPointF(event.pos())), event.globalPos()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._tool is not None and self._tool.key(event):
            event.accept()
            return
        event.ignore()  # keys belong to the window

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.ignore()

    def _touch(self, event: QMouseEvent) -> Touch:
        position = event.position()
        return Touch(self, self.from_screen(position), position, event.button(), event.modifiers())

    def _tell_cursor(self, position: QPointF) -> None:
        assert self.image is not None
        x, y = self.from_screen(position)
        width, height = self.image.source.size
        self.cursor_moved.emit((x, y) if 0 <= x < width and 0 <= y < height else None)

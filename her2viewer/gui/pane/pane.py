"""One pane: a header that says what is seen, the tissue, and what stands in its place while there is none."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QPolygonF, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from her2viewer.errors import UserError
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.icons import themed_pixmap
from her2viewer.gui.pane.colouring import Colouring
from her2viewer.gui.pane.fetching import Fetching
from her2viewer.gui.pane.overview_map import OverviewMap, everything_seen
from her2viewer.gui.pane.scale_bar import ScaleBar
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.resolve.map import OverlayShown
from her2viewer.gui.state import OpenedImage
from her2viewer.scoring.stains import Stain

_TEACHING: Final = {
    Stain.HE: "Drop an H&E image here",
    Stain.IHC: "Drop the HER2 IHC image of the same tissue here",
}

ROOM_FOR_INFO: Final = 480
"""Logical pixels of a pane from which on its header says more than the file's name; the tool tip always does."""


class ImagePane(QFrame):
    """A view of one stain. Signals go out, setters come in; it decides nothing about files or scores."""

    files_dropped = Signal(object)
    open_requested = Signal()

    def __init__(self, stain: Stain, fetching: Fetching | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self.stain = stain
        self.setAcceptDrops(True)
        self.setAccessibleName(f"{stain.caption} pane")
        self._um_per_px: float | None = None
        self.view = TissueView(stain, fetching)
        self.view.setAccessibleName(f"{stain.caption} image")
        self._scale_bar = ScaleBar(self.view)
        self.overview_map = OverviewMap(self.view)
        self.overview_map.chosen.connect(self._go_to)
        self._map_wanted = True
        self._notice = _Notice(self.view)
        self._caution = _Notice(self.view)
        self._empty = _Empty(stain)
        self._empty.open_requested.connect(self.open_requested)
        self.view.installEventFilter(self)
        self.view.looked.connect(self.refresh_scale)
        self.view.mosaic.changed.connect(self._show_colouring)

        body = QWidget()
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self.view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._header = self._build_header(stain)
        layout.addWidget(self._header)
        layout.addWidget(body, 1)

    def _build_header(self, stain: Stain) -> QWidget:
        header = QWidget()
        header.setObjectName("paneHeader")
        header.setFixedHeight(32)
        caption = QLabel(stain.caption)
        caption.setProperty("emphasis", True)
        caption.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._name = QElidingLabel()
        self._name.setElideMode(Qt.TextElideMode.ElideMiddle)
        self._colouring = QLabel()
        self._colouring.setProperty("emphasis", True)
        self._colouring.hide()
        self._name.setMinimumWidth(16)
        self._info = QElidingLabel()
        self._info.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._info.setProperty("quiet", True)
        row = QHBoxLayout(header)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(8)
        row.addWidget(caption)
        row.addWidget(self._name, 1)
        row.addWidget(self._colouring)
        row.addWidget(self._info)
        self._header_row = row
        return header

    def add_to_header(self, widget: QWidget) -> None:
        """Puts a widget at the right end of the header."""
        self._header_row.addWidget(widget)

    @property
    def um_per_px(self) -> float | None:
        """Micrometres per level-0 pixel of the image, or None."""
        return self._um_per_px

    def set_image(self, image: OpenedImage | None) -> None:
        if image is not None:
            self.overview_map.set_image(image.overview, image.source.size)
        self.view.set_image(image)
        self._stack.setCurrentWidget(self.view if image is not None else self._empty)

    def set_header(self, name: str, info: str, more: str) -> None:
        """The file's name, what is to be known of it at once, and what is shown to who points at it."""
        self._name.setText(name)
        self._info.setText(info)
        for label in (self._name, self._info):
            label.setToolTip(more)

    def set_header_visible(self, visible: bool) -> None:
        """Hidden where the window says above the pane what is seen in it."""
        self._header.setVisible(visible)

    def set_colouring(self, colouring: Colouring) -> None:
        """Shows the tissue otherwise: a stain view. The header names it when it is there."""
        self.view.set_colouring(colouring)

    def _show_colouring(self) -> None:
        shown = self.view.mosaic.colouring
        self._colouring.setText(shown.words)
        self._colouring.setToolTip(shown.more)
        self._colouring.setVisible(bool(shown.words))
        self._caution.set_text(shown.caution)
        self._place()

    def set_um_per_px(self, um: float | None) -> None:
        """Micrometres per level-0 pixel of the image, or None."""
        self._um_per_px = um
        self.refresh_scale()

    def set_opening(self, text: str) -> None:
        """Says that a file is being opened; empty when it is not."""
        self._empty.set_opening(text)
        self._notice.set_text(text)
        self._place()

    def set_error(self, error: UserError | None) -> None:
        """Why the last file was refused. Where an image stands, it stays, and the window's message bar says it."""
        self._empty.set_error(error)

    def set_overlay(self, shown: OverlayShown | None, style: OverlayStyle) -> None:
        self.view.set_overlay(shown, style)

    def set_overlay_style(self, style: OverlayStyle) -> None:
        self.view.set_overlay_style(style)

    def set_overlay_visible(self, visible: bool) -> None:
        self.view.set_overlay_visible(visible)

    def set_overview_map(self, wanted: bool) -> None:
        """Whether the overview map is shown where not everything is in view."""
        self._map_wanted = wanted
        self._place()

    def _go_to(self, position: tuple[float, float]) -> None:
        viewpoint = self.view.viewpoint
        if viewpoint is not None:
            self.view.go(replace(viewpoint, x=position[0], y=position[1]))

    def refresh_scale(self) -> None:
        """The view looks from elsewhere: the scale bar and the overview map follow."""
        viewpoint = self.view.viewpoint
        known = self._um_per_px is not None and viewpoint is not None
        ratio = self.view.devicePixelRatioF()
        self._scale_bar.set_scale(self._um_per_px * viewpoint.px * ratio if known else None)  # type: ignore[operator,union-attr]
        self._place()

    def _place(self) -> None:
        """The scale bar bottom right, the overview map bottom left (above the bar where it is narrow), notices top left."""
        bar = self._scale_bar
        bar.move(self.view.width() - bar.width() - 8, self.view.height() - bar.height() - 8)
        self._notice.move(8, 8)
        self._caution.move(8, 8 if self._notice.isHidden() else self._notice.height() + 16)
        self._place_map()

    def _place_map(self) -> None:
        overview, view, image = self.overview_map, self.view, self.view.image
        viewport = QRectF(view.viewport().rect())
        shown = self._map_wanted and image is not None and view.viewpoint is not None
        shown = shown and not everything_seen(view.transform(), image.source.size, viewport)  # type: ignore[union-attr]
        overview.setVisible(shown)
        if not shown:
            return
        overview.set_room(view.width() // 3, view.height() // 3)
        bar = self._scale_bar
        beside = bar.isHidden() or overview.width() + bar.width() + 24 <= view.width()
        overview.move(8, view.height() - overview.height() - 8 - (0 if beside else bar.height() + 8))
        overview.set_seen(view.transform().inverted()[0].map(QPolygonF(viewport)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._mark("focused", event.type() == QEvent.Type.FocusIn)
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._info.setVisible(self.width() >= ROOM_FOR_INFO)
        self._place()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._mark("dropTarget", True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark("dropTarget", False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark("dropTarget", False)
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.files_dropped.emit(files)

    def _mark(self, name: str, on: bool) -> None:
        """The frame that says that something hangs over the pane, or that keys go to it."""
        self.setProperty(name, on)
        self.style().unpolish(self)
        self.style().polish(self)


class _Notice(QLabel):
    """A word over the tissue while something is under way."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_text(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))
        self.adjustSize()


class _Empty(QWidget):
    """The pane without an image: what to drop, how to open, what is being opened, or what was wrong with the last file."""

    open_requested = Signal()

    def __init__(self, stain: Stain) -> None:
        super().__init__()
        self.setObjectName("emptyPane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel()
        self._title.setProperty("emphasis", True)
        self._text = QLabel()
        self._text.setObjectName("emptyText")
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        self._open = QPushButton("Open pair...")
        self._open.clicked.connect(self.open_requested)
        self._copy = QPushButton("Copy message")
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._text.text()))
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self._open)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(1)
        layout.addWidget(self._icon)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addSpacing(8)
        layout.addLayout(buttons)
        layout.addStretch(1)
        self._stain = stain
        self._opening = ""
        self._error: UserError | None = None
        self._show()

    def set_opening(self, text: str) -> None:
        self._opening = text
        self._show()

    def set_error(self, error: UserError | None) -> None:
        self._error = error
        self._show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show()

    def _show(self) -> None:
        error = None if self._opening else self._error
        if error is not None:
            icon, title, text = "warning", "This file cannot be shown", str(error)
        elif self._opening:
            icon, title, text = "hourglass", self._opening, ""
        else:
            icon, title, text = (
                "image",
                _TEACHING[self._stain],
                "A whole slide, or PNG, JPEG, TIFF, BMP or WebP. Ctrl+O opens a pair.",
            )
        self._icon.setPixmap(themed_pixmap(icon, 40, self.palette()))
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            if error is not None
            else Qt.TextInteractionFlag.NoTextInteraction
        )
        self._copy.setVisible(error is not None)
        self._open.setVisible(not self._opening)

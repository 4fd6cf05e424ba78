"""Image information: what a file says of itself, and its label, which is shown only when it is asked for."""

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from her2viewer.errors import UserError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.frame.popover import Popover
from her2viewer.gui.icons import themed_icon
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.panels.section import FactRows, quiet
from her2viewer.gui.parts import Parts
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import OpenedImage, State
from her2viewer.imaging.source import ImageSource, PixelSize, RGBImage
from her2viewer.imaging.thumbnail import shrunk
from her2viewer.scoring.stains import Stain

PRIVACY: Final = "A slide's label may name the patient. It is shown here only, and never exported."

_PICTURE_SIDE: Final = 320
_MOST_PROPERTIES: Final = 300
_MOST_HEIGHT: Final = 400
"""Logical pixels; more is scrolled."""

_LONGEST_VALUE: Final = 400


def facts(source: ImageSource, mpp: PixelSize | None) -> tuple[tuple[str, str], ...]:
    """Names and values: the file, the picture, then what the file says of itself, long texts cut."""
    width, height = source.size
    rows = [
        ("File", source.path.name),
        ("Format", source.format),
        ("Size", f"{width:,} x {height:,} px in {len(source.levels)} level{'s' if len(source.levels) > 1 else ''}"),
        ("Pixel size", f"{mpp.um:.4g} µm ({mpp.origin})" if mpp is not None else "not known"),
    ]
    rows += [("Converted", note) for note in source.notes]
    said = list(source.properties.items())
    rows += [(name, value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}...") for name, value in said]
    shown = rows[:_MOST_PROPERTIES]
    if len(rows) > len(shown):
        shown.append(("", f"and {len(rows) - len(shown)} more"))
    return tuple(shown)


class InformationPopover(Popover):
    """`pictures_wanted`: the user asks to see the label and the other pictures in the file."""

    pictures_wanted = Signal()

    def __init__(self, over: QWidget) -> None:
        super().__init__("Image information", 440, over)
        self._rows = FactRows()
        self._privacy = quiet(PRIVACY)
        self._privacy.setWordWrap(True)
        self.ask = QPushButton("Show the label")
        self.ask.clicked.connect(self.pictures_wanted)
        self._pictures = QVBoxLayout()
        self._pictures.setSpacing(4)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        column.addWidget(self._privacy)
        column.addWidget(self.ask)
        column.addLayout(self._pictures)
        column.addWidget(self._rows)
        column.addStretch(1)
        self._content = content
        self._scroll = scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        scroll.setObjectName("information")
        self.body.addWidget(scroll)

    def show_facts(self, rows: tuple[tuple[str, str], ...], pictures: tuple[str, ...]) -> None:
        """Names and values, and which pictures could be asked for."""
        self._rows.set_rows(rows)
        self._clear()
        self._privacy.setVisible(bool(pictures))
        self.ask.setVisible(bool(pictures))
        self.ask.setText("Show the label" if "label" in pictures else f"Show {len(pictures)} further pictures")

    def show_pictures(self, pictures: Mapping[str, RGBImage]) -> None:
        """The pictures themselves, each with its name."""
        self._clear()
        self.setFocus()
        self.ask.hide()
        for name, pixels in pictures.items():
            height, width = pixels.shape[:2]
            image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
            label = QLabel()
            label.setPixmap(QPixmap.fromImage(image))
            label.setAccessibleName(f"Picture in the file: {name}")
            self._pictures.addWidget(quiet(name))
            self._pictures.addWidget(label)
            label.show()  # now: how tall the popover is depends on it
        self.place()

    def show_trouble(self, error: UserError) -> None:
        """Why the pictures cannot be shown."""
        self._clear()
        self.setFocus()
        self.ask.hide()
        trouble = QLabel(str(error))
        trouble.setObjectName("trouble")
        trouble.setWordWrap(True)
        self._pictures.addWidget(trouble)
        trouble.show()
        self.place()

    def place(self) -> None:
        content = self._content
        content.adjustSize()
        height = content.heightForWidth(self._scroll.width()) if content.hasHeightForWidth() else content.height()
        self._scroll.setFixedHeight(min(max(height, 96), _MOST_HEIGHT))
        super().place()

    def _clear(self) -> None:
        while (item := self._pictures.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()


class InformationRoom:
    """A button in each pane's header, and the popover below it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.popover = InformationPopover(parts.window.body)
        self.popover.pictures_wanted.connect(self._on_pictures)
        self.popover.closed.connect(lambda: parts.lanes.files.drop("pictures"))
        self._image: OpenedImage | None = None
        self._buttons = {stain: self._add_button(stain, pane) for stain, pane in parts.window.panes.items()}
        parts.store.listen(self._on_state)
        self._show(parts.store.state)

    def handlers(self) -> Mapping[Id, Callable[[], object]]:
        """Who does what, for the window's actions."""
        return {Id.IMAGE_INFORMATION: lambda: self.open(self._parts.window.active_pane().stain)}

    def open(self, stain: Stain) -> None:
        """Shows what is known of a stain's image; asked for again, it goes."""
        state = self._parts.store.state
        image = state.image(stain)
        if image is None:
            return
        if not self.popover.isHidden() and image is self._image:
            self.popover.dismiss()
            return
        self._image = image
        self.popover.title.setText(f"{stain.caption} image")
        self.popover.show_facts(facts(image.source, resolve_mpp(state, stain)), image.source.associated)
        self.popover.open_below(self._buttons[stain])

    def escape(self) -> bool:
        """Esc: sends the popover away; False where it is not there."""
        there = not self.popover.isHidden()
        self.popover.dismiss()
        return there

    def _add_button(self, stain: Stain, pane: ImagePane) -> QToolButton:
        button = _InformationButton(f"Information on the {stain.caption} image")
        button.clicked.connect(lambda: self.open(stain))
        pane.add_to_header(button)
        return button

    def _on_pictures(self) -> None:
        if self._image is None:
            return
        source = self._image.source
        self._parts.lanes.files.submit(
            "pictures",
            lambda _: read_pictures(source),
            self.popover.show_pictures,
            failed=self.popover.show_trouble,
        )

    def _on_state(self, old: State, new: State) -> None:
        if old.slots is not new.slots:
            if self._image not in [slot.image for slot in new.slots.values()]:
                self.popover.dismiss()
            self._show(new)

    def _show(self, state: State) -> None:
        for stain, button in self._buttons.items():
            button.setVisible(state.image(stain) is not None)
        some = any(state.image(stain) is not None for stain in Stain)
        actions = self._parts.window.actions_
        actions.set_enabled({Id.IMAGE_INFORMATION: some})
        actions.set_reasons({Id.IMAGE_INFORMATION: "" if some else "Open an image first."})


class _InformationButton(QToolButton):
    """An icon that follows the theme."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(f"{name} (I)")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._paint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()

    def _paint(self) -> None:
        self.setIcon(themed_icon("info", self.palette()))


def read_pictures(source: ImageSource) -> dict[str, RGBImage]:
    """In the files lane: the further pictures in a file by name, the label first, small. Raises ImageError."""
    names = sorted(source.associated, key=lambda name: name != "label")
    return {name: shrunk(source.associated_image(name), _PICTURE_SIDE) for name in names}

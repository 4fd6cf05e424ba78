"""Which stain vectors the stain views are made by. Stands beside the work; what is chosen is seen at once."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from her2viewer.errors import StainVectorError
from her2viewer.gui.pane.stain_viewing import StainViewing, VectorKind, VectorWish
from her2viewer.gui.panels.section import quiet
from her2viewer.imaging.source import ImageSource
from her2viewer.imaging.stain_vectors import StainVectors, ruifrok_johnston, typed_vectors
from her2viewer.scoring.stains import Stain

_KINDS: Final = {
    Stain.HE: {VectorKind.USUAL: "As usual: estimated from the image"},
    Stain.IHC: {VectorKind.USUAL: "As usual: Ruifrok-Johnston"},
}
_MORE_KINDS: Final = {
    VectorKind.RUIFROK_JOHNSTON: "Ruifrok-Johnston: the same for every image",
    VectorKind.MACENKO: "Macenko: estimated from the image",
    VectorKind.TYPED: "Typed",
}


class StainVectorDialog(QDialog):
    """`wished`: a stain and the `VectorWish` for it, each time the user chooses or types vectors that are some."""

    wished = Signal(object, object)

    def __init__(self, wishes: Mapping[Stain, VectorWish], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Stain vectors")
        self.setMinimumWidth(480)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        self.parts = {stain: StainPart(stain, wishes[stain]) for stain in Stain}
        for stain, part in self.parts.items():
            part.wished.connect(lambda wish, stain=stain: self.wished.emit(stain, wish))
            layout.addWidget(part)
        words = quiet(
            "Optical density of red, green and blue; only their proportion counts. Stain views are not quantitative."
        )
        words.setWordWrap(True)
        layout.addWidget(words)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout.addWidget(buttons)

    def set_viewing(self, viewing: StainViewing, sources: Mapping[Stain, ImageSource]) -> None:
        """Shows the vectors in use."""
        for stain, part in self.parts.items():
            source = sources.get(stain)
            part.set_vectors(viewing.vectors(stain, source) if source is not None else None)


class StainPart(QGroupBox):
    """One stain: how its vectors are found, and which they are."""

    wished = Signal(object)

    def __init__(self, stain: Stain, wish: VectorWish) -> None:
        super().__init__(stain.caption)
        self._stain = stain
        self.kind = QComboBox()
        self.kind.setAccessibleName(f"Vectors of {stain.caption}")
        for kind, title in {**_KINDS[stain], **_MORE_KINDS}.items():
            self.kind.addItem(title, kind)
        self.kind.setCurrentIndex(self.kind.findData(wish.kind))
        self.typed = (QLineEdit(wish.first), QLineEdit(wish.second))
        self._trouble = QLabel()
        self._trouble.setObjectName("trouble")
        self._trouble.setWordWrap(True)
        self._note = quiet()
        self._note.setWordWrap(True)
        form = QFormLayout(self)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Vectors", self.kind)
        for name, line in zip(stain.dyes.value, self.typed, strict=True):
            line.setAccessibleName(f"Vector of {name}")
            line.textEdited.connect(self._tell)
            form.addRow(name[0].upper() + name[1:], line)
        form.addRow("", self._trouble)
        form.addRow("", self._note)
        for label in (self._trouble, self._note):
            label.hide()
        self._show_kind()
        self.kind.activated.connect(self._on_kind)

    @property
    def wish(self) -> VectorWish:
        """What is chosen and typed now."""
        kind = VectorKind(self.kind.currentData())
        first, second = (line.text() if kind is VectorKind.TYPED else "" for line in self.typed)
        return VectorWish(kind, first, second)

    def set_vectors(self, vectors: StainVectors | None) -> None:
        """Shows which vectors are in use; those that are being typed are left alone."""
        if vectors is None:
            return
        _say(self._note, vectors.note)
        if self.wish.kind is not VectorKind.TYPED:
            for line, vector in zip(self.typed, vectors.matrix, strict=False):
                line.setText(_text(vector))

    def _on_kind(self) -> None:
        self._show_kind()
        if self.wish.kind is VectorKind.TYPED and not all(line.text() for line in self.typed):
            for line, vector in zip(self.typed, ruifrok_johnston(self._stain.dyes).matrix, strict=False):
                line.setText(_text(vector))
        self._tell()

    def _show_kind(self) -> None:
        for line in self.typed:
            line.setReadOnly(self.wish.kind is not VectorKind.TYPED)

    def _tell(self) -> None:
        wish = self.wish
        try:
            if wish.kind is VectorKind.TYPED:
                typed_vectors(self._stain.dyes, wish.first, wish.second)
        except StainVectorError as error:
            _say(self._trouble, str(error))
            return
        _say(self._trouble, "")
        self.wished.emit(wish)


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


def _text(vector: np.ndarray) -> str:
    return " ".join(f"{part:.3f}" for part in vector)

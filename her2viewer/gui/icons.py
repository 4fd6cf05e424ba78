"""Icons: Phosphor, and no other set, in the colour of the text beside them."""

from pathlib import Path

import qtawesome
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette, QPixmap


def themed_icon(name: str, palette: QPalette) -> QIcon:
    """A Phosphor icon by its name in the colours of a palette. Made again when the theme changes."""
    group, role = QPalette.ColorGroup, QPalette.ColorRole
    text, faint = palette.color(group.Active, role.WindowText), palette.color(group.Disabled, role.WindowText)
    chosen = palette.color(group.Active, role.HighlightedText)
    return _phosphor(name, color=text, color_disabled=faint, color_selected=chosen)


def themed_pixmap(name: str, side: int, palette: QPalette) -> QPixmap:
    """The same as a picture, `side` logical pixels square, in the quieter colour of placeholders."""
    icon = _phosphor(name, color=palette.color(QPalette.ColorRole.PlaceholderText))
    return icon.pixmap(QSize(side, side))


def write_caret(folder: Path, colour: QColor) -> str:
    """Writes the arrow of drop-down lists in a colour, for a style sheet, which takes pictures from files only."""
    icon = _phosphor("caret-down", color=colour)
    path = folder / f"caret-{colour.name()[1:]}.png"
    for suffix, side in (("", 12), ("@2x", 24)):
        icon.pixmap(QSize(side, side), 1.0).save(str(path.with_stem(path.stem + suffix)))
    return path.as_posix()


def _phosphor(name: str, **colours: QColor) -> QIcon:
    icon: QIcon = qtawesome.icon(f"ph.{name}", **colours)  # type: ignore[no-untyped-call]
    return icon

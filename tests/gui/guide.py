"""Pictures of the user guide, made by the tests that drive what they show."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "guide" / "pictures"
QUALITY = 88

Photograph = Callable[[QWidget, str], QImage]
"""Takes a picture of a widget for the guide, under a name such as 'stain-views'."""


def photograph(widget: QWidget, name: str, quality: int = QUALITY, *, keep: bool) -> QImage:
    """The widget as it is drawn, looked at a little; written to the guide where it is to be kept.

    quality: of the JPEG; less where tissue fills the picture.
    """
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    assert len(_colours(image)) > 30, f"{name} shows next to nothing"
    if keep:
        FOLDER.mkdir(parents=True, exist_ok=True)
        assert image.save(str(FOLDER / f"{name}.jpg"), "JPEG", quality)
    return image


def _colours(image: QImage) -> np.ndarray:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(-1, 3)
    return np.unique(pixels[::97], axis=0)

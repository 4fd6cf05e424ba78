"""The scale bar: a round length that fits, drawn over the tissue on a plate of its own."""

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget


def round_length(um_per_device_px: float, longest_px: float) -> tuple[float, float]:
    """The longest of 1, 2, 5 x 10^n micrometres that is at most `longest_px` long: (micrometres, device pixels)."""
    longest = um_per_device_px * longest_px
    power = 10.0 ** math.floor(math.log10(longest))
    um = max(step * power for step in (1, 2, 5) if step * power <= longest * (1 + 1e-9))
    return um, um / um_per_device_px


def length_words(um: float) -> str:
    """'100 µm', '2 mm', '500 nm'."""
    if um >= 1000:
        return f"{um / 1000:g} mm"
    return f"{um:g} µm" if um >= 1 else f"{um * 1000:g} nm"


class ScaleBar(QWidget):
    """Bottom right of a pane. Shown only where the image says how large its pixels are."""

    LONGEST = 140

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._um_per_px: float | None = None
        self._um = 0.0
        self._length = 0.0
        self.hide()

    def set_scale(self, um_per_px: float | None) -> None:
        """um_per_px: micrometres per logical pixel of the screen, or None where they are not known."""
        if um_per_px == self._um_per_px:
            return
        self._um_per_px = um_per_px
        self.setVisible(um_per_px is not None)
        if um_per_px is None:
            return
        self._um, self._length = round_length(um_per_px, self.LONGEST)
        self.setAccessibleName(f"Scale bar, {length_words(self._um)}")
        metrics = QFontMetricsF(self.font())
        width = max(self._length, metrics.horizontalAdvance(length_words(self._um)))
        self.resize(math.ceil(width) + 16, math.ceil(metrics.height()) + 16)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(self.rect(), 4, 4)
        left = (self.width() - self._length) / 2
        painter.fillRect(QRectF(left, self.height() - 9, self._length, 3), Qt.GlobalColor.white)
        painter.setPen(Qt.GlobalColor.white)
        text_area = self.rect().adjusted(0, 4, 0, -11)
        painter.drawText(text_area, Qt.AlignmentFlag.AlignCenter, length_words(self._um))

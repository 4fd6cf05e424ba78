"""Four probabilities as bars that always carry their text."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.gui.theme import score_colour
from her2viewer.scoring.prediction import Prediction

_ROW = 24
_NAME_WIDTH = 32
_FIGURE_WIDTH = 64


class ProbabilityBars(QWidget):
    """A bar a class, in the order of the model's classes; the classes of the prediction set are emphasised."""

    def __init__(self) -> None:
        super().__init__()
        self._prediction: Prediction | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Probabilities")

    def set_prediction(self, prediction: Prediction | None) -> None:
        self._prediction = prediction
        if prediction is not None:
            pairs = zip(prediction.classes, prediction.probabilities, strict=True)
            words = ", ".join(f"{name} {figure(p)}" for name, p in pairs)
            self.setAccessibleDescription(words)
            self.setToolTip(f"Calibrated probabilities: {words}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        rows = len(self._prediction.classes) if self._prediction is not None else 4
        return QSize(200, rows * _ROW)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._prediction is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        prediction = self._prediction
        plain, strong = QFont(self.font()), QFont(self.font())
        strong.setWeight(QFont.Weight.DemiBold)
        track = self.palette().color(QPalette.ColorRole.Mid)
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        width = self.width() - _NAME_WIDTH - _FIGURE_WIDTH
        for row, (name, p) in enumerate(zip(prediction.classes, prediction.probabilities, strict=True)):
            top = row * _ROW
            painter.setFont(strong if name in prediction.prediction_set else plain)
            painter.setPen(ink)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, _NAME_WIDTH, _ROW), middle | Qt.AlignmentFlag.AlignLeft, name)
            painter.drawText(
                QRectF(self.width() - _FIGURE_WIDTH, top, _FIGURE_WIDTH, _ROW),
                middle | Qt.AlignmentFlag.AlignRight,
                figure(p),
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(track)
            painter.drawRoundedRect(QRectF(_NAME_WIDTH, top + 8, width, 8), 2, 2)
            painter.setBrush(score_colour(row, len(prediction.classes)))
            painter.drawRoundedRect(QRectF(_NAME_WIDTH, top + 8, max(width * p, 1.0), 8), 2, 2)


def figure(p: float) -> str:
    """A probability as text; never 0% or 100%, which no model can know."""
    if p < 0.001:
        return "<0.1%"
    if p > 0.999:
        return ">99.9%"
    return f"{p:.1%}"

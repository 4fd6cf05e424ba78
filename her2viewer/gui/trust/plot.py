"""Deletion and insertion as two small plots: the map's curve, the middle's, and the band of random maps.

Told apart without colour: the map's line is solid and thick, the middle's dotted, random maps are a hatched band; each is named
where it lies farthest from the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from her2viewer.scoring.trust.findings import Perturbation

_ROW: Final = 18
_TOP: Final = 26
"""Above a chart: its title and half of a figure."""
_HEIGHT: Final = 80
"""Of one chart, logical pixels."""
_LEFT: Final = 32
_RIGHT: Final = 8
_GAP: Final = 8
_CHART: Final = _TOP + _HEIGHT + _ROW + 4
_FINE: Final = 96
"""Places along a chart at which curves are looked at to name them."""


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """One plot. share: (n,) of the pixels; the others (n,) the probability of the class at each; low and high bound the band."""

    title: str
    share: NDArray[np.float64]
    of_map: NDArray[np.float64]
    centre: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def charts(perturbation: Perturbation) -> tuple[Chart, Chart]:
    """Deletion and insertion. A random map's negative is as random as it, and what comes in with a map is what goes with its
    negative: the band holds the curves of both."""
    of_map, centre, random = perturbation.of_map, perturbation.centre, perturbation.random
    share = of_map.share
    going = np.stack([one.deletion for one in random] + [np.interp(1 - share, share, one.insertion) for one in random])
    coming = np.stack([one.insertion for one in random] + [np.interp(1 - share, share, one.deletion) for one in random])
    return (
        Chart(
            "Taken away, strongest first",
            share,
            of_map.deletion,
            centre.deletion,
            going.min(axis=0),
            going.max(axis=0),
        ),
        Chart(
            "Brought back, strongest first",
            share,
            of_map.insertion,
            centre.insertion,
            coming.min(axis=0),
            coming.max(axis=0),
        ),
    )


class CurvePlot(QWidget):
    """Both charts, one above the other."""

    def __init__(self) -> None:
        super().__init__()
        self._charts: tuple[Chart, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Deletion and insertion curves")
        self.setToolTip(
            "Above: the probability of the class as what the map shows strongest is taken away.\n"
            "A map that knows why makes it fall early.\n"
            "Below: the same as it is brought back; such a map makes it rise early.\n"
            "The hatched band is what random maps do, the dotted line a spot in the middle."
        )

    def show_curves(self, perturbation: Perturbation | None) -> None:
        """Other curves, or none."""
        self._charts = charts(perturbation) if perturbation is not None else ()
        if perturbation is not None:
            of_map = perturbation.of_map
            self.setAccessibleDescription(
                f"Areas of the map: deletion {of_map.deletion_area:.2f}, insertion {of_map.insertion_area:.2f}; of random maps "
                f"{perturbation.random_area[0]:.2f}"
            )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 2 * _CHART + _GAP)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, chart in enumerate(self._charts):
            top = index * (_CHART + _GAP)
            area = QRectF(_LEFT, top + _TOP, self.width() - _LEFT - _RIGHT, _HEIGHT)
            self._paint_frame(painter, chart, area)
            self._paint_curves(painter, chart, area)

    def _paint_frame(self, painter: QPainter, chart: Chart, area: QRectF) -> None:
        ink, faint = (self.palette().color(role) for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Mid))
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(ink)
        painter.drawText(QRectF(0, area.top() - _TOP, self.width(), _ROW), Qt.AlignmentFlag.AlignLeft, chart.title)
        for share in (0.0, 0.5, 1.0):
            y, x = area.bottom() - share * area.height(), area.left() + share * area.width()
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(quiet)
            painter.drawText(
                QRectF(0, y - _ROW / 2, _LEFT - 6, _ROW),
                Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                f"{share:g}",
            )
            left = {0.0: area.left(), 1.0: self.width() - 64.0}.get(share, x - 32)
            beneath = QRectF(left, area.bottom() + 4, 64, _ROW)
            sides = {0.0: Qt.AlignmentFlag.AlignLeft, 1.0: Qt.AlignmentFlag.AlignRight}
            side = sides.get(share, Qt.AlignmentFlag.AlignHCenter)
            painter.drawText(beneath, side, f"{share:.0%}")

    def _paint_curves(self, painter: QPainter, chart: Chart, area: QRectF) -> None:
        ink, accent = (self.palette().color(role) for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Link))
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        upper, lower = _line(area, chart.share, chart.high), _line(area, chart.share, chart.low)
        band = QPolygonF([*upper, *reversed(lower)])
        ground, hatch = QColor(quiet), QColor(quiet)
        ground.setAlpha(48)
        hatch.setAlpha(130)
        painter.setPen(Qt.PenStyle.NoPen)
        for brush in (QBrush(ground), QBrush(hatch, Qt.BrushStyle.BDiagPattern)):
            painter.setBrush(brush)
            painter.drawPolygon(band)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(ink, 1.75, Qt.PenStyle.DotLine))
        painter.drawPolyline(QPolygonF(_line(area, chart.share, chart.centre)))
        painter.setPen(QPen(accent, 2.5))
        painter.drawPolyline(QPolygonF(_line(area, chart.share, chart.of_map)))
        self._name(painter, chart, area, {"map": accent, "middle": ink, "random": quiet})

    def _name(self, painter: QPainter, chart: Chart, area: QRectF, inks: dict[str, QColor]) -> None:
        metrics = QFontMetricsF(painter.font())
        sizes = {name: metrics.horizontalAdvance(name) + 2 for name in inks}
        ground = self.palette().color(QPalette.ColorRole.Midlight)
        for name, place in placed_names(chart, area, sizes, _ROW - 2).items():
            ground.setAlpha(190)
            painter.fillRect(place, ground)
            painter.setPen(inks[name])
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)


def placed_names(chart: Chart, area: QRectF, widths: dict[str, float], height: float) -> dict[str, QRectF]:
    """Where each curve is named: beside itself, as far as can be from the other curves and names.

    widths: of the names 'map', 'middle' and 'random', in logical pixels, which also is the order in which they choose.
    """
    share = np.linspace(0, 1, _FINE)
    xs = area.left() + share * area.width()

    def on_screen(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(area.bottom() - np.interp(share, chart.share, values) * area.height(), np.float64)

    lines = {"map": [on_screen(chart.of_map)], "middle": [on_screen(chart.centre)]}
    lines["random"] = [on_screen(chart.high), on_screen(chart.low)]
    placed: dict[str, QRectF] = {}
    for name, width in widths.items():
        best, where = -np.inf, QRectF()
        others = [line for other, found in lines.items() if other != name for line in found]
        for x in xs[2:-2]:
            left = float(np.clip(x - width / 2, area.left() + 2, area.right() - width - 2))
            beneath = (xs >= left - 2) & (xs <= left + width + 2)
            for line in lines[name]:
                for top in (float(line[beneath].min()) - height - 2, float(line[beneath].max()) + 3):
                    rect = QRectF(left, top, width, height)
                    if top < area.top() - 1 or rect.bottom() > area.bottom() + 1:
                        continue
                    if any(rect.intersects(other) for other in placed.values()):
                        continue
                    room = min(_clearance(rect, line[beneath]) for line in others)
                    if room > best:
                        best, where = room, rect
        if best > -np.inf:
            placed[name] = where
    return placed


def _clearance(rect: QRectF, line: NDArray[np.float64]) -> float:
    """Logical pixels from a rectangle to a line above or below it; below 0 where it crosses."""
    return float(np.maximum(rect.top() - line, line - rect.bottom()).min())


def _line(area: QRectF, share: Sequence[float] | NDArray[np.float64], values: NDArray[np.float64]) -> list[QPointF]:
    return [
        QPointF(area.left() + area.width() * float(x), area.bottom() - area.height() * float(np.clip(y, 0, 1)))
        for x, y in zip(share, values, strict=True)
    ]

"""The parts that panels are built of: a heading, a labelled row, a thin rule."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSlider, QWidget


def heading(text: str) -> QLabel:
    """The title of a panel."""
    label = QLabel(text)
    label.setProperty("emphasis", True)
    return label


def quiet(text: str = "") -> QLabel:
    """Text that matters less."""
    label = QLabel(text)
    label.setProperty("quiet", True)
    return label


def rule() -> QFrame:
    """A line between panels."""
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedHeight(1)
    return line


def scrolling(content: QWidget) -> QScrollArea:
    """A side panel's content, scrolled downwards where it is long and never sideways."""
    content.setObjectName("sideContent")
    side = QScrollArea()
    side.setObjectName("sidePanel")
    side.setFrameShape(QFrame.Shape.NoFrame)
    side.setWidgetResizable(True)
    side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    side.setWidget(content)
    return side


class FactRows(QWidget):
    """Names and values in two columns."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnMinimumWidth(0, 72)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[QLabel, QLabel]] = []

    def set_rows(self, rows: tuple[tuple[str, str], ...]) -> None:
        while len(self._rows) < len(rows):
            name, value = quiet(), QLabel()
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setWordWrap(True)
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(name, len(self._rows), 0)
            self._grid.addWidget(value, len(self._rows), 1)
            self._rows.append((name, value))
        for index, (name, value) in enumerate(self._rows):
            used = index < len(rows)
            name.setVisible(used)
            value.setVisible(used)
            if used:
                name.setText(rows[index][0])
                value.setText(rows[index][1])
        self.setVisible(bool(rows))


class PercentSlider(QWidget):
    """A slider from 0 to 100% with its figure beside it. `slider` speaks in whole percent."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(name)
        self.slider.setToolTip(tip)
        self._figure = QLabel("0%")
        self._figure.setFixedWidth(40)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.slider.valueChanged.connect(lambda value: self._figure.setText(f"{value}%"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self._figure)

    def set_share(self, share: float) -> None:
        """Shows a share of 0..1; nobody is told."""
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round(share * 100))
        self.slider.blockSignals(blocked)
        self._figure.setText(f"{self.slider.value()}%")

"""The agreement of reader and model: a table of counts, figures with intervals, for all cases or those of a tag. Not modal."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from her2viewer import RESEARCH_USE
from her2viewer.cases.agreement import Agreement
from her2viewer.cases.library.figures import StudyFigures
from her2viewer.gui.panels.section import FactRows, heading, quiet
from her2viewer.gui.readings.figures import EMPTY, resolve_agreement

_LEFT: Final = 88
_TOP: Final = 48
_CELL: Final = QSize(72, 44)


class AgreementDialog(QDialog):
    """Shows figures. Signals go out: `tag_chosen` (a tag or None), `table_wanted`."""

    tag_chosen = Signal(object)
    table_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Agreement with the model")
        self._figures: StudyFigures | None = None
        self.tags = QComboBox()
        self.tags.setAccessibleName("Which cases are counted")
        self.tags.addItem("All cases", None)
        self.tags.activated.connect(lambda _: self.tag_chosen.emit(self.tag))
        self.blind = QCheckBox("Blind readings alone")
        self.blind.setToolTip("Only those given before the model's score was seen: the others may have followed it")
        self.blind.toggled.connect(lambda _: self._show())
        self.counted = QLabel()
        self.counted.setWordWrap(True)
        self.table = CountsTable()
        self.rows = FactRows()
        self.few = QLabel()
        self.few.setObjectName("against")
        self.few.setWordWrap(True)
        self._limits = quiet(
            f"A score here is of one field, and the readers' cases are those that they chose to read. {RESEARCH_USE}"
        )
        self._limits.setWordWrap(True)
        self.empty = quiet(EMPTY)
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.save = QPushButton("Save the readings...")
        self.save.setToolTip("A row a reading, as CSV for a spreadsheet")
        self.save.clicked.connect(self.table_wanted)
        self._lay_out()
        self.resize(560, 600)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(16)
        bar.addWidget(self.tags)
        bar.addWidget(self.blind)
        bar.addStretch(1)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for widget in (self.counted, self.few, self.table, self.rows):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self._limits)
        nothing = QWidget()
        teaching = QVBoxLayout(nothing)
        teaching.setContentsMargins(0, 0, 0, 0)
        teaching.setSpacing(8)
        teaching.addWidget(heading("Nothing to compare yet"))
        teaching.addWidget(self.empty)
        teaching.addStretch(1)
        held = QWidget()
        self._stack = QStackedLayout(held)
        self._stack.addWidget(full)
        self._stack.addWidget(nothing)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 16, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(bar)
        layout.addWidget(held, 1)
        layout.addWidget(buttons)

    @property
    def tag(self) -> str | None:
        """The tag whose cases are counted; None for all."""
        chosen: str | None = self.tags.currentData()
        return chosen

    def show_tags(self, tags: Sequence[str]) -> None:
        """The tags there are; the one that is chosen stays as long as it is there."""
        chosen = self.tag
        if [self.tags.itemData(place) for place in range(1, self.tags.count())] != list(tags):
            self.tags.clear()
            self.tags.addItem("All cases", None)
            for tag in tags:
                self.tags.addItem(f"Tag: {tag}", tag)
            self.tags.setCurrentIndex(max(self.tags.findData(chosen), 0))

    def show_figures(self, figures: StudyFigures) -> None:
        self._figures = figures
        self._show()

    def _show(self) -> None:
        figures = self._figures
        if figures is None:
            return
        shown = resolve_agreement(figures, blind=self.blind.isChecked())
        self._stack.setCurrentIndex(1 if shown.empty else 0)
        self.save.setEnabled(not shown.empty)
        self.blind.setEnabled(not shown.empty)
        self.counted.setText(shown.counted)
        self.rows.set_rows(shown.rows)
        self.few.setText(shown.few)
        self.few.setVisible(bool(shown.few))
        self.table.set_agreement(figures.blind if self.blind.isChecked() else figures.agreement)


class CountsTable(QWidget):
    """Reader down, model across: each cell says its count, and the darker the more. What agrees is framed."""

    def __init__(self) -> None:
        super().__init__()
        self._agreement: Agreement | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Counts: your scores down, the model's across")

    def set_agreement(self, agreement: Agreement) -> None:
        self._agreement = agreement
        names = agreement.classes
        told = [
            f"you {mine}, model {its}: {agreement.counts[row, column]}"
            for row, mine in enumerate(names)
            for column, its in enumerate(names)
            if agreement.counts[row, column]
        ]
        self.setAccessibleDescription("; ".join(told) or "no counts")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        classes = len(self._agreement.classes) if self._agreement is not None else 4
        return QSize(_LEFT + (classes + 1) * _CELL.width(), _TOP + (classes + 1) * _CELL.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        agreement = self._agreement
        if agreement is None:
            return
        painter = QPainter(self)
        role, middle = QPalette.ColorRole, Qt.AlignmentFlag.AlignCenter
        ink, faint = self.palette().color(role.WindowText), self.palette().color(role.PlaceholderText)
        line = self.palette().color(role.Mid)
        names, counts = agreement.classes, agreement.counts
        most = max(int(counts.max()), 1)
        across = QRectF(_LEFT, 0, len(names) * _CELL.width(), 24)
        painter.setPen(faint)
        painter.drawText(across, middle, "The model's score")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, 24, _LEFT - 12, 24), right, "Your score")
        strong = QFont(self.font())
        strong.setWeight(QFont.Weight.DemiBold)
        painter.setFont(strong)
        for place, name in enumerate(names):
            painter.setPen(ink)
            painter.drawText(QRectF(_LEFT + place * _CELL.width(), 24, _CELL.width(), 24), middle, name)
            painter.drawText(QRectF(0, _TOP + place * _CELL.height(), _LEFT - 12, _CELL.height()), right, name)
        for row in range(len(names)):
            for column in range(len(names)):
                count = int(counts[row, column])
                cell = QRectF(
                    _LEFT + column * _CELL.width(), _TOP + row * _CELL.height(), _CELL.width(), _CELL.height()
                )
                ground = QColor(self.palette().color(role.Highlight))
                # Never so dark that the text upon it would need another colour.
                ground.setAlphaF(0.35 * count / most if count else 0.0)
                painter.fillRect(cell, ground)
                painter.setPen(QPen(line, 1))
                painter.drawRect(cell)
                if row == column:
                    painter.setPen(QPen(faint, 2))
                    painter.drawRect(cell.adjusted(2, 2, -2, -2))
                painter.setFont(strong if count else self.font())
                painter.setPen(ink if count else faint)
                painter.drawText(cell, middle, f"{count:,}")
        self._paint_sums(painter, agreement, faint)

    def _paint_sums(self, painter: QPainter, agreement: Agreement, ink: QColor) -> None:
        """How often each score was given, beside and beneath."""
        painter.setFont(self.font())
        painter.setPen(ink)
        classes = len(agreement.classes)
        width, height, middle = _CELL.width(), _CELL.height(), Qt.AlignmentFlag.AlignCenter
        for place in range(classes):
            of_reader, of_model = int(agreement.counts[place].sum()), int(agreement.counts[:, place].sum())
            painter.drawText(
                QRectF(_LEFT + classes * width, _TOP + place * height, width, height), middle, f"{of_reader:,}"
            )
            painter.drawText(QRectF(_LEFT + place * width, _TOP + classes * height, width, 24), middle, f"{of_model:,}")
        corner = QRectF(_LEFT + classes * width, _TOP + classes * height, width, 24)
        painter.drawText(corner, middle, f"{agreement.fields:,}")

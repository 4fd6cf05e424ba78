"""What a batch came to: how many of each score, and the scores beside the labels where the names hold them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from her2viewer.cases.agreement import Agreement, Figure
from her2viewer.export.results import ResultDocument
from her2viewer.gui.panels.section import FactRows, heading, quiet
from her2viewer.gui.theme import score_colour


@dataclass(frozen=True, eq=False, slots=True)
class Summed:
    """Rows counted. `agreement`: labels down, scores across; None where no name holds a label."""

    counts: tuple[tuple[str, int], ...]
    no_calls: int
    failed: int
    agreement: Agreement | None


def summed(results: Sequence[ResultDocument], failed: int, classes: Sequence[str]) -> Summed:
    """What is said of rows: results, how many failed, the model's classes in their order."""
    scores = Counter(result.score for result in results)
    labelled = [(result.label, result.score) for result in results if result.label in classes]
    return Summed(
        tuple((name, scores[name]) for name in classes),
        sum(result.no_call is not None for result in results),
        failed,
        Agreement.of(classes, ((str(label), score) for label, score in labelled)) if labelled else None,
    )


class SummaryPanel(QWidget):
    """Counts, and the table of labels against scores. Every figure stands as text; the shade repeats it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Summary of the batch")
        self.setFixedWidth(264)
        self._counts = FactRows()
        self._title = heading("Labels and scores")
        self._grid_of = QWidget()
        self._grid = QGridLayout(self._grid_of)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._figures = FactRows()
        self._note = quiet()
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(heading("Summary"))
        layout.addWidget(self._counts)
        layout.addSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self._grid_of)
        layout.addWidget(self._figures)
        layout.addWidget(self._note)
        layout.addStretch(1)

    def show_summary(self, told: Summed) -> None:
        """Shows rows as counted by `summed`."""
        total = sum(count for _, count in told.counts)
        rows = [(name, f"{count}  ({count / total:.0%})" if total else "0") for name, count in told.counts]
        rows += [("No call", str(told.no_calls)), ("Failed", str(told.failed))]
        self._counts.set_rows(tuple(rows))
        agreement = told.agreement
        for widget in (self._title, self._grid_of, self._figures):
            widget.setVisible(agreement is not None)
        self._note.setText(
            "Fields, not cases: ASCO/CAP scores the whole invasive component."
            if agreement is not None
            else "No label stands in the names or the table, so nothing is compared."
        )
        if agreement is not None:
            self._show_agreement(agreement)

    def _show_agreement(self, agreement: Agreement) -> None:
        while item := self._grid.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        classes, counts = agreement.classes, agreement.counts
        corner = quiet("label \\ score")
        self._grid.addWidget(corner, 0, 0)
        for place, name in enumerate(classes):
            across, down = QLabel(name), QLabel(name)
            across.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self._grid.addWidget(across, 0, place + 1)
            self._grid.addWidget(down, place + 1, 0)
            most = max(int(counts[place].sum()), 1)
            for other in range(len(classes)):
                count = int(counts[place, other])
                self._grid.addWidget(_cell(count, count / most, at=place == other), place + 1, other + 1)
        self._grid_of.setAccessibleDescription(_words(agreement))
        figures = (("Exact", agreement.exact), ("Within one", agreement.within_one))
        rows = [(name, _share(found)) for name, found in figures if found is not None]
        kappa = agreement.kappa
        told = "not to be told" if kappa is None else f"{kappa.value:.2f}  ({kappa.low:.2f} to {kappa.high:.2f})"
        rows.append(("Kappa", told))
        self._figures.set_rows((("Labelled", str(agreement.fields)), *rows))
        self._figures.setToolTip("Quadratic weighted kappa; 95% intervals in brackets")


def _cell(count: int, share: float, *, at: bool) -> QLabel:
    cell = QLabel(str(count) if count else "–")
    cell.setAlignment(Qt.AlignmentFlag.AlignCenter)
    cell.setMinimumSize(40, 24)
    colour = QColor(score_colour(0, 4))
    colour.setAlpha(round(110 * share))
    edge = "1px solid palette(mid)" if at else "1px solid transparent"
    cell.setStyleSheet(f"background: {colour.name(QColor.NameFormat.HexArgb)}; border: {edge};")
    return cell


def _share(found: Figure) -> str:
    return f"{found.value:.0%}  ({found.low:.0%} to {found.high:.0%})"


def _words(agreement: Agreement) -> str:
    """The table for a screen reader."""
    told = []
    for place, label in enumerate(agreement.classes):
        row = ", ".join(
            f"{int(agreement.counts[place, other])} as {name}" for other, name in enumerate(agreement.classes)
        )
        told.append(f"Labelled {label}: {row}")
    return ". ".join(told)

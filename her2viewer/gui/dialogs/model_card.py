"""The model card: which model it is, why not to rely on it, what was measured, and what was not."""

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby

from PySide6.QtCore import QSizeF, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextOption
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from her2viewer import RESEARCH_USE
from her2viewer.gui.dialogs.reliability import ReliabilityPlot
from her2viewer.gui.panels.section import FactRows, heading, quiet, rule, scrolling
from her2viewer.gui.state import Model
from her2viewer.scoring.package import Metric, ModelManifest, Reliability

WIDTH = 760
_SHORT_HASH = 12


class ModelCardDialog(QDialog):
    """One page, read from the top: the caution first, the makers' full card last. It scrolls downwards and never sideways."""

    def __init__(self, model: Model, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Model card")
        self.resize(WIDTH, 720)
        content = QWidget()
        self._page = QVBoxLayout(content)
        self._page.setContentsMargins(16, 16, 16, 16)
        self._page.setSpacing(8)
        facts = model.facts
        manifest = facts.manifest if facts is not None else None
        if facts is None or manifest is None:
            self._add(_text(str(model.error) if model.error is not None else "No model is loaded."))
        else:
            self._fill(manifest, facts.card)
        self._page.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        if manifest is not None:
            copy = QPushButton("Copy name and hash")
            copy.setToolTip("For a report: the name, the version and the SHA-256 of the weights")
            copy.clicked.connect(lambda: _copy(f"{manifest.identity}, SHA-256 {manifest.weights.sha256}"))
            buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(16)
        layout.addWidget(scrolling(content))
        layout.addWidget(buttons)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()

    def _fill(self, manifest: ModelManifest, card: str) -> None:
        self._add(heading(str(manifest.identity)), _text(manifest.description))
        caution = _text("\n\n".join(filter(None, (manifest.caution, RESEARCH_USE))))
        caution.setObjectName("against")
        facts = FactRows()
        facts.set_rows(_facts(manifest))
        self._add(caution, facts)
        self._part("What was measured", _figures(manifest.metrics))
        self._part("Reliability", *_reliability(manifest.reliability))
        self._part("Known limits", _list(manifest.limits, "This package names them in its full card, below."))
        self._part(
            "Not tested on", _list(manifest.not_tested_on, "This package does not say what it was not tested on.")
        )
        self._part("Full card", _FullCard(card))

    def _part(self, title: str, *widgets: QWidget) -> None:
        self._page.addSpacing(8)
        self._add(rule(), heading(title), *widgets)

    def _add(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self._page.addWidget(widget)


def _text(words: str) -> QLabel:
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _list(sentences: Sequence[str], otherwise: str) -> QLabel:
    return _text("\n\n".join(sentences)) if sentences else quiet(otherwise)


def _facts(manifest: ModelManifest) -> tuple[tuple[str, str], ...]:
    calibration, layout = manifest.calibration, manifest.input
    conformal = calibration.conformal
    sets = "none measured"
    if conformal is not None:
        of = "each score by itself" if conformal.quantiles else "all scores together"
        source = conformal.data or "held out of the training data"
        sets = f"aim at {conformal.level:.0%} of {of}, from {conformal.fields:,} fields ({source})"
    return (
        ("Weights", f"SHA-256 {manifest.weights.sha256[:_SHORT_HASH]}..., {manifest.weights.dtype}"),
        ("Made", manifest.created),
        ("Scores", ", ".join(manifest.classes)),
        (
            "Input",
            f"{layout.width} x {layout.height} px, {' and '.join(stain.caption for stain in layout.order)}, "
            f"a field of {layout.field_um:.0f} um",
        ),
        ("Trained on", manifest.training.data),
        ("Split", manifest.training.split),
        ("Started", manifest.training.start),
        ("Sets", sets),
    )


def _figures(metrics: Sequence[Metric]) -> QLabel:
    """A table: data set by data set, each figure with its 95% interval."""
    if not metrics:
        return quiet("Nothing was measured of this package.")
    head = "".join(f"<th align='{side}'>{name}</th>" for name, side in _COLUMNS)
    rows = [f"<tr>{head}</tr>"]
    for dataset, figures in groupby(metrics, lambda metric: metric.dataset):
        rows.append(f"<tr><td colspan='3'><br><b>{escape(dataset)}</b></td></tr>")
        for metric in figures:
            value, interval = metric.shown
            name = f"<td>{escape(metric.name)}</td>"
            rows.append(f"<tr>{name}<td align='right'>{value}</td><td align='right'>{interval}</td></tr>")
    label = QLabel(f"<table width='100%' cellspacing='0' cellpadding='2'>{''.join(rows)}</table>")
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


_COLUMNS = (("figure", "left"), ("value", "right"), ("95% interval", "right"))


def _reliability(measured: Sequence[Reliability]) -> list[QWidget]:
    """A plot, and where there are several data sets which one it shows; that of most fields first."""
    if not measured:
        return [quiet("This package holds no reliability figures.")]
    ordered = sorted(measured, key=lambda one: -_fields(one))
    plots = QStackedWidget()
    for one in ordered:
        plots.addWidget(ReliabilityPlot(one))
    words = _text(
        "A model that knows how sure it may be lies on the dashed line: of the scores given with a probability of 80%, 80% "
        "are right. Bars are 95% intervals."
    )
    if len(ordered) == 1:
        return [words, quiet(f"On {ordered[0].dataset}, {_fields(ordered[0]):,} fields."), plots]
    choice = QComboBox()
    choice.setAccessibleName("Data of the reliability plot")
    for one in ordered:
        choice.addItem(f"{one.dataset} ({_fields(one):,} fields)")
    choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    choice.setMinimumContentsLength(32)
    choice.currentIndexChanged.connect(plots.setCurrentIndex)
    return [words, choice, plots]


def _fields(one: Reliability) -> int:
    return sum(each.fields for each in one.bins)


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)


class _FullCard(QTextBrowser):
    """The makers' Markdown as long as it is; lines of code are broken where they have no room."""

    def __init__(self, card: str) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.document().documentLayout().documentSizeChanged.connect(self._grow)
        self.setMarkdown(card)
        self._break_code()

    def _break_code(self) -> None:
        block = self.document().begin()
        while block.isValid():
            form = block.blockFormat()
            if form.nonBreakableLines():
                form.setNonBreakableLines(False)
                QTextCursor(block).setBlockFormat(form)
            block = block.next()

    def _grow(self, size: QSizeF) -> None:
        self.setFixedHeight(max(math.ceil(size.height()) + 2, 32))

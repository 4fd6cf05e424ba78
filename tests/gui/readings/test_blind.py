"""Blind first: whatever the model says, the window is the same to the last pixel and word until the reader has scored.

Two windows do the same on the same images with models of other answers. What can be read of them, seen, heard by a screen
reader, found by command search or pointed at is compared: a score that leaked anywhere would differ.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QEvent, QModelIndex, Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QMenu,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from her2viewer.cases.shape import Shape
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.batch.dialog import BatchDialog
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.fields.state import RunPhase
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase, ScorePhase
from her2viewer.scoring.evidence import Evidence, FieldPixels

from ..conftest import CLASSES, FakeScorer, fake_package, opened
from .conftest import known, read, scored, settled, shown


@dataclass
class Answering(FakeScorer):
    """Says one class of everything, with its own probabilities and map."""

    answer: int = 0

    def score(self, field: FieldPixels) -> Evidence:
        told = super().score(field)
        probabilities = np.full(4, 0.02 + 0.01 * self.answer)
        probabilities[self.answer] = 1 - 3 * probabilities[0]
        prediction = replace(
            told.prediction,
            score=CLASSES[self.answer],
            probabilities=tuple(float(p) for p in probabilities),
            prediction_set=CLASSES[max(self.answer - 1, 0) : self.answer + 1],
        )
        return replace(told, prediction=prediction, class_maps=told.class_maps + self.answer)


@dataclass
class Seen:
    """What a window tells: words by where they stand, and its picture."""

    words: dict[str, str] = field(default_factory=dict)
    picture: QImage = field(default_factory=QImage)

    def differences(self, other: "Seen") -> list[str]:
        keys = sorted(self.words.keys() | other.words.keys())
        found = [f"{key}: {self.words.get(key)!r} / {other.words.get(key)!r}" for key in keys
                 if self.words.get(key) != other.words.get(key)]  # fmt: skip
        if self.picture != other.picture:
            found.append("the picture of the window")
        return found


ROLES = [role for role in Qt.ItemDataRole if role.value < Qt.ItemDataRole.UserRole.value]


def look(app: App) -> Seen:
    """Everything that anybody could read or see."""
    seen = Seen()
    for top in [app.window, *(one for one in app.window.findChildren(QDialog) if one.isVisible())]:
        _look_at(top, type(top).__name__, seen.words)
    for action in app.window.findChildren(QAction):
        name = action.objectName() or action.text()
        seen.words[f"action {name}"] = f"{action.text()} {action.toolTip()} {action.isEnabled()} {action.isChecked()}"
    search = app.window.command_search
    search._gather()
    for command in search._commands:
        key = command.id if not command.id.startswith("case ") else f"case {command.text}"
        seen.words[f"command {key}"] = f"{command.text} {command.tip} {command.words} {command.why} {command.icon}"
    seen.words["title"] = app.window.windowTitle()
    seen.picture = app.window.grab().toImage()
    return seen


def _look_at(widget: QWidget, path: str, words: dict[str, str]) -> None:
    if not widget.isVisible():
        return
    told = [widget.toolTip(), widget.accessibleName(), widget.accessibleDescription(), widget.statusTip()]
    told += [widget.windowTitle(), str(widget.isEnabled()), widget.styleSheet()]
    for name in ("text", "title", "placeholderText", "toPlainText", "value", "isChecked", "currentText", "format"):
        getter = getattr(widget, name, None)
        if callable(getter):
            told.append(str(getter()))
    if isinstance(widget, QLabel) and not widget.pixmap().isNull():
        told.append(f"picture {widget.pixmap().cacheKey() != 0} {widget.pixmap().size()}")
    if isinstance(widget, QTextEdit):
        told.append(widget.toHtml())
    if isinstance(widget, (QAbstractItemView, QComboBox)) and widget.model() is not None:
        told.append(_model_words(widget.model()))
    words[path] = " | ".join(told)
    children = [child for child in widget.children() if isinstance(child, QWidget) and not isinstance(child, QMenu)]
    for place, child in enumerate(children):
        _look_at(child, f"{path}/{place} {type(child).__name__} {child.objectName()}", words)


def _model_words(model: QAbstractItemModel) -> str:
    told: list[Any] = []
    for row in range(model.rowCount()):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount()):
            index = model.index(row, column, QModelIndex())
            told += [str(data) for role in ROLES if (data := model.data(index, role)) is not None
                     and not hasattr(data, "cacheKey")]  # fmt: skip
            told += [type(data).__name__ for role in ROLES if hasattr(data := model.data(index, role), "cacheKey")]
    return " ; ".join(told)


Windows = Callable[[int], App]


@pytest.fixture
def windows(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Windows]:
    """Makes a window whose model answers a class, with settings and library of its own that stay for the next of that class."""
    made: list[App] = []

    def make(answer: int) -> App:
        settings = Settings(tmp_path / f"answer{answer}" / "settings.ini")
        settings.demo_at_start = False
        settings.membranes_after_score = False
        settings.hints_gone = ["stains", "beneath", "commands"]
        package = fake_package(tmp_path)

        def load(_: ModelWish) -> tuple[Answering, Any]:
            return Answering(answer=answer), package

        app = App(qapp, settings, loader=load)
        app.window.resize(1280, 800)
        app.start()
        made.append(app)
        qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
        app.cases.panel.setMinimumWidth(240)
        return app

    yield make
    for app in made:
        app.window.close()


def calm(app: App, qtbot: QtBot) -> None:
    """Nothing moves any more."""
    settled(app, qtbot)
    views = [pane.view for pane in app.window.panes.values()]
    app.window.setFocus()
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    app.window.grab()
    qtbot.waitUntil(lambda: all(view.mosaic.settled for view in views))
    qtbot.waitUntil(lambda: not app.fields._refresh.isActive() and not app.lanes.inference.busy)
    qtbot.wait(30)


def both(windows: Windows, act: Callable[[App], None]) -> tuple[Seen, Seen]:
    """The same done in two windows whose models say 0 and 3+; what each then shows."""
    seen = []
    for answer in (0, 3):
        app = windows(answer)
        act(app)
        seen.append(look(app))
        app.window.close()
    return seen[0], seen[1]


def prepare(app: App, qtbot: QtBot, pair: tuple[Path, Path], *, blind: bool) -> None:
    """A pair scored, its field scored, and a score map of it; then blind, as long as wished."""
    app.readings.set_blind(blind)
    shown(app, qtbot, pair)
    scored(app, qtbot)
    app.fields.editor.add(Shape.rectangle(20, 20, 120, 120))
    if not blind:
        app.fields.scoring.score()
        qtbot.waitUntil(lambda: app.store.state.scoring.key is not None and app.store.state.scoring.evidence is not None)
        app.fields.grid.start(None)
        qtbot.waitUntil(lambda: app.store.state.fields.run.phase is RunPhase.DONE)
    app.window.docks.show_panel(Panel.FIELDS)


def test_scores_that_were_there_before_blind_are_gone(
    windows: Windows, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    def act(app: App) -> None:
        shown(app, qtbot, other_pair)
        scored(app, qtbot)
        prepare(app, qtbot, pair, blind=False)
        app.membranes.read()
        qtbot.waitUntil(lambda: app.store.state.membranes.reading is not None or app.store.state.membranes.error is not None)
        app.readings.set_blind(True)
        calm(app, qtbot)
        state = app.store.state
        assert state.scoring.phase is ScorePhase.SEALED and state.drawn.attribution is None
        assert state.membranes.reading is None and not state.what_if.on
        assert "label" not in app.cases.panel.list.rows.rows[0].label

    first, second = both(windows, act)
    assert first.differences(second) == []
    assert not any("00001_train_2+" in words for key, words in first.words.items()), "the name's label is not shown"


def test_the_same_without_blind_differs_everywhere(windows: Windows, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    """That the comparison finds a score where there is one."""

    def act(app: App) -> None:
        prepare(app, qtbot, pair, blind=False)
        app.readings.set_blind(True)
        calm(app, qtbot)
        app.readings.set_blind(False)
        calm(app, qtbot)

    first, second = both(windows, act)
    told = "\n".join(first.differences(second))
    for where in ("ScorePanel", "CaseListView", "QTableView fieldsTable", "the picture", "command case"):
        assert where in told, where


def test_scored_in_blind_and_paged_back(
    windows: Windows, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    def act(app: App) -> None:
        prepare(app, qtbot, pair, blind=True)
        shown(app, qtbot, other_pair)
        scored(app, qtbot)
        opened(app, qtbot, pair)
        known(app, qtbot)
        calm(app, qtbot)
        assert app.store.state.scoring.phase is ScorePhase.SEALED
        for action in (Id.EXPORT, Id.WHAT_IF, Id.READ_MEMBRANES, Id.QUESTION_MAP, Id.GRID, Id.SCORE_FIELD, Id.EXPORT_FIELDS):
            assert not app.window.actions_[action].isEnabled(), action

    first, second = both(windows, act)
    assert first.differences(second) == []


def test_a_window_opened_again_keeps_what_it_knows_to_itself(
    windows: Windows, qtbot: QtBot, pair: tuple[Path, Path], other_pair: tuple[Path, Path]
) -> None:
    for answer in (0, 3):
        app = windows(answer)
        prepare(app, qtbot, pair, blind=False)
        shown(app, qtbot, other_pair)
        scored(app, qtbot)
        app.readings.set_blind(True)
        app.window.close()

    def act(app: App) -> None:
        assert app.store.state.readings.blind, "the wish is remembered"
        app.library.list_recent()
        qtbot.waitUntil(lambda: len(app.store.state.cases.pairs) == 2)
        shown(app, qtbot, pair)
        app.window.docks.show_panel(Panel.FIELDS)
        calm(app, qtbot)
        assert len(app.store.state.fields.annotations) == 1 and app.store.state.fields.score_map is not None

    first, second = both(windows, act)
    assert first.differences(second) == []


def test_the_table_of_a_batch(windows: Windows, qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    def act(app: App) -> None:
        app.readings.set_blind(True)
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        app.desk.batch()
        dialog = app.window.findChild(BatchDialog)
        assert dialog is not None
        run_batch(dialog, qtbot, folder, out)
        calm(app, qtbot)
        dialog.resize(960, 640)

    first, second = both(windows, act)
    # How long a pair took is another each time.
    assert [one for one in first.differences(second) if "second" not in one.lower()] == []
    told = " ".join(words for key, words in first.words.items() if "QTableView" in key and "Batch" in key)
    assert told.count("Scored, hidden until you have read it") >= 4 and "train_3+" not in told


def run_batch(dialog: BatchDialog, qtbot: QtBot, folder: Path, out: Path) -> None:
    qtbot.waitExposed(dialog)
    dialog.first.setText(str(folder))
    dialog.first.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(dialog.table.lines))
    dialog.out.setText(str(out))
    qtbot.waitUntil(dialog.start.isEnabled)
    qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._words.text().startswith("Done"))


def test_the_readers_score_reveals_the_model(windows: Windows, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    app = windows(3)
    prepare(app, qtbot, pair, blind=True)
    assert app.readings.sign.isVisible() and app.window.reading_panel.blind.isChecked()
    assert "hidden until you have scored" in app.window.reading_panel._words.text()
    assert not app.window.score_panel._button.isVisible(), "it has been scored"
    read(app, qtbot, "2+")
    state = app.store.state
    assert state.scoring.phase is ScorePhase.SCORED and state.drawn.attribution is not None
    words = app.window.reading_panel._words.text()
    assert words.startswith("The model says 3+, one step apart. You scored first. Read in ")
    read(app, qtbot, "3+")
    assert app.window.reading_panel._words.text().startswith("The model agrees: 3+. You had seen it.")
    app.window.actions_[Id.UNDO].trigger()
    app.window.actions_[Id.UNDO].trigger()
    qtbot.waitUntil(lambda: app.store.state.readings.reading is None)
    assert app.store.state.scoring.phase is ScorePhase.SEALED, "no reading stands, so the model is hidden again"

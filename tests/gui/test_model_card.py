"""The model card in the window: caution first, figures with intervals, and whatever an older package does not have."""

import dataclasses

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QScrollArea, QStackedWidget, QTextBrowser
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.app import App
from her2viewer.gui.dialogs.model_card import ModelCardDialog
from her2viewer.gui.dialogs.reliability import ReliabilityPlot
from her2viewer.gui.state import Model, ModelFacts, ModelPhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.package import Metric, Reliability, ReliabilityBin, bundled_package

from .conftest import fake_package
from .guide import Photograph
from .test_pane import pixels_of

CODE = "# Card\n\n## How\n\n```sh\n" + "python -m training " + "package " * 60 + "\n```\n"
BINS = tuple(
    ReliabilityBin(
        low=k / 10, high=(k + 1) / 10, fields=20 * k, confidence=k / 10 + 0.05, exact=k / 10,
        exact_low=k / 10 - 0.08, exact_high=k / 10 + 0.09,
    )
    for k in range(4, 10)
)  # fmt: skip


@pytest.fixture
def model(tmp_path) -> Model:
    manifest = fake_package(tmp_path).manifest.model_copy(
        update={
            "caution": "Do not rely on it.",
            "metrics": (
                Metric(dataset="a <set>", name="accuracy", value=0.678, low=0.631, high=0.725, fields=360),
                Metric(dataset="a <set>", name="quadratic weighted kappa", value=0.812, fields=360),
            ),
            "reliability": (Reliability(dataset="few", bins=BINS[:1]), Reliability(dataset="many", bins=BINS)),
            "limits": ("It knows nothing.",),
            "not_tested_on": ("Anything at all.",),
        }
    )
    facts = ModelFacts(manifest.identity, manifest.classes, "CPU", "fp32", 0.9, {}, (), CODE, manifest=manifest)
    return Model(ModelPhase.READY, facts)


def texts(dialog: ModelCardDialog) -> list[str]:
    return [label.text() for label in dialog.findChildren(QLabel)]


def test_the_caution_stands_before_every_figure(qtbot: QtBot, model: Model) -> None:
    dialog = ModelCardDialog(model)
    qtbot.addWidget(dialog)
    said = texts(dialog)
    places = [
        next(i for i, text in enumerate(said) if part in text)
        for part in ("fake 1", "Do not rely on it.", "67.8% (244 of 360)", "It knows nothing.", "Anything at all.")
    ]
    assert places == sorted(places)
    assert "For Research Use Only" in said[places[1]]
    table = said[places[2]]
    assert "63.1% to 72.5%" in table and "0.812" in table and "a &lt;set&gt;" in table
    assert any("SHA-256 000000000000" in text for text in said)


def test_the_card_never_scrolls_sideways(qtbot: QtBot, model: Model) -> None:
    dialog = ModelCardDialog(model)
    qtbot.addWidget(dialog)
    dialog.resize(640, 600)
    dialog.show()
    qtbot.waitExposed(dialog)
    side, browser = dialog.findChild(QScrollArea), dialog.findChild(QTextBrowser)
    assert isinstance(side, QScrollArea) and isinstance(browser, QTextBrowser)
    assert side.widget().width() <= side.viewport().width()
    assert browser.horizontalScrollBar().maximum() == 0 and browser.verticalScrollBar().maximum() == 0
    assert browser.document().size().width() <= browser.viewport().width() + 1
    assert "package package" in browser.toPlainText()


def test_the_reliability_of_most_fields_comes_first_and_others_can_be_chosen(qtbot: QtBot, model: Model) -> None:
    dialog = ModelCardDialog(model)
    qtbot.addWidget(dialog)
    choice, plots = dialog.findChild(QComboBox), dialog.findChild(QStackedWidget)
    assert isinstance(choice, QComboBox) and isinstance(plots, QStackedWidget)
    assert [choice.itemText(i) for i in range(2)] == ["many (780 fields)", "few (80 fields)"]
    first = plots.currentWidget()
    choice.setCurrentIndex(1)
    assert isinstance(first, ReliabilityPlot) and plots.currentWidget() is not first
    assert "40% to 50%: 40% right (32% to 49%), 80 fields" in first.accessibleDescription()
    first.resize(400, 360)
    picture = pixels_of(first.grab().toImage())
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_a_package_without_the_newer_parts_is_shown_as_it_is(app: App, qtbot: QtBot) -> None:
    app.window.actions_[ActionId.MODEL_CARD].trigger()
    dialog = app.window.findChild(ModelCardDialog)
    assert isinstance(dialog, ModelCardDialog)
    said = texts(dialog)
    assert "This package holds no reliability figures." in said
    assert "This package does not say what it was not tested on." in said
    dialog.findChildren(QPushButton)[-1].click()
    copy = next(button for button in dialog.findChildren(QPushButton) if button.text() == "Copy name and hash")
    copy.click()
    assert QGuiApplication.clipboard().text() == "fake 1, SHA-256 " + "0" * 64


def test_a_click_on_the_models_name_opens_it_and_ctrl_k_finds_it(app: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(app.window.status_line._model, Qt.MouseButton.LeftButton)
    assert app.window.findChild(ModelCardDialog) is not None
    search = app.window.command_search
    search.open_over(app.window)
    qtbot.keyClicks(search.line, "accuracy valid")
    assert search.list.count() == 1
    search.hide()


def test_without_a_model_it_says_so(qtbot: QtBot) -> None:
    dialog = ModelCardDialog(Model())
    qtbot.addWidget(dialog)
    assert "No model is loaded." in texts(dialog)


def test_the_bundled_models_card(app: App, qtbot: QtBot, guide_picture: Photograph) -> None:
    package = bundled_package()
    app.choose_theme(ThemeChoice.LIGHT)
    facts = app.store.state.model.facts
    assert facts is not None
    of_bundled = dataclasses.replace(facts, manifest=package.manifest, card=package.card)
    dialog = ModelCardDialog(Model(ModelPhase.READY, of_bundled), app.window)
    dialog.resize(760, 900)
    dialog.show()
    qtbot.waitExposed(dialog)
    assert package.manifest.caution in "\n".join(texts(dialog))
    guide_picture(dialog, "model-card")
    dialog.close()

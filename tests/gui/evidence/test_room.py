"""The evidence of a score, by the menu and its dialog; what is written is what the command line can check."""

import json
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from her2viewer.cases.log import ActionLog
from her2viewer.export.bundle import verify_bundle
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.app import App
from her2viewer.gui.evidence.dialog import EvidenceDialog
from her2viewer.gui.evidence.making import EvidenceWish, Written
from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.scorer import Scorer
from tests.batch.conftest import random_package, random_scorer

__all__ = ["random_package", "random_scorer"]

CASE = "00001_train_2+"


@pytest.fixture
def real_app(scored_app: App, random_package: ModelPackage, random_scorer: Scorer, qtbot: QtBot) -> App:
    """The pair scored by a real network with random weights."""
    bench = scored_app.bench
    bench._loader = lambda _: (random_scorer, random_package)
    scored_app.scoring.load_model(scored_app.settings.model)
    identity = random_package.manifest.identity
    qtbot.waitUntil(lambda: (facts := scored_app.store.state.model.facts) is not None and facts.identity == identity)
    scored_app.scoring.score()

    def there() -> bool:
        found = scored_app.store.state.scoring.evidence
        return found is not None and found.prediction.model == identity

    qtbot.waitUntil(there, timeout=10_000)
    return scored_app


def asked(app: App, qtbot: QtBot, folder: Path) -> EvidenceDialog:
    app.settings.set_text_of("export/folder", str(folder))
    qtbot.keyClick(app.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog: EvidenceDialog = app.window.findChild(EvidenceDialog)
    return dialog


def test_the_evidence_by_the_dialog(real_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = real_app
    log = ActionLog(tmp_path / "log.jsonl")
    entry = log.append("score", {"case_id": CASE})
    kept: list[Written] = []
    app.evidence.log_of = lambda _: (entry,)
    app.evidence.on_written = kept.append
    dialog = asked(app, qtbot, tmp_path)
    assert dialog.name.text() == f"{CASE}_evidence"
    dialog.export.click()
    assert app.store.state.exporting is not None and not app.window.actions_[Id.EXPORT_EVIDENCE].isEnabled()
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"), timeout=60_000)
    assert app.store.state.exporting is None
    path = tmp_path / f"{CASE}_evidence.zip"
    found = verify_bundle(path)
    assert found.intact and found.title.endswith(f"of case {CASE}, 7 parts")
    with zipfile.ZipFile(path) as archive:
        result = json.loads(archive.read(f"{CASE}.json"))
        assert f"{CASE}_overlay.png" in archive.namelist()
        assert archive.read("log.jsonl").decode() == entry.line + "\n"
    evidence = app.store.state.scoring.evidence
    assert evidence is not None and result["score"] == evidence.prediction.score
    assert [(one.head, one.case_id) for one in kept] == [(found.head, CASE)]
    app.window.messages._remedy.click()
    assert QGuiApplication.clipboard().text() == found.head


def test_names_are_left_out_of_all_of_it(real_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = real_app
    app.evidence.log_of = lambda _: pytest.fail("a log names cases")
    dialog = asked(app, qtbot, tmp_path)
    dialog.no_names.click()
    assert dialog.name.text() == "evidence"
    dialog.export.click()
    qtbot.waitUntil(lambda: app.window.messages.text.startswith("Written"), timeout=60_000)
    assert app.settings.no_names  # remembered for the next export
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        for name in archive.namelist():
            assert "00001" not in name and b"00001_train" not in archive.read(name), name
    assert verify_bundle(tmp_path / "evidence.zip").intact


def test_it_can_be_cancelled_and_leaves_nothing(real_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = real_app
    app.evidence.export(EvidenceWish(tmp_path / "a.zip", False))
    qtbot.waitUntil(lambda: (doing := app.store.state.exporting) is not None and doing.done == 1, timeout=10_000)
    qtbot.keyClick(app.window, Qt.Key.Key_Escape)
    assert app.store.state.exporting is None
    qtbot.waitUntil(lambda: not (app.lanes.inference.busy or app.lanes.files.busy))
    assert list(tmp_path.iterdir()) == [] or not (tmp_path / "a.zip").exists()


def test_what_fails_is_said(real_app: App, qtbot: QtBot, tmp_path: Path) -> None:
    app = real_app
    app.evidence.export(EvidenceWish(tmp_path / "nowhere" / "a.zip", False))
    qtbot.waitUntil(lambda: "a.zip" in app.window.messages.text and "folder" in app.window.messages.text, timeout=60_000)
    assert app.store.state.exporting is None and not (tmp_path / "nowhere").exists()


def test_without_a_score_there_is_nothing_to_export(app: App) -> None:
    assert not app.window.actions_[Id.EXPORT_EVIDENCE].isEnabled()
    app.evidence.open()
    assert app.window.findChild(EvidenceDialog) is None

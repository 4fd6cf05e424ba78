"""The dialogs, by clicks and keys."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QMenu, QTextBrowser
from pytestqt.qtbot import QtBot

from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS
from her2viewer.gui.app import App
from her2viewer.gui.bench import ModelWish
from her2viewer.gui.crash import CrashReporter, report_of, start_log
from her2viewer.gui.dialogs.about import AboutDialog
from her2viewer.gui.dialogs.open_pair import OpenPairDialog
from her2viewer.gui.dialogs.preferences import PreferencesDialog
from her2viewer.gui.dialogs.shortcuts import ShortcutSheet
from her2viewer.gui.settings import Settings
from her2viewer.gui.state import ModelPhase
from her2viewer.gui.theme import ThemeChoice
from her2viewer.scoring.stains import Stain

from .conftest import opened

Ctrl = Qt.KeyboardModifier.ControlModifier


def find(app: App, kind: type[QDialog]) -> QDialog:
    found = app.window.findChild(kind)
    assert isinstance(found, kind)
    return found


def test_open_pair_by_the_dialog(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    qtbot.keyClick(app.window, Qt.Key.Key_O, Ctrl)
    dialog = find(app, OpenPairDialog)
    assert isinstance(dialog, OpenPairDialog)
    assert not dialog.open_button.isEnabled()
    qtbot.keyClicks(dialog.rows[Stain.HE].line, str(pair[1]))
    dialog.rows[Stain.IHC].line.setText(str(pair[0]))
    qtbot.waitUntil(dialog.open_button.isEnabled)
    assert "look swapped" in dialog._hint.text()
    qtbot.mouseClick(dialog.swap, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.open_button.isEnabled)
    assert dialog._hint.text() == ""
    assert not dialog.rows[Stain.HE]._picture.pixmap().isNull()
    qtbot.mouseClick(dialog.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: tuple(image.source.path for image in app.store.state.pair or ()) == pair)


def test_open_pair_says_what_is_wrong(app: App, qtbot: QtBot, pair: tuple[Path, Path], tmp_path: Path) -> None:
    app.desk.open_pair()
    dialog = find(app, OpenPairDialog)
    assert isinstance(dialog, OpenPairDialog)
    dialog.set_files({Stain.HE: pair[0], Stain.IHC: pair[0]})
    qtbot.waitUntil(lambda: "same picture" in dialog._hint.text())
    assert not dialog.open_button.isEnabled()
    bad = tmp_path / "text.png"
    bad.write_text("hello")
    dialog.rows[Stain.IHC].line.setText(str(bad))
    qtbot.waitUntil(lambda: "Holds text" in dialog.rows[Stain.IHC]._words.text())
    assert not dialog.open_button.isEnabled()
    dialog.close()


def test_command_search_runs_what_was_meant(app: App, qtbot: QtBot, pair: tuple[Path, Path]) -> None:
    opened(app, qtbot, pair)
    qtbot.keyClick(app.window, Qt.Key.Key_K, Ctrl)
    search = app.window.command_search
    assert search.isVisible()
    qtbot.keyClicks(search.line, "wrong si")
    assert search.list.count() == 1
    qtbot.keyClick(search.line, Qt.Key.Key_Return)
    assert not search.isVisible()
    swapped = app.store.state.pair
    assert swapped is not None and swapped[0].source.path == pair[1]
    app.window.command_search.open_over(app.window)
    qtbot.keyClicks(search.line, "xyzzy")
    assert search._none.isVisible()
    search.hide()


def test_what_cannot_be_done_now_is_listed_and_not_run(app: App, qtbot: QtBot) -> None:
    search = app.window.command_search
    search.open_over(app.window)
    qtbot.keyClicks(search.line, "export")
    assert search.list.count() >= 1
    assert search.list.currentItem() is None
    qtbot.keyClick(search.line, Qt.Key.Key_Return)
    assert search.isVisible()
    search.hide()


def test_preferences_change_theme_and_model(app: App, qtbot: QtBot, settings: Settings, tmp_path: Path) -> None:
    app.desk.preferences()
    dialog = find(app, PreferencesDialog)
    assert isinstance(dialog, PreferencesDialog)
    dialog.theme.setCurrentIndex(dialog.theme.findData(ThemeChoice.DARK))
    dialog.precision.setCurrentIndex(dialog.precision.findData("bf16"))
    dialog.score_on_open.setChecked(True)
    dialog.folder.setText(str(tmp_path))
    dialog.verify.click()
    qtbot.waitUntil(lambda: "not a model package" in dialog._verdict.text())
    dialog.folder.clear()
    dialog.accept()
    assert app.theme.is_dark
    assert settings.model == ModelWish(None, "auto", "bf16")
    assert settings.score_on_open
    qtbot.waitUntil(lambda: app.store.state.model.phase is ModelPhase.READY)
    assert app.store.state.model.facts is not None and app.store.state.model.facts.precision == "bf16"
    app.choose_theme(ThemeChoice.SYSTEM)


def test_every_key_stands_on_the_sheet(app: App, qtbot: QtBot) -> None:
    qtbot.keyClick(app.window, Qt.Key.Key_F1)
    words = {label.text() for label in find(app, ShortcutSheet).findChildren(QLabel)}
    for spec in SPECS:
        assert not spec.keys or spec.text.rstrip(".") in words


def test_about_names_the_parts_and_their_licences(app: App) -> None:
    app.desk.about()
    texts = "\n".join(browser.toPlainText() for browser in find(app, AboutDialog).findChildren(QTextBrowser))
    assert "pyqtgraph" in texts and "LGPL" in texts


def test_everything_that_can_be_pressed_has_a_name(app: App) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit

    for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractSlider):
        for widget in app.window.findChildren(kind):
            if not widget.isVisibleTo(app.window):
                continue
            inner = widget.objectName().startswith("qt_") or "ScrollBar" in type(widget).__name__
            named = widget.accessibleName() or widget.toolTip() or getattr(widget, "text", str)()
            assert inner or named, widget


def test_a_menu_holds_every_action(app: App) -> None:
    menus = app.window.menuBar().findChildren(QMenu)
    listed = {action.objectName() for menu in menus for action in menu.actions()}
    assert {str(action) for action in ActionId} <= listed


def test_crash_reports_are_logged_and_heard(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import logging

    log = tmp_path / "logs" / "x.log"
    logger = logging.getLogger("her2viewer")
    before = list(logger.handlers)
    start_log(log)
    reporter = CrashReporter()
    heard: list[str] = []
    reporter.reported.connect(heard.append)
    error = ValueError("odd")
    reporter._on_exception(ValueError, error, None)
    assert "ValueError: odd" in heard[0]
    assert "ValueError: odd" in log.read_text(encoding="utf-8")
    assert "HER2 Viewer" in report_of(error)
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()

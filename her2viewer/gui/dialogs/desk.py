"""Opens the dialogs and carries what they were told to those who do it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from her2viewer.gui.controllers.images import Opener
from her2viewer.gui.crash import log_path
from her2viewer.gui.dialogs.about import AboutDialog
from her2viewer.gui.dialogs.open_pair import OpenPairDialog
from her2viewer.gui.dialogs.preferences import Preferences, PreferencesDialog
from her2viewer.gui.dialogs.report import ReportDialog
from her2viewer.gui.dialogs.shortcuts import ShortcutSheet

if TYPE_CHECKING:
    from her2viewer.gui.app import App


class Desk:
    """One method a dialog. None of them waits: what is chosen comes by signal."""

    def __init__(self, app: "App", opener: Opener) -> None:
        self._app = app
        self._opener = opener

    def open_pair(self) -> None:
        """Ctrl+O."""
        app = self._app
        dialog = OpenPairDialog(app.settings.folder, self._opener, app.lanes.files, app.window)
        dialog.chosen.connect(app.images.open)
        self._show(dialog)

    def export(self) -> None:
        """Ctrl+E."""

    def cancel_export(self) -> None:
        """Esc while a picture is being written."""

    def batch(self) -> None:
        """Ctrl+B."""

    def preferences(self) -> None:
        """Ctrl+,."""
        app, state = self._app, self._app.store.state
        notices = state.model.facts.notices if state.model.facts is not None else ()
        now = Preferences(app.settings.model, app.settings.theme, app.settings.score_on_open)
        dialog = PreferencesDialog(now, notices, app.lanes.files, app.window)
        dialog.accepted_with.connect(lambda wanted: self._take(now, wanted))
        self._show(dialog)

    def shortcuts(self) -> None:
        """F1."""
        self._show(ShortcutSheet(self._app.window))

    def about(self) -> None:
        """What this is made of."""
        facts = self._app.store.state.model.facts
        self._show(AboutDialog(facts.card if facts is not None else None, self._app.window))

    def show_report(self, text: str) -> None:
        """A bug was met."""
        self._show(ReportDialog(text, log_path().name, self._app.window))

    def close(self) -> None:
        """Closes what is open."""
        for dialog in self._app.window.findChildren(QDialog):
            dialog.close()

    def _take(self, now: Preferences, wanted: Preferences) -> None:
        app = self._app
        app.settings.score_on_open = wanted.score_on_open
        app.choose_theme(wanted.theme)
        if wanted.model != now.model:
            app.settings.model = wanted.model
            app.scoring.load_model(wanted.model)

    def _show(self, dialog: QDialog) -> None:
        """Shows a dialog beside the work; it is deleted when it is closed."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

"""Opens the dialogs and carries what they were told to those who do it."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog

from her2viewer.batch.options import BatchOptions
from her2viewer.gui.controllers.exporting import ExportWish, case_id, exportable
from her2viewer.gui.controllers.images import Opener
from her2viewer.gui.crash import log_path
from her2viewer.gui.dialogs.about import AboutDialog
from her2viewer.gui.dialogs.batch import BatchDialog, BatchWish
from her2viewer.gui.dialogs.export import ExportDialog
from her2viewer.gui.dialogs.open_pair import OpenPairDialog
from her2viewer.gui.dialogs.preferences import Preferences, PreferencesDialog
from her2viewer.gui.dialogs.report import ReportDialog
from her2viewer.gui.dialogs.shortcuts import ShortcutSheet
from her2viewer.gui.state import ModelPhase, State
from her2viewer.scoring.stains import Stain

if TYPE_CHECKING:
    from her2viewer.gui.app import App


class Desk:
    """One method a dialog. None of them waits: what is chosen comes by signal."""

    def __init__(self, app: "App", opener: Opener) -> None:
        self._app = app
        self._opener = opener
        self._batch: BatchDialog | None = None

    def open_pair(self) -> None:
        """Ctrl+O."""
        app = self._app
        dialog = OpenPairDialog(app.settings.folder, self._opener, app.lanes.files, app.window)
        dialog.chosen.connect(app.images.open)
        self._show(dialog)

    def export(self) -> None:
        """Ctrl+E."""
        app = self._app
        shown = exportable(app.store.state)
        if shown is None:
            return
        folder = Path(app.settings.text_of("export/folder") or Path.home())
        name = f"{case_id(shown.images)}_overlay"
        dialog = ExportDialog(folder, name, map_on=app.store.state.overlay_on, parent=app.window)
        dialog.chosen.connect(self._export)
        self._show(dialog)

    def _export(self, wish: ExportWish) -> None:
        self._app.settings.set_text_of("export/folder", str(wish.path.parent))
        self._app.exporting.export(wish)

    def batch(self) -> None:
        """Ctrl+B. There is one such dialog: closed while it runs, it comes back as it was."""
        app = self._app
        if self._batch is None:
            self._batch = BatchDialog("", show_in_folder, app.window)
            app.batch.attach(self._batch)
            self._batch.look_requested.connect(app.batch.look)
            self._batch.start_requested.connect(self._start_batch)
            self._batch.cancel_requested.connect(app.batch.cancel)
            self._batch.pair_wanted.connect(lambda pair: app.images.open({Stain.HE: pair.he, Stain.IHC: pair.ihc}))
            app.store.listen(lambda _old, new: self._tell_batch(new))
        self._tell_batch(app.store.state)
        self._batch.show()
        self._batch.raise_()
        self._batch.activateWindow()

    def _tell_batch(self, state: State) -> None:
        if self._batch is not None:
            self._batch.set_model_ready(state.model.phase is ModelPhase.READY)

    def _start_batch(self, wish: BatchWish) -> None:
        state = self._app.store.state
        facts = state.model.facts
        if facts is None:
            return
        options = BatchOptions(
            out=wish.out,
            overlay=wish.overlays,
            style=state.style,
            stage=state.wish.stage,
            resume=wish.resume,
            model=facts.identity,
            root=wish.root,
            coverage=facts.coverage,
        )
        self._app.batch.start(wish.pairs, options)

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
        if wanted.model == now.model:
            return
        app.settings.model = wanted.model
        if app.batch.running:
            app.window.messages.say("A batch is running: the other model or device is used from the next start on.")
        else:
            app.scoring.load_model(wanted.model)

    def _show(self, dialog: QDialog) -> None:
        """Shows a dialog beside the work; it is deleted when it is closed."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()


def show_in_folder(path: Path) -> None:
    """Opens a folder, or the folder of a file, in the desktop's own file manager."""
    folder = path if path.is_dir() else path.parent
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

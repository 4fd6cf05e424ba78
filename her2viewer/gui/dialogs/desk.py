"""Opens the dialogs and carries what they were told to those who do it."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QMessageBox

from her2viewer.batch.options import BatchOptions
from her2viewer.cases.pair import Pair
from her2viewer.gui.batch.dialog import BatchDialog, BatchWish
from her2viewer.gui.cases.thumbnails import Thumbnails
from her2viewer.gui.controllers.exporting import ExportWish, exportable, pair_of
from her2viewer.gui.crash import log_path
from her2viewer.gui.dialogs.about import AboutDialog
from her2viewer.gui.dialogs.export import ExportDialog
from her2viewer.gui.dialogs.model_card import ModelCardDialog
from her2viewer.gui.dialogs.open_pair import OpenPairDialog
from her2viewer.gui.dialogs.preferences import Preferences, PreferencesDialog
from her2viewer.gui.dialogs.report import ReportDialog
from her2viewer.gui.dialogs.shortcuts import ShortcutSheet
from her2viewer.gui.dialogs.stain_vectors import StainVectorDialog
from her2viewer.gui.parts import Parts
from her2viewer.gui.state import ModelPhase, State
from her2viewer.scoring.stains import Stain


class Desk:
    """One method a dialog. None of them waits: what is chosen comes by signal."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._batch: BatchDialog | None = None
        self._closing = False
        self.on_hints_wanted: Callable[[], object] = lambda: None
        """Who shows the first-time hints again."""

    def open_pair(self) -> None:
        """Ctrl+O."""
        parts = self._parts
        dialog = OpenPairDialog(parts.settings.folder, parts.opener, parts.lanes.files, parts.window)
        dialog.chosen.connect(parts.images.open)
        self._show(dialog)

    def export(self) -> None:
        """Ctrl+E."""
        parts = self._parts
        shown = exportable(parts.store.state)
        if shown is None:
            return
        folder = Path(parts.settings.text_of("export/folder") or Path.home())
        name = "_".join(filter(None, (pair_of(shown.images).case_id, shown.title, "overlay")))
        map_on = parts.store.state.overlay_on
        no_names = parts.settings.no_names
        dialog = ExportDialog(
            folder, name, map_on=map_on, field=shown.title, no_names=no_names, parent=parts.window
        )
        dialog.chosen.connect(self._export)
        self._show(dialog)

    def _export(self, wish: ExportWish) -> None:
        self._parts.settings.set_text_of("export/folder", str(wish.path.parent))
        self._parts.settings.no_names = wish.no_names
        self._parts.exporting.export(wish)

    def batch(self) -> None:
        """Ctrl+B. There is one such dialog: closed while it runs, it comes back as it was."""
        parts = self._parts
        if self._batch is None:
            self._thumbnails = Thumbnails(parts.lanes.files, parts.opener, parts.window)
            self._batch = BatchDialog("", show_in_folder, parts.window, self._thumbnails.get)
            self._thumbnails.made.connect(self._batch.table.repaint)
            self._batch.seen_changed.connect(self._thumbnails.want)
            parts.batch.attach(self._batch)
            self._batch.doubt_requested.connect(parts.batch.doubt)
            self._batch.save_list_requested.connect(parts.batch.save_list)
            self._batch.pause_requested.connect(parts.batch.pause)
            self._batch.go_on_requested.connect(parts.batch.go_on)
            self._batch.look_requested.connect(parts.batch.look)
            self._batch.start_requested.connect(self._start_batch)
            self._batch.cancel_requested.connect(parts.batch.cancel)
            self._batch.pair_wanted.connect(self._open_pair)
            parts.store.listen(lambda _old, new: self._tell_batch(new))
            parts.store.listen(self._veil_batch)
        self._tell_batch(parts.store.state)
        self._veil_batch(None, parts.store.state)
        self._batch.show()
        self._batch.raise_()
        self._batch.activateWindow()

    def _open_pair(self, pair: Pair) -> None:
        files = {Stain.HE: pair.he, Stain.IHC: pair.ihc}
        self._parts.images.open({stain: path for stain, path in files.items() if path is not None})

    def _tell_batch(self, state: State) -> None:
        if self._batch is not None:
            self._batch.set_model_ready(state.model.phase is ModelPhase.READY)

    def _veil_batch(self, old: State | None, new: State) -> None:
        """In blind mode a case that was not read shows no score there either."""
        now = new.readings
        kept = (now.blind, now.known, now.phase)
        if self._batch is not None and (old is None or kept != (old.readings.blind, old.readings.known, old.readings.phase)):
            self._batch.table.hide_where(lambda pair: now.hides_case(pair.he, pair.ihc))

    def _start_batch(self, wish: BatchWish) -> None:
        state = self._parts.store.state
        facts = state.model.facts
        if facts is None:
            return
        options = BatchOptions(
            out=wish.out,
            overlay=wish.overlays,
            style=state.style,
            stage=state.wish.stage,
            method=state.wish.method,
            resume=wish.resume,
            model=facts.identity,
            root=None if wish.no_names else wish.root,
            coverage=facts.coverage,
            align=wish.align,
            explain=wish.explain,
        )
        self._parts.batch.start(wish.pairs, options, no_names=wish.no_names)

    def may_close(self) -> bool:
        """Whether the window may close now. Where a batch is running the user is asked, and it closes once that is answered."""
        parts, progress = self._parts, self._parts.store.state.batch
        if not parts.batch.running or self._closing:
            return True
        done = f"{progress.done} of {progress.total}" if progress is not None else "None"
        box = QMessageBox(QMessageBox.Icon.NoIcon, "A batch is running", "A batch is running.", parent=parts.window)
        box.setInformativeText(
            f"{done} pairs are done and kept. To go on with them later, choose the same folder for the results."
        )
        stop = box.addButton("Stop it and close", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton("Let it run", QMessageBox.ButtonRole.RejectRole))
        box.finished.connect(lambda _: self._stop_and_close() if box.clickedButton() is stop else None)
        self._show(box)
        return False

    def _stop_and_close(self) -> None:
        self._closing = True
        self._parts.batch.cancel()
        self._parts.window.close()

    def preferences(self) -> None:
        """Ctrl+,."""
        parts, state = self._parts, self._parts.store.state
        notices = state.model.facts.notices if state.model.facts is not None else ()
        settings = parts.settings
        now = Preferences(settings.model, settings.theme, settings.score_on_open, settings.register_on_open)
        dialog = PreferencesDialog(now, notices, parts.lanes.files, parts.window)
        dialog.accepted_with.connect(lambda wanted: self._take(now, wanted))
        self._show(dialog)

    def stain_vectors(self) -> None:
        """Beside the work, and open for as long as is wished."""
        parts = self._parts
        dialog = StainVectorDialog(parts.store.state.stain_viewing.wishes, parts.window)

        def show(_old: State, new: State) -> None:
            images = ((stain, new.image(stain)) for stain in Stain)
            dialog.set_viewing(new.stain_viewing, {stain: image.source for stain, image in images if image is not None})

        dialog.wished.connect(parts.stain_views.find_by)
        show(parts.store.state, parts.store.state)
        parts.store.listen(show)
        dialog.finished.connect(lambda _: parts.store.stop_listening(show))
        self._show(dialog)

    def shortcuts(self) -> None:
        """F1."""
        self._show(ShortcutSheet(self._parts.window))

    def about(self) -> None:
        """What this is made of."""
        self._show(AboutDialog(self._parts.window))

    def model_card(self) -> None:
        """By Help, and by a click on the model's name."""
        self._show(ModelCardDialog(self._parts.store.state.model, self._parts.window))

    def show_report(self, text: str) -> None:
        """A bug was met."""
        self._show(ReportDialog(text, log_path().name, self._parts.window))

    def close(self) -> None:
        """Closes what is open."""
        for dialog in self._parts.window.findChildren(QDialog):
            dialog.close()

    def _take(self, now: Preferences, wanted: Preferences) -> None:
        parts = self._parts
        parts.settings.score_on_open = wanted.score_on_open
        parts.settings.register_on_open = wanted.register_on_open
        parts.settings.theme = wanted.theme
        if wanted.hints_again:
            self.on_hints_wanted()
        parts.theme.choose(wanted.theme)
        if wanted.model == now.model:
            return
        parts.settings.model = wanted.model
        if parts.batch.running:
            parts.window.messages.say("A batch is running: the other model or device is used from the next start on.")
        else:
            parts.scoring.load_model(wanted.model)

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

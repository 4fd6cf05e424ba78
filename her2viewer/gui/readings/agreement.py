"""Opens the agreement of reader and model, keeps it up to date while it is open, and writes its table."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from her2viewer.cases.library.figures import StudyFigures
from her2viewer.cases.library.library import Library
from her2viewer.export.readings import write_readings
from her2viewer.gui.controllers.messenger import Level, Remedy
from her2viewer.gui.dialogs.desk import show_in_folder
from her2viewer.gui.library.room import LibraryRoom
from her2viewer.gui.parts import Parts
from her2viewer.gui.readings.dashboard import AgreementDialog
from her2viewer.gui.state import State


class AgreementRoom(QObject):
    """There is one such dialog; it stays beside the work."""

    def __init__(self, parts: Parts, library: LibraryRoom) -> None:
        super().__init__(parts.window)
        self._parts, self._library = parts, library
        self.dialog: AgreementDialog | None = None
        parts.store.listen(self._on_state)

    def show(self) -> None:
        """Opens it, or brings it to the front."""
        if self.dialog is None:
            self.dialog = AgreementDialog(self._parts.window)
            self.dialog.tag_chosen.connect(lambda _: self._ask())
            self.dialog.table_wanted.connect(self._choose_file)
        self._ask()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def write(self, path: Path) -> None:
        """Every reading that the figures rest on, a row each."""
        tag = self.dialog.tag if self.dialog is not None else None

        def work(library: Library) -> int:
            return write_readings(path, library, tag)

        def written(rows: int) -> None:
            show = Remedy("Show in folder", lambda: show_in_folder(path))
            self._parts.window.messages.say(f"Written: {path.name}, {rows} readings.", Level.INFO, show)

        self._library.keeper.ask("readings table", work, written)

    def _ask(self) -> None:
        dialog = self.dialog
        if dialog is None:
            return
        tag = dialog.tag

        def work(library: Library) -> StudyFigures:
            return library.study(tag)

        dialog.show_tags(self._parts.store.state.readings.tags)
        self._library.keeper.ask("agreement", work, dialog.show_figures)

    def _choose_file(self) -> None:
        settings = self._parts.settings
        folder = Path(settings.text_of("reading/folder") or Path.home())
        dialog = QFileDialog(self._parts.window, "Save the readings", str(folder / "readings.csv"), "Table (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.fileSelected.connect(lambda file: self._save(Path(file)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _save(self, path: Path) -> None:
        self._parts.settings.set_text_of("reading/folder", str(path.parent))
        self.write(path)

    def _on_state(self, old: State, new: State) -> None:
        # `known` is asked for again after every change of the library.
        if self.dialog is not None and self.dialog.isVisible() and old.readings.known is not new.readings.known:
            self._ask()

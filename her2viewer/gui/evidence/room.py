"""Ties the export of evidence to the window: read and written in the files lane, questioned in the inference lane."""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from her2viewer.cases.log import Entry
from her2viewer.cases.pair import Pair
from her2viewer.errors import UserError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.bench import Bench
from her2viewer.gui.controllers.exporting import Exportable, exportable, pair_of
from her2viewer.gui.controllers.messenger import Level, Remedy
from her2viewer.gui.evidence.dialog import EvidenceDialog
from her2viewer.gui.evidence.making import EvidenceWish, Questioned, Written, question, read, write
from her2viewer.gui.lanes import Context, Progress
from her2viewer.gui.parts import Parts
from her2viewer.scoring.evidence import FieldPixels

_TOPIC = "evidence"


class EvidenceRoom:
    """One export at a time, of what stood on screen when it was asked for."""

    def __init__(self, parts: Parts, bench: Bench) -> None:
        self._parts, self._bench = parts, bench
        self._under_way = False
        self.log_of: Callable[[Exportable], tuple[Entry, ...]] = lambda _: ()
        """The entries of a log that are about what is exported; called in the files lane."""
        self.on_written: Callable[[Written], object] = lambda _: None
        """Who keeps in a log that a bundle was written."""

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Who does the action of this room."""
        return {Id.EXPORT_EVIDENCE: self.open}

    def open(self) -> None:
        """Asks where to."""
        parts = self._parts
        shown = exportable(parts.store.state)
        if shown is None:
            return
        folder = Path(parts.settings.text_of("export/folder") or Path.home())
        name = "_".join(filter(None, (pair_of(shown.images).case_id, shown.title, "evidence")))
        no_names = parts.settings.no_names
        dialog = EvidenceDialog(folder, name, no_names=no_names, field=shown.title, parent=parts.window)
        dialog.chosen.connect(self._on_chosen)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def export(self, wish: EvidenceWish) -> None:
        """Makes and writes the bundle; what is on screen stays usable meanwhile."""
        shown, store = exportable(self._parts.store.state), self._parts.store
        if shown is None or store.state.exporting is not None:
            return
        self._under_way = True
        store.change(exporting=Progress(0, 3, "Reading the images"))
        self._parts.lanes.files.submit(
            _TOPIC,
            lambda _: read(shown, wish.no_names),
            lambda found: self._question(found, wish),
            failed=self._on_failed,
            cancelled=self._on_end,
        )

    def cancel(self) -> None:
        """Stops before the next step; what was begun leaves no file."""
        if self._under_way:
            self._parts.lanes.files.drop(_TOPIC)
            self._parts.lanes.inference.drop(_TOPIC)
            self._on_end()

    def _on_chosen(self, wish: EvidenceWish) -> None:
        self._parts.settings.set_text_of("export/folder", str(wish.path.parent))
        self._parts.settings.no_names = wish.no_names
        self.export(wish)

    def _question(self, found: tuple[Exportable, Pair, FieldPixels], wish: EvidenceWish) -> None:
        bench = self._bench

        def work(context: Context) -> Questioned:
            return question(found, bench.scorer, bench.package, lambda: context.token.cancelled)

        self._parts.store.change(exporting=Progress(1, 3, "Questioning the score"))
        self._parts.lanes.inference.submit(
            _TOPIC, work, lambda made: self._write(made, wish), failed=self._on_failed, cancelled=self._on_end
        )

    def _write(self, made: Questioned, wish: EvidenceWish) -> None:
        self._parts.store.change(exporting=Progress(2, 3, f"Writing {wish.path.name}"))
        self._parts.lanes.files.submit(
            _TOPIC,
            # A log names cases; where names are left out, so is the log.
            lambda _: write(made, wish.path, () if wish.no_names else self.log_of(made.shown)),
            self._on_written,
            failed=self._on_failed,
            cancelled=self._on_end,
        )

    def _on_written(self, written: Written) -> None:
        self._on_end()
        copy = Remedy("Copy the hash", lambda: QGuiApplication.clipboard().setText(written.head))
        self._parts.window.messages.say(
            f"Written: {written.path.name}. Note its hash elsewhere, to check it against: {written.head[:16]}...",
            Level.INFO,
            copy,
        )
        self.on_written(written)

    def _on_failed(self, error: UserError) -> None:
        self._on_end()
        self._parts.window.messages.say_error(error)

    def _on_end(self) -> None:
        self._under_way = False
        self._parts.store.change(exporting=None)

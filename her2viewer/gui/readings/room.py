"""Ties the reader's own score to the window: keys and buttons, blind first, tags, notes, and the agreement of all cases."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel

from her2viewer.cases.library.library import Library
from her2viewer.cases.library.records import Reading
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.icons import themed_pixmap
from her2viewer.gui.library.room import LibraryRoom
from her2viewer.gui.membranes.state import MembraneState
from her2viewer.gui.parts import Parts
from her2viewer.gui.readings.agreement import AgreementRoom
from her2viewer.gui.readings.resolve import SCORE_ACTIONS, resolve_reading
from her2viewer.gui.readings.state import LibraryPhase
from her2viewer.gui.state import State


class ReadingsRoom(QObject):
    """Built once. `forget_membranes`: stops the second reader, whose score is as good a hint as the model's."""

    def __init__(self, parts: Parts, library: LibraryRoom, forget_membranes: Callable[[], object]) -> None:
        super().__init__(parts.window)
        self._parts, self._store, self._library = parts, parts.store, library
        self._forget_membranes = forget_membranes
        self.panel = parts.window.reading_panel
        self.agreement = AgreementRoom(parts, library)
        self._opened = time.monotonic()
        self.sign = QLabel()
        self.sign.setObjectName("blindSign")
        self.sign.setAccessibleName("Blind first is on")
        self.sign.setToolTip("The model is hidden until you have given your own score (Shift+B)")
        library.put(blind=parts.settings.blind_first)

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Listens to panel and state; returns who does the actions of this room."""
        panel = self.panel
        panel.read.connect(self.read)
        panel.reason_given.connect(self._give_reason)
        panel.tags_given.connect(self._give_tags)
        panel.notes_given.connect(self._give_notes)
        panel.blind_toggled.connect(self.set_blind)
        self._parts.window.status_line.insertWidget(1, self.sign)
        self._parts.theme.changed.connect(self._paint)
        self._paint()
        self._library.leaving.append(panel.settle)
        self._store.listen(self._on_state)
        self._show(self._store.state)
        return {
            **{action: partial(self.read, score) for score, action in SCORE_ACTIONS.items()},
            Id.BLIND_FIRST: lambda: self.set_blind(not self._store.state.readings.blind),
            Id.EDIT_TAGS: partial(self._edit, panel.edit_tags),
            Id.EDIT_NOTES: partial(self._edit, panel.edit_notes),
            Id.AGREEMENT: self.agreement.show,
        }

    def read(self, score: str) -> None:
        """Gives the case on screen the reader's own score; the model's is shown once that is kept."""
        case = self._store.state.readings.case
        if case is None:
            return
        seconds, reason = time.monotonic() - self._opened, self.panel.reason.text().strip()
        given = self._store.state.readings.reading
        if given is not None and given.score == score:
            return
        self._library.keeper.write(
            lambda library: library.read(case.id, score, reason if given is not None else "", seconds=seconds),
            self._on_read,
        )
        self._library.did()

    def set_blind(self, on: bool) -> None:
        """Hides the model of every case that is not read, or shows it."""
        self._parts.settings.blind_first = on
        self._parts.window.set_recent(self._parts.settings.recent_pairs, veiled=on)
        self._library.put(blind=on)

    def _on_read(self, reading: Reading) -> None:
        case = self._store.state.readings.case
        if case is not None and case.id == reading.case:
            self._library.put(reading=reading)
        self._library.refresh()

    def _give_reason(self, reason: str) -> None:
        case = self._store.state.readings.case
        if case is None:
            return

        def work(library: Library) -> Reading:
            return library.set_reason(case.id, reason)

        self._library.keeper.write(work, self._on_read)
        self._library.did()

    def _give_tags(self, tags: tuple[str, ...]) -> None:
        case = self._store.state.readings.case
        if case is not None:
            self._library.keeper.write(lambda library: library.set_tags(case.id, tags))
            self._library.reload()
            self._library.did()

    def _give_notes(self, case: int, notes: str) -> None:
        self._library.keeper.write(lambda library: library.set_notes(case, notes))
        self._library.reload()
        self._library.did()

    def _edit(self, begin: Callable[[], object]) -> None:
        self._parts.window.docks.show_panel(Panel.ANSWER)
        self._parts.window.reveal_answer(self.panel)
        begin()

    def _on_state(self, old: State, new: State) -> None:
        if old.scorable != new.scorable:
            self._opened = time.monotonic()
        if new.model_hidden and not old.model_hidden:
            self._hide()
        elif old.model_hidden and not new.model_hidden:
            self._parts.scoring.unseal()
        if resolve_reading(old) != resolve_reading(new) or old.readings.phase is not new.readings.phase:
            self._show(new)

    def _hide(self) -> None:
        """Everything that the model, or the membranes, said of the case on screen goes from the state."""
        self._forget_membranes()
        membranes = self._store.state.membranes
        self._store.change(membranes=MembraneState(cells_shown=membranes.cells_shown))
        fields = self._store.state.fields
        if fields.selected is not None and fields.selected_annotation is None:
            self._store.change(fields=replace(fields, selected=None))
        self._parts.scoring.seal()

    def _paint(self) -> None:
        self.sign.setPixmap(themed_pixmap("eye-slash", 16, self._parts.window.palette()))

    def _show(self, state: State) -> None:
        shown = resolve_reading(state)
        self.panel.show_reading(shown)
        works = state.readings.phase is not LibraryPhase.FAILED
        self.sign.setVisible(shown.blind and works)
        actions = self._parts.window.actions_
        actions.set_checked({Id.BLIND_FIRST: shown.blind})
        able = dict.fromkeys((*SCORE_ACTIONS.values(), Id.EDIT_TAGS, Id.EDIT_NOTES), shown.can)
        actions.set_enabled({**able, Id.AGREEMENT: works, Id.RECENT_CASES: works})

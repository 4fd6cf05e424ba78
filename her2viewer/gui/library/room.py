"""Ties the case library to the window: which case is on screen, what is kept of it by itself, recent ones, moved files, undo."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QFileDialog

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.library.identity import file_identity
from her2viewer.cases.library.library import Library, Undone
from her2viewer.cases.library.records import FoundCase, KeptCase, KeptPrediction, Reading
from her2viewer.cases.library.rescue import Rescue
from her2viewer.cases.names import without_label
from her2viewer.cases.pair import Pair, Pairing, ihc_alone, pair_files
from her2viewer.errors import DamagedLibrary, LibraryError, UserError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.command_search import Command
from her2viewer.gui.controllers.messenger import Level, Remedy
from her2viewer.gui.fields.editing import FieldEditor
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.library.document import Told
from her2viewer.gui.library.keeper import Keeper
from her2viewer.gui.library.undoing import Doer
from her2viewer.gui.parts import Parts
from her2viewer.gui.readings.state import LibraryPhase, ReadingState
from her2viewer.gui.registration.controller import RegistrationController
from her2viewer.gui.state import OpenedImage, State
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.identity import file_sha256
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.stains import Stain

_logger = logging.getLogger(__name__)

SOON_MS: Final = 300
"""After the last change of an alignment; nothing is written at every step of a drag."""
MOST_KNOWN: Final = 2_000
MOST_RECENT: Final = 50
"""Cases that command search offers."""


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """A case as the library has it. `swapped`: its stains stand in the other panes just now."""

    case: KeptCase
    reading: Reading | None
    prediction: KeptPrediction | None
    alignment: Alignment | None = None
    swapped: bool = False


class LibraryRoom(QObject):
    """Built once. Everything that reads or writes the file is done in the keeper's lane."""

    def __init__(
        self, parts: Parts, keeper: Keeper, editor: FieldEditor, registration: RegistrationController
    ) -> None:
        super().__init__(parts.window)
        self._parts, self._store = parts, parts.store
        self.keeper = keeper
        self._editor = editor
        self._registration = registration
        self._swapped = False
        self._alignment: Alignment | None = None
        self._told: Evidence | None = None
        self._shown: set[tuple[int, str]] = set()
        self._known: list[Callable[[], object]] = []
        self._going = False
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._keep_alignment)
        self._listing = QTimer(self, singleShot=True)
        self._listing.timeout.connect(self._list)
        self.leaving: list[Callable[[], object]] = []
        """Called before another case comes: what is still being typed is kept."""

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Opens the library and listens; returns who does the actions of this room."""
        self._store.listen(self._on_state)
        self._parts.images.on_refused.append(self._on_refused)
        self._parts.exporting.on_written.append(self._log_export)
        self._parts.window.command_search.add_source(self.commands)
        self.keeper.open(self._on_open, self._on_failed)
        self._show_undo()
        return {Id.UNDO: self.undo, Id.REDO: self.redo, Id.RECENT_CASES: self.list_recent}

    def close(self) -> None:
        """Keeps what is not yet kept. A disk that is full is said in the log: the window is closing."""
        for leave in self.leaving:
            leave()
        self._listing.stop()
        if self._soon.isActive():
            self._soon.stop()
            self._keep_alignment()
        try:
            self.keeper.close()
        except LibraryError as error:
            _logger.warning("%s", error)

    @property
    def readings(self) -> ReadingState:
        return self._store.state.readings

    def when_known(self, act: Callable[[], object]) -> None:
        """Acts once it is known which case is on screen and how its H&E was laid, or that nobody can say."""
        if self.readings.phase is LibraryPhase.FAILED or self.readings.case is not None:
            act()
        else:
            self._known.append(act)

    def did(self) -> None:
        """A step of the library was done, which can be undone."""
        self.put(order=self.readings.order.did(Doer.LIBRARY))
        self.refresh()

    def put(self, **fields: object) -> None:
        """Changes the state's part about readings."""
        self._store.change(readings=replace(self.readings, **fields))  # type: ignore[arg-type]

    def refresh(self) -> None:
        """What the library knows is asked for again, once for many changes."""
        self._listing.start(SOON_MS)

    # Which case

    def _on_open(self) -> None:
        self.put(phase=LibraryPhase.OPEN)
        self._list()

    def _on_failed(self, error: UserError) -> None:
        self.put(phase=LibraryPhase.FAILED, error=error)
        remedy = Remedy("Set it aside", self.rescue) if isinstance(error, DamagedLibrary) else None
        self._parts.window.messages.say(
            f"{error} Images are viewed and scored as ever, but no reading is kept.", Level.WARNING, remedy
        )
        self._tell_known()

    def rescue(self) -> None:
        """A damaged library is set aside; its last copy, or a new one, takes its place. Nothing is deleted."""
        self.keeper.rescue(self._on_rescued, self._parts.window.messages.say_error)

    def _on_rescued(self, done: Rescue) -> None:
        self._parts.window.messages.say(done.sentence)
        self.put(phase=LibraryPhase.OPEN, error=None)
        self._list()
        self._ask_case()

    def _on_state(self, old: State, new: State) -> None:
        if old.scorable != new.scorable:
            self._on_images(old, new)
            return
        case = new.readings.case
        if case is not None:
            if old.readings.case is None or _evidence(old) is not _evidence(new):
                self._keep_prediction(case)
            self._reveal(case, new)
            moved = old.registration.alignment is not new.registration.alignment
            if moved and new.registration.alignment is not self._alignment:
                self._soon.start(SOON_MS)
        if old.fields.history is not new.fields.history and not self._going and old.pair == new.pair:
            self.put(order=self.readings.order.followed(old.fields.history, new.fields.history))
        if _undo_words(old) != _undo_words(new):
            self._show_undo()

    def _on_images(self, old: State, new: State) -> None:
        """Other images stand: what was kept of the last is settled, and the case of these is asked for."""
        for leave in self.leaving:
            leave()
        if self._soon.isActive():
            self._soon.stop()
            self._keep_alignment(old)
        self._alignment, self._told, self._swapped = None, None, False
        self._known.clear()
        order = self.readings.order.without_fields()
        self.put(case=None, reading=None, prediction=None, order=order)
        self._ask_case()

    def _ask_case(self) -> None:
        scorable = self._store.state.scorable
        if scorable is None:
            self.keeper.lane.drop("case")
            return
        pair = _pair(scorable)
        self.keeper.ask("case", lambda library: _find(library, pair), self._on_case, self._on_no_case)

    def _on_case(self, found: _Found) -> None:
        self._swapped = found.swapped
        self.put(case=found.case, reading=found.reading, prediction=None if found.swapped else found.prediction)
        registration = self._store.state.registration
        if found.alignment is not None and self._store.state.pair is not None and not registration.registered:
            self._alignment = found.alignment
            self._store.change(registration=registration.aligned(found.alignment))
            # One that began by itself is not needed: somebody has said how they lie.
            self._registration.cancel()
        elif registration.registered:
            self._soon.start(SOON_MS)
        else:
            self._alignment = registration.alignment
        self._tell_known()
        self.refresh()

    def _on_no_case(self, error: UserError) -> None:
        self._parts.window.messages.say_error(error)
        self._tell_known()

    def _tell_known(self) -> None:
        waiting, self._known = self._known, []
        for act in waiting:
            act()

    def reload(self) -> None:
        """The case on screen, as the library has it now."""
        case = self.readings.case
        if case is not None:
            self.keeper.ask("case again", lambda library: _load(library, case.id), self._on_reloaded)

    def _on_reloaded(self, found: _Found) -> None:
        case = self.readings.case
        if case is not None and found.case.id == case.id:
            self.put(case=found.case, reading=found.reading)

    # What is kept by itself

    def _keep_prediction(self, case: KeptCase) -> None:
        state = self._store.state
        evidence, scorable = _evidence(state), state.scorable
        if evidence is None or scorable is None or evidence is self._told or self._swapped:
            return
        self._told = evidence
        he, ihc = scorable
        images = OpenedPair(he.source if he is not None else None, ihc.source)
        notices = state.model.facts.notices if state.model.facts is not None else ()
        told = Told(images, evidence.prediction, state.scoring.alignment, notices)

        def work(library: Library) -> KeptPrediction | None:
            prediction = told.prediction
            library.keep_prediction(
                case.id,
                score=prediction.score,
                no_call=prediction.no_call,
                model=f"{prediction.model.name} {prediction.model.version}",
                model_sha256=prediction.model.sha256,
                document=told.document(),
            )
            return library.prediction(case.id)

        self.keeper.write(work, partial(self._on_prediction, case.id))

    def _on_prediction(self, case: int, prediction: KeptPrediction | None) -> None:
        if self.readings.case is not None and self.readings.case.id == case:
            self.put(prediction=prediction)
            self.reload()
        self.refresh()

    def _reveal(self, case: KeptCase, state: State) -> None:
        """What the reader sees of a model is no longer unseen, whatever is read afterwards."""
        if state.model_hidden:
            return
        kept, evidence = state.readings.prediction, state.scoring.evidence
        seen = {kept.model_sha256} if kept is not None else set()
        if evidence is not None:
            seen.add(evidence.prediction.model.sha256)
        for model in seen:
            if (case.id, model) not in self._shown:
                self._shown.add((case.id, model))
                self.keeper.write(partial(_reveal, case.id, model))

    def _keep_alignment(self, state: State | None = None) -> None:
        state = state or self._store.state
        case, registration = state.readings.case, state.registration
        if case is None or self._swapped or registration.alignment is self._alignment:
            return
        self._alignment = registration.alignment
        kept = registration.alignment if registration.registered else None
        self.keeper.write(lambda library: library.keep_alignment(case.id, kept))

    def _log_export(self, files: tuple[Path, ...]) -> None:
        """Into the log of actions, by hash: what was written of the case on screen, not where."""
        case = self.readings.case

        def work(library: Library) -> None:
            for file in files:
                with suppress(OSError):  # it was moved already; nothing is known of it then
                    library.note_export(case.id if case is not None else None, file.suffix[1:], file_sha256(file))

        self.keeper.write(work)

    # Cases of the library

    def _list(self) -> None:
        self.keeper.ask("known", _know, self._on_known)

    def _on_known(self, known: "_Known") -> None:
        self.put(known=known.cases, tags=known.tags, undo_label=known.undo_label, redo_label=known.redo_label)

    def list_recent(self) -> None:
        """The cases opened last, in the list beside the panes."""

        def pairs(library: Library) -> tuple[Pair, ...]:
            kept = (found.case for found in library.search("", most=MOST_KNOWN))
            return tuple(_as_pair(case) for case in kept if case.he is not None)

        self.keeper.ask("recent", pairs, self._on_recent)

    def _on_recent(self, pairs: tuple[Pair, ...]) -> None:
        window, store = self._parts.window, self._store
        if not pairs:
            window.messages.say("No case is kept yet: every pair that you open is.")
            return
        pairing = Pairing("those opened last first", pairs)
        store.change(cases=store.state.cases.with_folder("Case library", pairing))
        window.docks.show_panel(Panel.CASES)

    def commands(self) -> Sequence[Command]:
        """Kept cases for command search, by title, tags and the words of their notes."""
        state = self._store.state
        listed = {pair.both for pair in state.cases.pairs if pair.he is not None}
        commands = []
        for key, found in list(self.readings.known.items())[:MOST_RECENT]:
            if key in listed or found.case.he is None:
                continue
            case = found.case
            title = without_label(case.title) if state.readings.blind else case.title
            tags = ", ".join(case.tags)
            words = f"recent library {tags} {case.notes}"
            tip = f"Opened {case.opened[:10]}{f'; {tags}' if tags else ''}"
            opened = partial(self._open, case)
            commands.append(
                Command(f"kept {case.id}", f"Kept case {title}", tip, words, "", "clock-counter-clockwise", opened)
            )
        return commands

    def _open(self, case: KeptCase) -> None:
        if case.he is not None:
            self._parts.images.open({Stain.HE: case.he.path, Stain.IHC: case.ihc.path})

    # Files that were moved

    def _on_refused(self, files: Mapping[Stain, Path], errors: Mapping[Stain, UserError]) -> None:
        found = self.readings.known.get((files.get(Stain.HE), files.get(Stain.IHC, Path())))
        if found is not None:
            case = found.case

            def missing(_: Library) -> tuple[str, ...]:
                kept = [one for one in (case.he, case.ihc) if one is not None]
                return tuple(one.path.name for one in kept if not one.is_there)

            self.keeper.ask("missing", missing, partial(self._on_missing, case))

    def _on_missing(self, case: KeptCase, names: tuple[str, ...]) -> None:
        if not names:
            return
        hide = self.readings.blind
        title = without_label(case.title) if hide else case.title
        told = f"The images of {title} are not where they were"
        if len(names) == 1 and case.he is not None:
            told = f"{without_label(names[0]) if hide else names[0]} of {title} is not where it was"
        self._parts.window.messages.say(
            f"{told}. Its readings, fields and notes are kept; say where to find the files now.",
            Level.WARNING,
            Remedy("Find the files...", partial(self.ask_where, case)),
        )

    def ask_where(self, case: KeptCase) -> None:
        """Asks for the images of a case, without blocking the window."""
        dialog = QFileDialog(self._parts.window, f"The images of {case.title}, where they are now")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda files: self.relink(case, [Path(file) for file in files]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def relink(self, case: KeptCase, files: Sequence[Path]) -> None:
        """Opens a case from where its files are now; which is which is known by their bytes."""
        self.keeper.ask("relink", lambda library: _relinked(library, case, files), self._open_relinked)

    def _open_relinked(self, case: KeptCase) -> None:
        self.refresh()
        self._open(case)

    # Undo

    def undo(self) -> None:
        """Takes the last step back, whoever keeps it."""
        order = self.readings.order
        if order.past and order.past[-1] is Doer.LIBRARY:
            self.put(order=order.took_back())
            self.keeper.write(lambda library: library.undo(), partial(self._on_undone, "Taken back"))
            return
        if order.past:
            self.put(order=order.took_back())
        self._go(self._editor.undo)

    def redo(self) -> None:
        """Does again what was taken back last."""
        order = self.readings.order
        if order.undone and order.undone[-1] is Doer.LIBRARY:
            self.put(order=order.did_again())
            self.keeper.write(lambda library: library.redo(), partial(self._on_undone, "Done again"))
            return
        if order.undone:
            self.put(order=order.did_again())
        self._go(self._editor.redo)

    def _go(self, step: Callable[[], object]) -> None:
        self._going = True
        try:
            step()
        finally:
            self._going = False

    def _on_undone(self, how: str, undone: Undone | None) -> None:
        self.refresh()
        if undone is None:
            return
        case = self.readings.case
        if case is not None and case.id == undone.case:
            self.reload()
            return
        titles = {found.case.id: found.case.title for found in self.readings.known.values()}
        title = titles.get(undone.case, "another case")
        title = without_label(title) if self.readings.blind else title
        self._parts.window.messages.say(f"{how} in {title}: {undone.label[:1].lower()}{undone.label[1:]}.")

    def _show_undo(self) -> None:
        actions = self._parts.window.actions_
        undo, redo = _undo_words(self._store.state)
        for action, plain, label in ((Id.UNDO, "Undo", undo), (Id.REDO, "Redo", redo)):
            actions[action].setText(" ".join(filter(None, (plain, label))))
        actions.set_enabled({Id.UNDO: undo is not None, Id.REDO: redo is not None})
        actions.set_reasons(
            {
                Id.UNDO: "" if undo is not None else "Nothing was done yet.",
                Id.REDO: "" if redo is not None else "Nothing was taken back.",
            }
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Known:
    """What the window has to know of the library."""

    cases: Mapping[tuple[Path | None, Path], FoundCase]
    tags: tuple[str, ...]
    undo_label: str
    redo_label: str


def _know(library: Library) -> _Known:
    found = library.search("", most=MOST_KNOWN)
    cases = {(one.case.he.path if one.case.he is not None else None, one.case.ihc.path): one for one in found}
    tags = tuple(tag for tag, _ in library.tags())
    return _Known(MappingProxyType(cases), tags, library.undo_label or "", library.redo_label or "")


def _find(library: Library, pair: Pair) -> _Found:
    """In the library's lane: the case of a pair, made where it is new."""
    kept = library.open_case(pair)
    swapped = kept.ihc.path != pair.ihc.resolve()
    alignment = None
    if not swapped:
        try:
            alignment = library.alignment(kept.id)
        except LibraryError:  # one that cannot be read is as good as none: the pair is registered anew
            alignment = None
    return _Found(kept, library.reading(kept.id), library.prediction(kept.id), alignment, swapped)


def _load(library: Library, case: int) -> _Found:
    return _Found(library.case(case), library.reading(case), library.prediction(case))


def _reveal(case: int, model_sha256: str, library: Library) -> None:
    library.reveal(case, model_sha256)


def _relinked(library: Library, case: KeptCase, files: Sequence[Path]) -> KeptCase:
    """In the library's lane. Raises LibraryError where a file is none of the case's, or one of them is still missing."""
    places = {one.identity: one.path for one in (case.he, case.ihc) if one is not None}
    for path in files:
        try:
            identity = file_identity(path)
        except OSError as error:
            raise LibraryError("it cannot be read", path=path, remedy="check that its drive is there") from error
        if identity not in places:
            raise LibraryError(
                f"this is no image of the case {case.title}: its bytes are others",
                path=path,
                remedy="choose the very files that were opened",
            )
        places[identity] = path
    he = places[case.he.identity] if case.he is not None else None
    return library.relink(case.id, he, places[case.ihc.identity])


def _as_pair(case: KeptCase) -> Pair:
    assert case.he is not None
    return replace(pair_files(case.he.path, case.ihc.path), case_id=case.title, label=case.label)


def _pair(scorable: tuple[OpenedImage | None, OpenedImage]) -> Pair:
    he, ihc = scorable
    return pair_files(he.source.path, ihc.source.path) if he is not None else ihc_alone(ihc.source.path)


def _evidence(state: State) -> Evidence | None:
    """The score of the whole images that is on screen, or sealed."""
    return (state.scoring.evidence or state.scoring.sealed) if state.scoring.key is None else None


def _undo_words(state: State) -> tuple[str | None, str | None]:
    """What undo and redo would do, None where nothing: the words may be empty until the library has told them."""
    history, readings = state.fields.history, state.readings
    order = readings.order
    undo, redo = history.undo_label, history.redo_label
    if order.past and order.past[-1] is Doer.LIBRARY:
        undo = _lower(readings.undo_label)
    if order.undone and order.undone[-1] is Doer.LIBRARY:
        redo = _lower(readings.redo_label)
    return undo, redo


def _lower(label: str) -> str:
    return f"{label[:1].lower()}{label[1:]}"

"""Fields are kept beside the settings, a pair's own, until they are drawn on again: nothing drawn is lost with the window.

Named by where the two images are, never beside them: the user's folders are not ours to write into.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.annotations import Annotations, History
from her2viewer.cases.score_map import ScoreMap
from her2viewer.errors import UserError
from her2viewer.export.geojson import geojson_text, write_geojson
from her2viewer.export.geojson_reading import read_geojson, read_geojson_text
from her2viewer.export.score_map_file import write_score_map
from her2viewer.gui.controllers.messenger import Level, Messenger
from her2viewer.gui.fields.map_file import read_any_map
from her2viewer.gui.fields.state import GridRun, RunPhase
from her2viewer.gui.lanes import Lane
from her2viewer.gui.library.shelf import NoShelf, Shelf
from her2viewer.gui.state import OpenedImage, State
from her2viewer.gui.store import Store

AFTER_MS: Final = 1_000
"""After the last change; a drag is not written at every step of the mouse."""
RUNNING_MS: Final = 20_000
"""While a grid runs: its map of thousands of cells is written whole."""

Pair = tuple[OpenedImage, OpenedImage]


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """What is written, or was read. `set_aside`: files that could not be read, and why."""

    annotations: tuple[Annotation, ...] = ()
    score_map: ScoreMap | None = None
    set_aside: tuple[str, ...] = ()


class Keeping(QObject):
    """Follows the state and writes in the files lane; reads what was kept when a pair is opened."""

    def __init__(
        self,
        store: Store,
        files: Lane,
        folder: Path,
        messenger: Messenger,
        note: Callable[[str], None],
        shelf: Shelf | None = None,
    ) -> None:
        super().__init__()
        self._store = store
        self._files = files
        self._folder = folder
        self._shelf: Shelf = shelf or NoShelf()
        self._messenger = messenger
        self._note = note
        self._pair: Pair | None = None
        self._kept: Kept | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._write)
        store.listen(self._on_change)

    def close(self) -> None:
        """Writes what is not yet written, at once: the window is gone and the lanes end with it. Raises ExportError."""
        self._timer.stop()
        pair, now = self._pair, self._now(self._store.state)
        if pair is not None and self._is_changed(now):
            write_kept(self._folder, pair, now, self._shelf)
            self._kept = now

    def _on_change(self, old: State, new: State) -> None:
        if old.pair != new.pair:
            self._timer.stop()
            if self._pair is not None and self._is_changed(self._now(old)):
                self._submit(self._pair, self._now(old))
            self._pair, self._kept = new.pair, None
            self._note("")
            if new.pair is not None:
                self._read(new.pair)
        elif self._pair is not None and self._is_changed(self._now(new)):
            wait = RUNNING_MS if new.fields.run.phase is RunPhase.RUNNING else AFTER_MS
            if not self._timer.isActive() or wait < self._timer.remainingTime():
                self._timer.start(wait)

    def _read(self, pair: Pair) -> None:
        self._files.submit(
            "fields kept", lambda _: read_kept(self._folder, pair, self._shelf), lambda kept: self._on_read(pair, kept)
        )

    def _on_read(self, pair: Pair, kept: Kept) -> None:
        if self._store.state.pair != pair:
            return
        self._kept = kept
        if kept.set_aside:
            self._messenger.say(" ".join(kept.set_aside), Level.WARNING)
        if not kept.annotations and kept.score_map is None:
            return
        fields = self._store.state.fields
        # What was drawn while the file was being read comes on top.
        present = Annotations(kept.annotations).add_imported(fields.annotations.values())
        restored = replace(fields, history=History(present))
        if fields.score_map is None and kept.score_map is not None:
            phase = RunPhase.STOPPED if kept.score_map.waiting else RunPhase.DONE
            restored = replace(restored, score_map=kept.score_map, run=GridRun(phase))
        self._store.change(fields=restored)
        self._note(restored_words(kept))

    def _write(self) -> None:
        now = self._now(self._store.state)
        if self._pair is not None and self._is_changed(now):
            self._submit(self._pair, now)
            self._kept = now

    def _submit(self, pair: Pair, now: Kept) -> None:
        # A pair that was left has a topic of its own: the next one's does not replace it.
        topic = f"keep fields {pair_key(pair)}"
        self._files.submit(topic, lambda _: write_kept(self._folder, pair, now, self._shelf), failed=self._messenger.say_error)

    def _now(self, state: State) -> Kept:
        return Kept(tuple(state.fields.annotations.values()), state.fields.score_map)

    def _is_changed(self, now: Kept) -> bool:
        """Nothing is written before what was kept has been read."""
        kept = self._kept
        return kept is not None and (kept.annotations != now.annotations or kept.score_map is not now.score_map)


def restored_words(kept: Kept) -> str:
    """What is back from last time."""
    count = len(kept.annotations)
    parts = ["1 field"] if count == 1 else [f"{count:,} fields"] if count else []
    if kept.score_map is not None:
        parts.append("the score map")
    text = f"{' and '.join(parts)} of your last visit {'is' if len(parts) == 1 and count < 2 else 'are'} back."
    return text[0].upper() + text[1:]


def pair_key(pair: Pair) -> str:
    """16 hex digits for where the two images are."""
    places = "\n".join(str(image.source.path.absolute()) for image in pair)
    return hashlib.sha256(places.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write_kept(folder: Path, pair: Pair, kept: Kept, shelf: Shelf | None = None) -> None:
    """In the files lane. Drawn fields go onto the shelf, into a file only where it does not take them. Raises ExportError."""
    drawn, mapped = _places(folder, pair)
    text = geojson_text(kept.annotations, image_sha256=ON_SHELF) if kept.annotations else ""
    shelved = shelf is not None and shelf.keep(*_paths(pair), text)
    with suppress(OSError):  # the writing says why
        folder.mkdir(parents=True, exist_ok=True)
    if kept.annotations and not shelved:
        write_geojson(drawn, kept.annotations, image_sha256=_fingerprint(pair))
    if kept.score_map is not None:
        write_score_map(mapped, kept.score_map)
    for path, there in ((drawn, kept.annotations and not shelved), (mapped, kept.score_map)):
        if not there:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def read_kept(folder: Path, pair: Pair, shelf: Shelf | None = None) -> Kept:
    """In the files lane. A file is newer than the shelf: it was written while there was none. What cannot be read is set aside
    under another name, and said.
    """
    drawn, mapped = _places(folder, pair)
    annotations: tuple[Annotation, ...] = ()
    score_map = None
    troubles = []
    if drawn.exists():
        try:
            annotations = read_geojson(drawn, pair[1].source.size, image_sha256=_fingerprint(pair)).annotations
        except UserError as error:
            troubles.append(_set_aside(drawn, error))
    elif shelf is not None and (kept := shelf.read(*_paths(pair))) is not None and kept.fields:
        try:
            image = ON_SHELF if kept.same_images else None
            annotations = read_geojson_text(kept.fields, pair[1].source.size, image_sha256=image).annotations
        except UserError as error:
            troubles.append(f"The fields that were kept of this pair could not be read ({error.what}).")
    if mapped.exists():
        try:
            score_map = read_any_map(mapped)
        except UserError as error:
            troubles.append(_set_aside(mapped, error))
    return Kept(annotations, score_map, tuple(troubles))


ON_SHELF: Final = hashlib.sha256(b"the case's own image").hexdigest()
"""In the place of the image's hash: the library knows the case by what its files hold, so that a moved one keeps its scores."""


def _paths(pair: Pair) -> tuple[Path, Path]:
    return pair[0].source.path, pair[1].source.path


def _places(folder: Path, pair: Pair) -> tuple[Path, Path]:
    """Of the drawn fields, and of the score map, which holds only as long as the image files are the same."""
    key = pair_key(pair)
    return folder / f"{key}.geojson", folder / f"{key}-{_fingerprint(pair)[:16]}.scoremap.json"


def _fingerprint(pair: Pair) -> str:
    """Tells whether the files are those of last time, without reading a slide from end to end."""
    facts = []
    for image in pair:
        try:
            stat = image.source.path.stat()
            facts.append(f"{stat.st_size} {stat.st_mtime_ns}")
        except OSError:
            facts.append("gone")
    return hashlib.sha256("\n".join((pair_key(pair), *facts)).encode()).hexdigest()


def _set_aside(path: Path, error: UserError) -> str:
    kept = path.with_name(f"{path.name}.unreadable")
    path.replace(kept)
    return f"What was kept of this pair could not be read ({error.what}); the file is set aside as {kept.name}."

"""Fields and score maps to files and back: the only thing that is modal is the system's file dialog."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PySide6.QtWidgets import QFileDialog, QWidget

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.score_map import ScoreMap
from her2viewer.errors import AnnotationError, UserError
from her2viewer.export.files import safe_name
from her2viewer.export.geojson import ObjectType, Transform, map_annotations, write_geojson
from her2viewer.export.geojson_reading import Imported, read_geojson
from her2viewer.export.score_map_file import write_score_map
from her2viewer.gui.controllers.messenger import Level, Messenger
from her2viewer.gui.fields.gridding import GridScoring
from her2viewer.gui.fields.map_file import read_any_map
from her2viewer.gui.fields.outdated import now
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.lanes import Lane
from her2viewer.gui.state import OpenedImage
from her2viewer.gui.store import Store
from her2viewer.imaging.affine import Points
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.stains import Stain

DRAWN_FILTER: Final = "Drawn fields, for QuPath (*.geojson)"
TILES_FILTER: Final = "Cells of the score map as tiles, for QuPath (*.geojson)"
HE_DRAWN_FILTER: Final = "Drawn fields in pixels of the H&E, for QuPath (*.geojson)"
HE_TILES_FILTER: Final = "Cells of the score map in pixels of the H&E, for QuPath (*.geojson)"
GEOJSON_FILTER: Final = "GeoJSON in pixels of the IHC (*.geojson *.json)"
HE_GEOJSON_FILTER: Final = "GeoJSON in pixels of the H&E (*.geojson *.json)"
MAP_FILTER: Final = "Score map of HER2 Viewer (*.scoremap.json)"
MAP_SUFFIX: Final = ".scoremap.json"

AskSave = Callable[[str, str, Sequence[str]], tuple[Path, str] | None]
"""(title, suggested name, filters) -> where to, and the filter that was taken; None where the user thought better of it."""
AskOpen = Callable[[str, Sequence[str]], tuple[Path, str] | None]
"""(title, filters) -> the file, and the filter that was taken."""

_AT_ONCE: Final = 10_000
"""Points that are led through an alignment together: a bent one needs memory for each of them and each landmark."""


class Dialogs:
    """The system's dialogs for choosing files, beginning in the folder where the last file was."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._folder = Path.home()

    def save(self, title: str, name: str, filters: Sequence[str]) -> tuple[Path, str] | None:
        path, taken = QFileDialog.getSaveFileName(self._parent, title, str(self._folder / name), ";;".join(filters))
        if not path:
            return None
        self._folder = Path(path).parent
        return Path(path), taken or filters[0]

    def open(self, title: str, filters: Sequence[str]) -> tuple[Path, str] | None:
        path, taken = QFileDialog.getOpenFileName(self._parent, title, str(self._folder), ";;".join(filters))
        if not path:
            return None
        self._folder = Path(path).parent
        return Path(path), taken or filters[0]


class FieldFiles:
    """Import and export of fields, saving and loading of score maps; reads and writes in the files lane."""

    def __init__(
        self, store: Store, files: Lane, messenger: Messenger, grid: GridScoring, ask_save: AskSave, ask_open: AskOpen
    ) -> None:
        self._store = store
        self._files = files
        self._messenger = messenger
        self._grid = grid
        self.ask_save = ask_save
        self.ask_open = ask_open

    def export_geojson(self) -> None:
        """The drawn fields, or the cells of the score map, in px of the IHC, or of the H&E through the alignment."""
        pair, fields = self._store.state.pair, self._store.state.fields
        present = now(self._store.state)
        drawn, score_map, threshold = tuple(fields.annotations.values()), fields.score_map, fields.style.threshold
        alignment = alignment_of(self._store.state)
        kinds = [DRAWN_FILTER, HE_DRAWN_FILTER] * bool(drawn) + [TILES_FILTER, HE_TILES_FILTER] * (
            score_map is not None
        )
        if pair is None or alignment is None or not kinds:
            self._messenger.say("There is no field to export yet: draw one (R), or score a grid (T).", Level.WARNING)
            return
        asked = self.ask_save("Export fields as GeoJSON", f"{_stem(pair)}.geojson", kinds)
        if asked is None:
            return
        path, kind = _with_suffix(asked[0], ".geojson"), asked[1]
        of_he = kind in (HE_DRAWN_FILTER, HE_TILES_FILTER)
        stain = Stain.HE if of_he else Stain.IHC

        def work() -> int:
            exported: Sequence[Annotation] = drawn
            as_type: ObjectType = "annotation"
            if kind in (TILES_FILTER, HE_TILES_FILTER) and score_map is not None:
                exported, as_type = map_annotations(score_map, threshold), "tile"
            write_geojson(
                path,
                exported,
                transform=_in_parts(alignment.to_he) if of_he else None,
                image_sha256=pair[1].source.sha256,
                object_type=as_type,
                outdated=present.outdates,
            )
            return len(exported)

        self._files.submit(
            "fields out",
            lambda _: work(),
            lambda count: self._messenger.say(
                f"Written: {path.name}, {_fields(count)} in pixels of the {stain.caption} image{_as_aligned(alignment, stain)}."
            ),
            failed=self._messenger.say_error,
        )

    def import_geojson(self) -> None:
        """The areas of a file, on top of those that are there; one step that can be undone.

        What the file is of, H&E or IHC, is chosen with it, unless it says so itself.
        """
        pair, alignment = self._store.state.pair, alignment_of(self._store.state)
        filters = [GEOJSON_FILTER, HE_GEOJSON_FILTER]
        asked = self.ask_open("Import fields from GeoJSON", filters) if pair is not None else None
        if pair is None or alignment is None or asked is None:
            return
        path, of_he = asked[0], asked[1] == HE_GEOJSON_FILTER
        to_ihc = _in_parts(alignment.to_ihc)

        def arrived(imported: Imported) -> None:
            if self._store.state.pair != pair:
                return
            fields = self._store.state.fields
            before = fields.annotations
            after = before.add_imported(imported.annotations)
            count = len(after) - len(before)
            history = fields.history.changed(f"import {_fields(count)}", after)
            self._store.change(fields=replace(fields, history=history))
            words = [f"{_fields(count)} imported from {path.name}.".capitalize(), *imported.notes]
            if count < len(imported.annotations):
                words.insert(1, f"{_fields(len(imported.annotations) - count).capitalize()} of it are here already.")
            self._messenger.say(" ".join(words), Level.WARNING if imported.notes else Level.INFO)

        self._files.submit(
            "fields in",
            lambda _: read_geojson(
                path,
                pair[1].source.size,
                transform=to_ihc if of_he else None,
                he_to_ihc=to_ihc,
                image_sha256=pair[1].source.sha256,
            ),
            arrived,
            failed=self._messenger.say_error,
        )

    def save_map(self) -> None:
        """The score map with all its cells, so that it can go on another day."""
        pair, score_map = self._store.state.pair, self._store.state.fields.score_map
        if pair is None or score_map is None:
            self._messenger.say("There is no score map to save yet: score a grid of fields (T).", Level.WARNING)
            return
        asked = self.ask_save("Save the score map", f"{_stem(pair)}{MAP_SUFFIX}", [MAP_FILTER])
        if asked is None:
            return
        path = _with_suffix(asked[0], MAP_SUFFIX)
        self._files.submit(
            "map out",
            lambda _: write_score_map(path, _with_hashes(score_map, pair)),
            lambda _: self._messenger.say(f"Written: {path.name}"),
            failed=self._messenger.say_error,
        )

    def load_map(self) -> None:
        """A map of these two images, whatever model and alignment made it; to go on with it takes the same."""
        pair = self._store.state.pair
        asked = self.ask_open("Load a score map", [MAP_FILTER]) if pair is not None else None
        if pair is None or asked is None:
            return
        path = asked[0]

        def arrived(score_map: ScoreMap) -> None:
            if self._store.state.pair != pair:
                return
            self._grid.show(score_map)
            facts = self._store.state.model.facts
            other = facts is not None and facts.identity != score_map.basis.model
            made_by = f" It was made by {score_map.basis.model}, which is not the model in use." if other else ""
            level = Level.WARNING if other else Level.INFO
            self._messenger.say(f"The score map {path.name} is shown.{made_by}", level)

        self._files.submit("map in", lambda _: _map_of(path, pair), arrived, failed=self._messenger.say_error)


def _map_of(path: Path, pair: tuple[OpenedImage, OpenedImage]) -> ScoreMap:
    """In the files lane. Raises AnnotationError where the map is of other images."""
    score_map = read_any_map(path)
    try:
        _with_hashes(score_map, pair).basis.refuse_other(score_map.basis)
    except UserError as error:
        raise AnnotationError(error.what, path=path, remedy=error.remedy) from None
    return score_map


def _with_hashes(score_map: ScoreMap, pair: tuple[OpenedImage, OpenedImage]) -> ScoreMap:
    """In the files lane: the map with the SHA-256 of its images, for which a slide is read from end to end, once."""
    images = {stain: image.source.sha256 for stain, image in zip((Stain.HE, Stain.IHC), pair, strict=True)}
    return replace(score_map, basis=replace(score_map.basis, images=images))


def _in_parts(transform: Transform) -> Transform:
    def led(points: Points) -> Points:
        parts = [transform(points[start : start + _AT_ONCE]) for start in range(0, len(points), _AT_ONCE)]
        return np.concatenate(parts) if parts else points

    return led


def _as_aligned(alignment: Alignment, stain: Stain) -> str:
    """How good the way to the H&E is, for who opens the file on it."""
    if stain is Stain.IHC:
        return ""
    words = alignment.words
    return f". {words[0].upper()}{words[1:]}"


def _stem(pair: tuple[OpenedImage, OpenedImage]) -> str:
    return safe_name(pair[1].source.path.stem)


def _with_suffix(path: Path, suffix: str) -> Path:
    """With the suffix of its kind, where the user typed none."""
    return path if path.name.lower().endswith((suffix, ".json")) else path.with_name(path.name + suffix)


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count:,} fields"

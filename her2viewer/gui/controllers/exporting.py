"""Writing the annotated picture of what is on screen, in the files lane."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.field import MOST_SIDE, read_field, read_whole
from her2viewer.cases.pair import Pair, ihc_alone, pair_files
from her2viewer.cases.pseudonyms import Pseudonyms
from her2viewer.errors import UserError
from her2viewer.export.annotated import annotated_picture, save_picture, shared_scale
from her2viewer.export.overlay import OverlayStyle
from her2viewer.export.results import ResultDocument, result_document, write_json
from her2viewer.gui.controllers.messenger import Level, Messenger, Remedy
from her2viewer.gui.lanes import Context, Lane, Progress
from her2viewer.gui.scale.resolution import resolve_scales
from her2viewer.gui.state import ModelFacts, State
from her2viewer.gui.store import Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class ExportWish:
    """Which picture, where to. Its format is that of the path's suffix; the result goes beside it as JSON where wanted.

    no_names: the case is called by a hash of its images, and its files and fields have no names of their own.
    """

    path: Path
    stains: tuple[Stain, ...]
    with_map: bool
    with_result: bool
    no_names: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Exportable:
    """What stood on screen when the export was asked for; later changes of the window do not reach it.

    alignment: the one that was scored through. field: what the score is of, level-0 px of the IHC, None for the whole image;
    title: what it is called.
    """

    images: OpenedPair
    alignment: Alignment | None
    field: FieldOfView | None
    title: str
    evidence: Evidence
    attribution: Attribution | None
    style: OverlayStyle
    facts: ModelFacts | None
    scales: Mapping[Stain, PixelSize | None]


def exportable(state: State) -> Exportable | None:
    """What can be exported now, or None where nothing is scored."""
    found, evidence = state.scorable, state.scoring.evidence
    if found is None or evidence is None:
        return None
    he, ihc = found
    images, key = OpenedPair(he.source if he is not None else None, ihc.source), state.scoring.key
    return Exportable(
        images,
        state.scoring.alignment,
        evidence.prediction.fields[Stain.IHC] if key is not None else None,
        (state.fields.title(key) or "a deleted field") if key is not None else "",
        evidence,
        state.drawn.attribution,
        state.style,
        state.model.facts,
        resolve_scales(state),
    )


def pair_of(images: OpenedPair) -> Pair:
    """The pair by its files' names: its case, and its label where they say one."""
    if Stain.HE not in images.sources:
        return ihc_alone(images.ihc.path)
    return pair_files(images.he.path, images.ihc.path)


def named(shown: Exportable, no_names: bool) -> tuple[Exportable, Pair]:
    """What is exported and its pair, under the names that it may carry. Reads the files where they are to be replaced."""
    pair = pair_of(shown.images)
    if not no_names:
        return shown, pair
    return replace(shown, title="a drawn field" if shown.title else ""), Pseudonyms().of(pair)


def picture_of(
    shown: Exportable, pixels: FieldPixels, pair: Pair, stains: tuple[Stain, ...], attribution: Attribution | None
) -> tuple[NDArray[np.uint8], float | None]:
    """The annotated picture, (h, w, 3) uint8 RGB, and its micrometres a pixel where both images agree on them."""
    facts = shown.facts
    mpp = {stain: None if size is None else size.um for stain, size in shown.scales.items()}
    there = tuple(stain for stain in stains if stain in pixels.pixels) or tuple(pixels.pixels)
    picture = annotated_picture(
        pixels.pixels,
        attribution,
        shown.evidence.prediction,
        stains=there,
        style=shown.style,
        full_scale=attribution.request.fixed_peak(facts.fixed_peaks)
        if facts is not None and attribution is not None
        else None,
        case_id=f"{pair.case_id}, field: {shown.title}" if shown.title else pair.case_id,
        mpp=mpp,
        regions=pixels.fields,
        coverage=facts.coverage if facts is not None else None,
    )
    return picture, shared_scale(_raster_scales(pixels, mpp), there)


def document_of(shown: Exportable, pair: Pair) -> ResultDocument:
    """The result file of what is exported."""
    return result_document(
        pair.case_id,
        shown.images.sources,
        shown.evidence.prediction,
        label=pair.label,
        field_name=shown.title,
        alignment=shown.alignment,
        notices=shown.facts.notices if shown.facts is not None else (),
        scales=shown.scales,
        names=dict(pair.names),
    )


class Exporting:
    """One export at a time."""

    def __init__(
        self, store: Store, files: Lane, messenger: Messenger, show_in_folder: Callable[[Path], object]
    ) -> None:
        self._store = store
        self._files = files
        self._messenger = messenger
        self._show_in_folder = show_in_folder
        self.on_written: list[Callable[[tuple[Path, ...]], object]] = []
        """Told the files of each export that was written."""

    def export(self, wish: ExportWish) -> None:
        """Writes the picture; what is on screen stays usable meanwhile."""
        shown = exportable(self._store.state)
        if shown is None:
            return
        self._store.change(exporting=Progress(text=f"Exporting {wish.path.name}"))
        self._files.submit(
            "export",
            lambda context: write_export(shown, wish, context),
            self._on_written,
            failed=self._on_failed,
            cancelled=self._on_end,
            progressed=lambda progress: self._store.change(exporting=progress),
        )

    def cancel(self) -> None:
        """Stops before the next step; what was begun leaves no file."""
        if self._store.state.exporting is not None:
            self._files.drop("export")
            self._on_end()

    def _on_written(self, files: tuple[Path, ...]) -> None:
        self._on_end()
        for told in self.on_written:
            told(files)
        names = " and ".join(path.name for path in files)
        show = Remedy("Show in folder", lambda: self._show_in_folder(files[0]))
        self._messenger.say(f"Written: {names}", Level.INFO, show)

    def _on_failed(self, error: UserError) -> None:
        self._on_end()
        self._messenger.say_error(error)

    def _on_end(self) -> None:
        self._store.change(exporting=None)


def write_export(shown: Exportable, wish: ExportWish, context: Context) -> tuple[Path, ...]:
    """In the files lane: reads level 0, draws, writes. Returns the files. Raises UserError."""
    context.progress(Progress(0, 3, "Reading the images"))
    shown, pair = named(shown, wish.no_names)
    pixels = pixels_of(shown)
    context.token.check()
    context.progress(Progress(1, 3, "Drawing the picture"))
    picture, um = picture_of(shown, pixels, pair, wish.stains, shown.attribution if wish.with_map else None)
    context.token.check()
    context.progress(Progress(2, 3, f"Writing {wish.path.name}"))
    save_picture(wish.path, picture, um)
    if not wish.with_result:
        return (wish.path,)
    beside = wish.path.with_suffix(".json")
    write_json(beside, document_of(shown, pair))
    return wish.path, beside


def pixels_of(shown: Exportable) -> FieldPixels:
    """What was scored: the field alone where the score is of one, at 4,096 px of its longer side at most."""
    if shown.field is None or shown.alignment is None:
        return read_whole(shown.images, shown.alignment)
    return read_field(shown.images.he, shown.images.ihc, shown.field, shown.alignment, MOST_SIDE)


def _raster_scales(pixels: FieldPixels, mpp: Mapping[Stain, float | None]) -> dict[Stain, float | None]:
    """Micrometres per px of what was read of each stain: a large field is read at less than level 0."""
    found: dict[Stain, float | None] = {}
    for stain, image in pixels.pixels.items():
        um, field = mpp.get(stain), pixels.fields[stain]
        found[stain] = None if um is None else um / field.frame.scale * (field.width / image.shape[1])
    return found

"""Writing the annotated picture of what is on screen, in the files lane."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.pair import Pair, pair_files
from her2viewer.errors import UserError
from her2viewer.export.annotated import annotated_picture, save_picture, shared_scale
from her2viewer.export.overlay import OverlayStyle
from her2viewer.export.results import result_document, write_json
from her2viewer.gui.controllers.messenger import Level, Messenger, Remedy
from her2viewer.gui.controllers.scoring import read_pixels
from her2viewer.gui.lanes import Context, Lane, Progress
from her2viewer.gui.scale.resolution import resolve_scales
from her2viewer.gui.state import ModelFacts, State, Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.evidence import Attribution, Evidence
from her2viewer.scoring.stains import Stain


@dataclass(frozen=True, slots=True)
class ExportWish:
    """Which picture, where to. Its format is that of the path's suffix; the result goes beside it as JSON where wanted."""

    path: Path
    stains: tuple[Stain, ...]
    with_map: bool
    with_result: bool


@dataclass(frozen=True, eq=False, slots=True)
class Exportable:
    """What stood on screen when the export was asked for; later changes of the window do not reach it.

    alignment: the one that was scored through.
    """

    images: OpenedPair
    alignment: Alignment | None
    evidence: Evidence
    attribution: Attribution | None
    style: OverlayStyle
    facts: ModelFacts | None
    scales: Mapping[Stain, PixelSize | None]


def exportable(state: State) -> Exportable | None:
    """What can be exported now, or None where nothing is scored."""
    pair, evidence = state.pair, state.scoring.evidence
    if pair is None or evidence is None:
        return None
    images = OpenedPair(pair[0].source, pair[1].source)
    return Exportable(
        images,
        state.scoring.alignment,
        evidence,
        state.drawn.attribution,
        state.style,
        state.model.facts,
        resolve_scales(state),
    )


def pair_of(images: OpenedPair) -> Pair:
    """The pair by its files' names: its case, and its label where they say one."""
    return pair_files(images.he.path, images.ihc.path)


class Exporting:
    """One export at a time."""

    def __init__(
        self, store: Store, files: Lane, messenger: Messenger, show_in_folder: Callable[[Path], object]
    ) -> None:
        self._store = store
        self._files = files
        self._messenger = messenger
        self._show_in_folder = show_in_folder

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
    pixels = read_pixels(shown.images, shown.alignment).pixels
    context.token.check()
    context.progress(Progress(1, 3, "Drawing the picture"))
    attribution = shown.attribution if wish.with_map else None
    facts = shown.facts
    mpp = {stain: None if size is None else size.um for stain, size in shown.scales.items()}
    picture = annotated_picture(
        pixels,
        attribution,
        shown.evidence.prediction,
        stains=wish.stains,
        style=shown.style,
        full_scale=attribution.request.fixed_peak(facts.fixed_peaks)
        if facts is not None and attribution is not None
        else None,
        case_id=pair_of(shown.images).case_id,
        mpp=mpp,
        coverage=facts.coverage if facts is not None else None,
    )
    context.token.check()
    context.progress(Progress(2, 3, f"Writing {wish.path.name}"))
    save_picture(wish.path, picture, shared_scale(mpp, wish.stains))
    if not wish.with_result:
        return (wish.path,)
    notices = facts.notices if facts is not None else ()
    beside, pair = wish.path.with_suffix(".json"), pair_of(shown.images)
    sources, prediction = shown.images.sources, shown.evidence.prediction
    write_json(
        beside,
        result_document(pair.case_id, sources, prediction, label=pair.label, notices=notices, scales=shown.scales),
    )
    return wish.path, beside

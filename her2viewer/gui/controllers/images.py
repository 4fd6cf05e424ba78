"""Opening, swapping and reading images: files in, slots of the state out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from her2viewer.errors import Cancelled, ImageError, PairError, UserError
from her2viewer.gui.controllers.messenger import Level, Messenger, Remedy
from her2viewer.gui.dropping import assign
from her2viewer.gui.lanes import Context, Lane
from her2viewer.gui.pane.pyramid import read_overview
from her2viewer.gui.state import OpenedImage, Slot, State
from her2viewer.gui.store import Store
from her2viewer.imaging.identity import same_picture
from her2viewer.imaging.source import ImageSource
from her2viewer.scoring.stains import Stain

Opener = Callable[[Path], ImageSource]
Outcome = Mapping[Stain, OpenedImage | UserError]


class Images:
    """The images of the pair on screen. Nothing that stands is lost when something new cannot be opened."""

    def __init__(self, store: Store, files: Lane, opener: Opener, messenger: Messenger) -> None:
        self._store = store
        self._files = files
        self._opener = opener
        self._messenger = messenger
        self.on_pair_opened: list[Callable[[Path, Path], None]] = []
        """Told (H&E, IHC) each time a pair stands that did not before."""
        self.on_refused: list[Callable[[Mapping[Stain, Path], Mapping[Stain, UserError]], None]] = []
        """Told the files that were asked for and what was wrong, each time not all of them could be opened."""

    def open(self, files: Mapping[Stain, Path]) -> None:
        """Opens one or both images; of several wishes in a row the last counts."""
        state = self._store.state
        slots = {stain: replace(state.slots[stain], opening=files.get(stain)) for stain in Stain}
        self._store.put(state.with_slots(slots))
        standing = {stain: state.image(stain) for stain in Stain if stain not in files}

        def work(context: Context) -> Outcome:
            return open_images(self._opener, files, standing, context)

        self._files.submit(
            "open",
            work,
            lambda outcome: self._on_opened(files, outcome),
            failed=self._on_failed,
            cancelled=self._on_cancelled,
        )

    def drop(self, files: Sequence[Path], pane: Stain) -> None:
        """Opens what was dropped on a pane."""
        try:
            assignment = assign(files, pane)
        except PairError as error:
            self._messenger.say_error(error)
            return
        self.open(assignment.files)
        if not assignment.sure:
            self._messenger.say(
                "The names do not say which image is which stain: the first is taken as H&E.",
                Level.INFO,
                Remedy("Swap stains", self.swap),
            )

    def swap(self) -> None:
        """Exchanges the two images; the score goes, since it was for the other order."""
        state = self._store.state
        slots = {stain: state.slots[stain.other] for stain in Stain}
        self._store.put(state.with_slots(slots).unscored())

    def cancel(self) -> None:
        """Stops opening."""
        self._files.drop("open")
        self._on_cancelled()

    def close(self) -> None:
        """Once the lanes have ended: closes what stands in the panes."""
        close_all([slot.image.source for slot in self._store.state.slots.values() if slot.image is not None])

    def _on_opened(self, files: Mapping[Stain, Path], outcome: Outcome) -> None:
        before = self._store.state
        opening = resolve_opening(before, outcome)
        self._store.put(opening.state)
        shown = (opening.state.image(stain) for stain in outcome)
        damage = [image.damage for image in shown if image is not None and image.damage is not None]
        for error in (*damage, *opening.errors):
            self._messenger.say_error(error)
        if opening.superseded:
            self._files.submit(f"close {id(opening)}", lambda _: close_all(opening.superseded))
        refused = {stain: result for stain, result in outcome.items() if isinstance(result, UserError)}
        if refused:
            for warned in self.on_refused:
                warned(files, refused)
        pair = opening.state.pair
        if pair is not None and pair != before.pair:
            for told in self.on_pair_opened:
                told(pair[0].source.path, pair[1].source.path)

    def _on_failed(self, error: UserError) -> None:
        self._on_cancelled()
        self._messenger.say_error(error)

    def _on_cancelled(self) -> None:
        state = self._store.state
        self._store.put(state.with_slots({stain: replace(state.slots[stain], opening=None) for stain in Stain}))


def open_images(
    opener: Opener, files: Mapping[Stain, Path], standing: Mapping[Stain, OpenedImage | None], context: Context
) -> Outcome:
    """In the files lane: opens each file and looks that the two are not one and the same picture."""
    outcome: dict[Stain, OpenedImage | UserError] = {}
    try:
        for stain, path in files.items():
            context.token.check()
            try:
                outcome[stain] = open_one(opener, path)
            except UserError as error:
                outcome[stain] = error
        context.token.check()
    except Cancelled:
        close_all([image.source for image in outcome.values() if isinstance(image, OpenedImage)])
        raise
    pictures = {stain: image for stain, image in {**standing, **outcome}.items() if isinstance(image, OpenedImage)}
    if len(pictures) == 2 and same_picture(pictures[Stain.HE].source, pictures[Stain.IHC].source):
        refused = Stain.IHC if Stain.IHC in files else Stain.HE
        outcome[refused] = PairError(
            f"the H&E and the {Stain.IHC.caption} are the same picture",
            path=files[refused],
            remedy=f"choose the {refused.caption} image of this tissue",
        )
        close_all([pictures[refused].source])
    return outcome


def open_one(opener: Opener, path: Path) -> OpenedImage:
    """Opens a file and reads the whole of it at overview size. Raises ImageError."""
    source = opener(path)
    damage: list[ImageError] = []
    try:
        overview = read_overview(source, damage.append)
    except MemoryError as error:
        source.close()
        raise ImageError("there is not enough memory to show it", path=path, remedy="close other programs") from error
    except UserError:
        source.close()
        raise
    return OpenedImage(source, overview, damage[0] if damage else None)


def close_all(sources: Sequence[ImageSource]) -> None:
    """Closes sources: in the files lane, or when that has ended."""
    for source in sources:
        source.close()


@dataclass(frozen=True, eq=False, slots=True)
class Opening:
    """What an outcome makes of the state: the errors to be said in the message bar, and the sources nobody shows any more."""

    state: State
    errors: tuple[UserError, ...]
    superseded: tuple[ImageSource, ...]


def resolve_opening(state: State, outcome: Outcome) -> Opening:
    """Where something stands and something new is refused, all that stands is kept. An empty window shows what it can."""
    errors = {stain: result for stain, result in outcome.items() if isinstance(result, UserError)}
    opened = {stain: result for stain, result in outcome.items() if isinstance(result, OpenedImage)}
    standing = any(state.image(stain) is not None for stain in Stain)
    if errors and standing:
        slots = {
            stain: Slot(state.image(stain), None, errors.get(stain) if state.image(stain) is None else None)
            for stain in Stain
        }
        return Opening(
            state.with_slots(slots), tuple(errors.values()), tuple(image.source for image in opened.values())
        )
    slots = {stain: Slot(opened.get(stain, state.image(stain)), None, errors.get(stain)) for stain in Stain}
    replaced = (state.image(stain) for stain in opened)
    superseded = tuple(image.source for image in replaced if image is not None)
    changed = state.with_slots(slots).unscored() if opened else state.with_slots(slots)
    # An empty pane says its own error; the message bar would say it twice.
    return Opening(changed, (), superseded)

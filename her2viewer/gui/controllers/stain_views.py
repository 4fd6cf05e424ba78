"""Stain views: which one is shown, and the vectors of each image that stands, found in the files lane."""

from dataclasses import replace
from functools import partial

from her2viewer.errors import UserError
from her2viewer.gui.controllers.messenger import Messenger
from her2viewer.gui.lanes import Lane
from her2viewer.gui.pane.stain_viewing import FoundVectors, VectorWish, find_vectors
from her2viewer.gui.state import OpenedImage, State
from her2viewer.gui.store import Store
from her2viewer.imaging.stain_vectors import StainVectors
from her2viewer.imaging.stain_views import StainView
from her2viewer.scoring.stains import Stain


class StainViews:
    """Vectors are found as soon as an image stands, so that the first key shows its view at once."""

    def __init__(self, store: Store, files: Lane, messenger: Messenger) -> None:
        self._store = store
        self._files = files
        self._messenger = messenger
        store.listen(self._on_state)

    def show(self, view: StainView) -> None:
        """The view of both panes."""
        self._store.change(stain_viewing=replace(self._store.state.stain_viewing, view=view))

    def find_by(self, stain: Stain, wish: VectorWish) -> None:
        """Finds a stain's vectors otherwise from now on."""
        self._store.change(stain_viewing=self._store.state.stain_viewing.with_wish(stain, wish))

    def _on_state(self, old: State, new: State) -> None:
        for stain in Stain:
            image, wish = new.image(stain), new.stain_viewing.wishes[stain]
            changed = image is not old.image(stain) or wish != old.stain_viewing.wishes[stain]
            if image is not None and changed:
                self._find(stain, image, wish)

    def _find(self, stain: Stain, image: OpenedImage, wish: VectorWish) -> None:
        self._files.submit(
            f"stain vectors {stain}",
            lambda _: find_vectors(wish, stain.dyes, image.source, image.overview),
            partial(self._found, stain, image, wish),
            failed=self._failed,
        )

    def _found(self, stain: Stain, image: OpenedImage, wish: VectorWish, vectors: StainVectors) -> None:
        found = FoundVectors(image.source, wish, vectors)
        self._store.change(stain_viewing=self._store.state.stain_viewing.with_found(stain, found))

    def _failed(self, error: UserError) -> None:
        self._messenger.say_error(error)

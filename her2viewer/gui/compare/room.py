"""Ties the comparison to the window: the IHC's pane takes the whole place and paints the H&E over its own tissue.

So the comparison moves, zooms and turns as that pane does, its map, its layers and its tools stay in IHC coordinates, and
nothing is shown in two ways.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent

from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.compare.bar import CompareBar
from her2viewer.gui.compare.divider import Divider
from her2viewer.gui.compare.resolve import comparison_of, resolve_veil, seen_words, view_words
from her2viewer.gui.compare.state import CompareMode, Comparison
from her2viewer.gui.compare.veil import Veil
from her2viewer.gui.pane.tissue_view import SURROUND
from her2viewer.gui.parts import Parts
from her2viewer.gui.state import State
from her2viewer.scoring.stains import Stain


class CompareRoom(QObject):
    """Built once."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self._parts = parts
        self._store = parts.store
        self._he, self._ihc = (parts.window.panes[stain] for stain in Stain)
        self.bar = CompareBar()
        self.divider = Divider(self._ihc.view)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn_over)

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Puts the parts where they belong; returns who does the actions of this room."""
        self._parts.window.above_panes.addWidget(self.bar)
        self.bar.run_toggled.connect(lambda on: self._change(running=on))
        self.bar.every_changed.connect(lambda ms: self._change(every_ms=ms))
        self.bar.divider_changed.connect(lambda share: self._change(divider=share))
        self.bar.blend_changed.connect(lambda share: self._change(blend=share))
        self.bar.leave_requested.connect(partial(self.choose, CompareMode.SIDE_BY_SIDE))
        self.divider.dragged.connect(lambda share: self._change(divider=share))
        view = self._ihc.view
        view.set_veil(
            Veil(
                self._he.view.mosaic,
                lambda: image.source.size if (image := self._he.view.image) is not None else None,
                lambda: self._store.state.registration.alignment,
                lambda: resolve_veil(comparison_of(self._store.state)),
                SURROUND,
            )
        )
        self._he.view.mosaic.changed.connect(self._on_tiles)
        self._ihc.view.mosaic.changed.connect(self._show_views)
        self._show_views()
        view.installEventFilter(self)
        self._store.listen(self.present)
        self.present(None, self._store.state)
        return {Id(mode): partial(self.choose, mode) for mode in CompareMode}

    def close(self) -> None:
        """Nothing goes by itself any more."""
        self._timer.stop()
        self._ihc.view.removeEventFilter(self)

    def choose(self, mode: CompareMode) -> None:
        """Compares in another way, at the same place of the tissue."""
        state = self._store.state
        # Landmarks need both images beside each other: the same spot has to be clicked in each.
        setting = state.registration.setting and mode is CompareMode.SIDE_BY_SIDE
        self._store.change(
            comparison=replace(state.comparison, mode=mode, held=False),
            registration=replace(state.registration, setting=setting),
        )

    def present(self, old: State | None, new: State) -> None:
        """Pushes what differs."""
        before, now = comparison_of(old) if old is not None else None, comparison_of(new)
        if before is None or before.together != now.together:
            self._he.setVisible(not now.together)
            self._ihc.set_header_visible(not now.together)
            if now.together:
                self._ihc.view.setFocus()
        names = _names(new)
        if before != now or old is None or names != _names(old):
            self.bar.show_comparison(now, seen_words(now), names)
        if before != now:
            self.divider.setVisible(now.mode is CompareMode.SWIPE)
            self.divider.stand_at(now.divider)
            self._keep_time(now)
        if resolve_veil(now) is not None or before != now:
            self._ihc.view.viewport().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.divider.stand_at(self._store.state.comparison.divider)
        elif event.type() == QEvent.Type.FocusOut and self._store.state.comparison.held:
            self._change(held=False)  # the release of the key would go elsewhere
        held = event.type() == QEvent.Type.KeyPress
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Tab and self._flickers:
            if (held or event.type() == QEvent.Type.KeyRelease) and not event.isAutoRepeat():
                self._change(held=held)
            return True
        return super().eventFilter(watched, event)

    @property
    def _flickers(self) -> bool:
        return comparison_of(self._store.state).mode is CompareMode.FLICKER

    def _keep_time(self, comparison: Comparison) -> None:
        """The flicker goes by itself, but not while a key holds the other image."""
        goes = comparison.mode is CompareMode.FLICKER and comparison.running and not comparison.held
        if not goes:
            self._timer.stop()
        elif not self._timer.isActive() or self._timer.interval() != comparison.every_ms:
            self._timer.start(comparison.every_ms)

    def _turn_over(self) -> None:
        self._change(front=self._store.state.comparison.front.other)

    def _on_tiles(self) -> None:
        self._show_views()
        if comparison_of(self._store.state).together:
            self._ihc.view.viewport().update()

    def _show_views(self) -> None:
        self.bar.show_views(*view_words([pane.view.mosaic.colouring for pane in (self._he, self._ihc)]))

    def _change(self, **fields: object) -> None:
        self._store.change(comparison=replace(self._store.state.comparison, **fields))  # type: ignore[arg-type]


def _names(state: State) -> str:
    pair = state.pair
    return " and ".join(dict.fromkeys(image.source.path.name for image in pair)) if pair is not None else ""

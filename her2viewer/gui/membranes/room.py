"""Ties the section 'Membranes' to the window: read in a lane of its own, after the score and never before it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer
from PySide6.QtGui import QMouseEvent

from her2viewer.errors import UserError
from her2viewer.gui.actions import ActionId as Id
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.fields.pointer import Pointer
from her2viewer.gui.fields.reading import read_scored
from her2viewer.gui.fields.tools import CLICK
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.lanes import Lane
from her2viewer.gui.membranes.layer import CellLayer, CellsShown
from her2viewer.gui.membranes.resolve import cells_on_screen, resolve_membranes
from her2viewer.gui.membranes.state import MembraneState
from her2viewer.gui.pane.tissue_view import TissueView
from her2viewer.gui.parts import Parts
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import ScorePhase, State
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.membrane.reading import MembraneReading, read_field
from her2viewer.scoring.preprocess import FIELD_UM
from her2viewer.scoring.stains import Stain

_TOPIC: Final = "membranes"
_ALONE: Final = Alignment(Affine.identity())
"""While there is no H&E: only the IHC's pane is drawn on."""

LARGEST_UNASKED: Final = 1536.0
"""Level-0 px of a field's longer side from where it is read only when asked for: the time goes with the area."""


class MembranesRoom(QObject):
    """Built once. A reading is of one field at one scale: with another, it is forgotten."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.window)
        self._parts, self._store, self._window = parts, parts.store, parts.window
        self.panel = parts.window.membranes_panel
        self.lane = Lane("membranes")
        self.layer = CellLayer(self._drawn)
        self._views = [pane.view for pane in parts.window.panes.values()]
        self._pressed: QPointF | None = None

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Listens to the panel, the panes and the state; returns who does the actions of this room."""
        panel = self.panel
        panel.read_requested.connect(self._ask)
        panel.cancel_requested.connect(self.cancel)
        panel.cells_toggled.connect(self.show_cells)
        panel.always_toggled.connect(self._read_always)
        panel.always.setChecked(self._parts.settings.membranes_after_score)
        for view in self._views:
            view.add_layer(self.layer)
            view.viewport().installEventFilter(self)
        self._store.listen(self._on_state)
        panel.show_membranes(resolve_membranes(self._store.state))
        return {
            Id.READ_MEMBRANES: self._ask,
            Id.SHOW_CELLS: self._toggle_cells,
        }

    def close(self) -> None:
        """Stops what is under way and waits for it."""
        for view in self._views:
            view.viewport().removeEventFilter(self)
        self.lane.close(1.0)

    def read(self) -> None:
        """Reads the field that the score is of, or the whole image where none is scored."""
        state = self._store.state
        images, scoring = state.scorable, state.scoring
        if images is None:
            return
        fields = scoring.evidence.prediction.fields if scoring.evidence is not None else {}
        key = scoring.key if fields else None
        alignment = scoring.alignment if fields else alignment_of(state)
        mpp = resolve_mpp(state, Stain.IHC)
        self._drop()
        self._store.change(membranes=MembraneState(busy=True, mpp=mpp, cells_shown=state.membranes.cells_shown))
        self._parts.lanes.files.submit(
            _TOPIC,
            lambda _: read_scored(images, key, alignment, fields),
            lambda field: self._measure(field, mpp),
            failed=self._failed,
        )

    def cancel(self) -> None:
        """Stops reading; nothing is kept of it."""
        if self._store.state.membranes.busy:
            self._forget()

    def show_cells(self, on: bool) -> None:
        """Draws the cells over the tissue, or takes them away."""
        self._store.change(membranes=replace(self._store.state.membranes, cells_shown=on, chosen=None))

    def _ask(self) -> None:
        self._window.docks.show_panel(Panel.ANSWER)
        self.panel.fold.set_open(True)
        self._window.reveal_answer(self.panel)
        self.show_cells(True)
        if self._store.state.membranes.reading is None:
            self.read()

    def _toggle_cells(self) -> None:
        membranes = self._store.state.membranes
        if membranes.reading is None:
            self._ask()
        else:
            self.show_cells(not membranes.cells_shown)

    def _read_always(self, on: bool) -> None:
        self._parts.settings.membranes_after_score = on
        state = self._store.state
        if on and state.scoring.evidence is not None and state.membranes.reading is None:
            self.read()

    def _measure(self, field: FieldPixels, mpp: PixelSize | None) -> None:
        facts = self._store.state.model.facts
        field_um = facts.field_um if facts is not None else FIELD_UM

        def found(reading: MembraneReading) -> None:
            shown = self._store.state.membranes.cells_shown
            self._store.change(membranes=MembraneState(reading, field.fields[Stain.IHC], mpp, cells_shown=shown))

        self.lane.submit(
            _TOPIC,
            lambda context: read_field(field, mpp, field_um=field_um, cancelled=lambda: context.token.cancelled),
            found,
            failed=self._failed,
        )

    def _failed(self, error: UserError) -> None:
        self._store.change(membranes=MembraneState(error=error, cells_shown=self._store.state.membranes.cells_shown))

    def _forget(self) -> None:
        self._drop()
        self._store.change(membranes=MembraneState(cells_shown=self._store.state.membranes.cells_shown))

    def _drop(self) -> None:
        self._parts.lanes.files.drop(_TOPIC)
        self.lane.drop(_TOPIC)

    def _drawn(self) -> CellsShown | None:
        state = self._store.state
        reading, alignment = cells_on_screen(state), alignment_of(state) or _ALONE
        return CellsShown(reading, alignment, state.membranes.chosen) if reading is not None else None

    def _on_state(self, old: State, new: State) -> None:
        if self._is_of_another_field(old, new):
            self._forget()
        if old.scoring.evidence is not new.scoring.evidence and self._is_due(self._store.state):
            self.read()
        if resolve_membranes(old) != resolve_membranes(new):
            self.panel.show_membranes(resolve_membranes(new))
        drawn = cells_on_screen(old) is not cells_on_screen(new) or alignment_of(old) is not alignment_of(new)
        if drawn or old.membranes.chosen != new.membranes.chosen:
            for view in self._views:
                view.repaint_layers()

    def _is_of_another_field(self, old: State, new: State) -> bool:
        """Whether what was read, or is being read, is not of what is on screen any more. A score under way goes first."""
        membranes = new.membranes
        if membranes.reading is None and not membranes.busy:
            return False
        begun = old.scoring.phase is not ScorePhase.SCORING and new.scoring.phase is ScorePhase.SCORING
        if (
            old.image(Stain.IHC) is not new.image(Stain.IHC)
            or old.scoring.key != new.scoring.key
            or (membranes.busy and begun)
        ):
            return True
        if resolve_mpp(new, Stain.IHC) != membranes.mpp:
            return True
        evidence = new.scoring.evidence
        read = membranes.field
        return evidence is not None and read is not None and evidence.prediction.fields.get(Stain.IHC) != read

    def _is_due(self, state: State) -> bool:
        evidence, membranes = state.scoring.evidence, state.membranes
        if evidence is None or membranes.reading is not None or not self._parts.settings.membranes_after_score:
            return False
        field = evidence.prediction.fields.get(Stain.IHC)
        return field is not None and max(field.width, field.height) <= LARGEST_UNASKED

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A click on a cell chooses it; the pane and its tools have the mouse as ever."""
        view = next((view for view in self._views if view.viewport() is watched), None)
        # Only while no tool is chosen: a landmark or the end of a ruler is set on a cell without asking about it.
        if view is not None and isinstance(event, QMouseEvent) and isinstance(view.tool, Pointer):
            if event.type() == QEvent.Type.MouseButtonPress:
                self._pressed = event.position()
            elif event.type() == QEvent.Type.MouseButtonRelease and self._pressed is not None:
                moved = (event.position() - self._pressed).manhattanLength()
                self._pressed = None
                if moved < CLICK:
                    # Once the pane and its tool are through with it.
                    QTimer.singleShot(0, self, partial(self._choose, view, view.from_screen(event.position())))
        return super().eventFilter(watched, event)

    def _choose(self, view: TissueView, at: tuple[float, float]) -> None:
        membranes = self._store.state.membranes
        chosen = self.layer.cell_at(view, at)
        if chosen != membranes.chosen:
            self._store.change(membranes=replace(membranes, chosen=chosen))

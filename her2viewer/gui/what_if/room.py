"""Ties the section 'What if' to the window: computed once in the inference lane, looked up while the slider is dragged."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from her2viewer.errors import UserError
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.bench import Bench
from her2viewer.gui.fields.reading import read_scored
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.lanes import Context, Progress
from her2viewer.gui.parts import Parts
from her2viewer.gui.resolve.pane import resolve_colouring
from her2viewer.gui.state import State
from her2viewer.gui.what_if.resolve import STEPS, can_vary, dab_vectors, resolve_what_if
from her2viewer.gui.what_if.state import WhatIfState
from her2viewer.imaging.stain_vectors import StainVectors
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.what_if import WhatIf

_TOPIC = "what if"


class WhatIfRoom:
    """Built once. It is of one score: with another, or none, it is off."""

    def __init__(self, parts: Parts, bench: Bench) -> None:
        self._store, self._lanes, self._bench = parts.store, parts.lanes, bench
        self._window = parts.window
        self.panel = parts.window.what_if_panel
        self._mosaic = parts.window.panes[Stain.IHC].view.mosaic

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Listens to the panel, the state and the pane; returns who does the action of this room."""
        self.panel.toggled.connect(self.set_on)
        self.panel.factor_changed.connect(self.set_factor)
        self._mosaic.changed.connect(self._follow)
        self._store.listen(self._on_state)
        self.panel.show_what_if(resolve_what_if(self._store.state))
        return {Id.WHAT_IF: self._toggle}

    def _toggle(self) -> None:
        self.set_on(not self._store.state.what_if.on)
        if self._store.state.what_if.on:
            self._window.docks.show_panel(Panel.ANSWER)

    def set_on(self, on: bool) -> None:
        """Begins with the field as it is, or leaves: the picture is the slide's again, and nothing is kept."""
        self._drop()
        if on and can_vary(self._store.state):
            self._store.change(what_if=WhatIfState(on=True, progress=Progress()))
            self._compute()
        else:
            self._store.change(what_if=WhatIfState())

    def set_factor(self, factor: float) -> None:
        """Asks about so many times the field's own DAB."""
        wish = self._store.state.what_if
        if wish.found is not None:
            self._store.change(what_if=replace(wish, factor=round(factor * STEPS) / STEPS))

    def cancel(self) -> None:
        """Stops computing; what is there stays."""
        if self._store.state.what_if.progress is not None:
            self.set_on(False)

    def _compute(self) -> None:
        state = self._store.state
        images, scoring, vectors = state.scorable, state.scoring, dab_vectors(state)
        evidence = scoring.evidence
        if images is None or evidence is None or vectors is None:
            return
        self._lanes.files.submit(
            _TOPIC,
            lambda _: read_scored(images, scoring.key, scoring.alignment, evidence.prediction.fields),
            lambda field: self._ask(field, evidence, vectors),
            failed=self._failed,
        )

    def _ask(self, field: FieldPixels, evidence: Evidence, vectors: StainVectors) -> None:
        def work(context: Context) -> WhatIf:
            return self._bench.what_if(
                field,
                evidence,
                vectors,
                lambda: context.token.cancelled,
                lambda done, total: context.progress(Progress(done, total)),
            )

        self._lanes.inference.submit(
            _TOPIC, work, self._found, failed=self._failed, progressed=lambda progress: self._put(progress=progress)
        )

    def _found(self, found: WhatIf) -> None:
        self._put(found=found, progress=None)
        self._window.reveal_answer(self.panel)

    def _failed(self, error: UserError) -> None:
        self._put(error=error, progress=None)

    def _put(self, **fields: object) -> None:
        self._store.change(what_if=replace(self._store.state.what_if, **fields))  # type: ignore[arg-type]

    def _drop(self) -> None:
        self._lanes.files.drop(_TOPIC)
        self._lanes.inference.drop(_TOPIC)

    def _on_state(self, old: State, new: State) -> None:
        if new.what_if.on:
            if new.scoring.evidence is not old.scoring.evidence or new.stain_viewing.view != old.stain_viewing.view:
                self.set_on(False)
            elif dab_vectors(new) is not dab_vectors(old):
                # Other vectors are another question; while they are being found the picture is as it is.
                self._drop()
                self._store.change(what_if=WhatIfState(on=True, progress=Progress()))
                self._compute()
            else:
                self._follow()
        if resolve_what_if(old) != resolve_what_if(new):
            self.panel.show_what_if(resolve_what_if(new))

    def _follow(self) -> None:
        """Gives the pane the next strength once it shows the last one, so that a drag is seen and never waited for."""
        state = self._store.state
        wish = state.what_if
        shown = self._mosaic.colouring.name == resolve_colouring(state, Stain.IHC).name
        if wish.on and wish.painted != wish.factor and shown:
            self._put(painted=wish.factor)

"""Ties the section 'Trust' to the window: a map is questioned in the inference lane and forgotten with its score."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from her2viewer.errors import UserError
from her2viewer.gui.actions import ActionId as Id
from her2viewer.gui.bench import Bench
from her2viewer.gui.fields.reading import read_scored
from her2viewer.gui.frame.docks import Panel
from her2viewer.gui.lanes import Context
from her2viewer.gui.parts import Parts
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import State
from her2viewer.gui.trust.resolve import can_question, resolve_trust
from her2viewer.gui.trust.state import TrustState
from her2viewer.gui.trust.untrained_layer import UntrainedLayer
from her2viewer.imaging.source import PixelSize
from her2viewer.scoring.evidence import Attribution, Evidence, FieldPixels, MapRequest
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.findings import TrustReport

_TOPIC = "trust"


class TrustRoom:
    """Built once. What was measured of a score's maps is kept while that score stands."""

    def __init__(self, parts: Parts, bench: Bench) -> None:
        self._store, self._lanes, self._bench = parts.store, parts.lanes, bench
        self._window = parts.window
        self.panel = parts.window.trust_panel
        self._reports: dict[MapRequest, TrustReport] = {}

    def tie(self) -> Mapping[Id, Callable[[], object]]:
        """Listens to the panel and the state; returns who does the actions of this room."""
        self.panel.asked.connect(self.ask)
        self.panel.cancel_requested.connect(self.cancel)
        self.panel.untrained_toggled.connect(self.show_untrained)
        layer = UntrainedLayer(lambda: self._store.state.trust.untrained)
        for pane in self._window.panes.values():
            pane.view.add_layer(layer)
        self._store.listen(self._on_state)
        self.panel.show_trust(resolve_trust(self._store.state))
        return {
            Id.QUESTION_MAP: self._question,
            Id.UNTRAINED_MAP: lambda: self.show_untrained(not self._store.state.trust.untrained),
        }

    def _question(self) -> None:
        self._window.docks.show_panel(Panel.ANSWER)
        self.panel.fold.set_open(True)
        self._window.reveal_answer(self.panel)
        self.ask()

    def ask(self) -> None:
        """Measures what the map on screen is worth; nothing is done where that is known."""
        state = self._store.state
        images, scoring, attribution = state.scorable, state.scoring, state.drawn.attribution
        evidence = scoring.evidence
        if images is None or evidence is None or attribution is None or state.trust.report is not None:
            return
        mpp = _scale(state)
        um = mpp.um if mpp is not None else None
        self._store.change(trust=TrustState(asking=True))
        self._lanes.files.submit(
            _TOPIC,
            lambda _: read_scored(images, scoring.key, scoring.alignment, evidence.prediction.fields),
            lambda field: self._measure(evidence, attribution, field, um),
            failed=self._failed,
        )

    def cancel(self) -> None:
        """Stops measuring; nothing is kept of it."""
        if self._store.state.trust.asking:
            self._drop()
            self._store.change(trust=TrustState())

    def show_untrained(self, on: bool) -> None:
        """Puts the map of a network with random weights into the panes, or the model's own back."""
        trust = self._store.state.trust
        if trust.report is not None:
            shown = on and resolve_trust(self._store.state).can_show_untrained
            self._store.change(trust=replace(trust, untrained=shown))

    def _measure(self, evidence: Evidence, attribution: Attribution, field: FieldPixels, um: float | None) -> None:
        def work(context: Context) -> TrustReport:
            return self._bench.trust(
                evidence, attribution, field, _um_of_pixels(field, um), lambda: context.token.cancelled
            )

        self._lanes.inference.submit(_TOPIC, work, self._found, failed=self._failed)

    def _found(self, report: TrustReport) -> None:
        self._reports[report.attribution.request] = report
        self._store.change(trust=TrustState(report))

    def _failed(self, error: UserError) -> None:
        self._store.change(trust=TrustState(error=error))

    def _drop(self) -> None:
        self._lanes.files.drop(_TOPIC)
        self._lanes.inference.drop(_TOPIC)

    def _on_state(self, old: State, new: State) -> None:
        # Another scale is another answer to what lies on membrane.
        others = new.scoring.evidence is not old.scoring.evidence or _scale(new) != _scale(old)
        if others:
            self._reports.clear()
        if others or new.drawn.attribution is not old.drawn.attribution:
            self._drop()
            drawn = new.drawn.attribution
            known = self._reports.get(drawn.request) if drawn is not None and can_question(new) else None
            trust = new.trust
            if known is not trust.report or trust.asking or trust.error is not None or trust.untrained:
                self._store.change(trust=TrustState(known))
        if resolve_trust(old) != resolve_trust(new):
            self.panel.show_trust(resolve_trust(new))


def _scale(state: State) -> PixelSize | None:
    return resolve_mpp(state, Stain.IHC)


def _um_of_pixels(field: FieldPixels, um: float | None) -> float | None:
    """Micrometres a pixel of a field's IHC as it was read, which may be coarser than level 0."""
    if um is None or Stain.IHC not in field.pixels:
        return None
    return um * field.fields[Stain.IHC].width / int(field.pixels[Stain.IHC].shape[1])

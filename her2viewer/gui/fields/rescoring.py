"""All that is outdated, scored again: drawn fields one after the other, behind whatever else the user asks for, then the map."""

from collections import deque
from dataclasses import replace

from her2viewer.cases.annotation import Annotation
from her2viewer.errors import UserError
from her2viewer.gui.bench import Bench
from her2viewer.gui.controllers.messenger import Messenger
from her2viewer.gui.fields.gridding import GridScoring
from her2viewer.gui.fields.outdated import now, outdated_fields
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.fields.reading import read_placed
from her2viewer.gui.fields.scoring import FieldScoring
from her2viewer.gui.lanes import Lanes, Progress
from her2viewer.gui.state import OpenedImage
from her2viewer.gui.store import Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.evidence import Evidence, FieldPixels

_TOPIC = "fields again"


class Rescoring:
    """One run at a time. A field that fails keeps the score that it had, which stays outdated; the others go on."""

    def __init__(
        self, store: Store, lanes: Lanes, bench: Bench, scoring: FieldScoring, grid: GridScoring, messenger: Messenger
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._bench = bench
        self._scoring = scoring
        self._grid = grid
        self._messenger = messenger
        self._waiting: deque[str] = deque()
        self._total = 0

    def start(self) -> None:
        """Begins with what is outdated now."""
        if self._store.state.fields.again is None:
            self._waiting = deque(outdated_fields(self._store.state))
            self._total = len(self._waiting)
            self._tell()
            self._next()

    def cancel(self) -> None:
        """Stops; what is scored again stays so."""
        if self._store.state.fields.again is not None:
            self._lanes.files.drop(_TOPIC)
            self._lanes.inference.drop(_TOPIC)
            self._waiting.clear()
            self._change(None)

    def _next(self) -> None:
        state = self._store.state
        if state.fields.again is None:  # another pair came
            return
        pair, alignment, present = state.pair, alignment_of(state), now(state)
        while self._waiting and pair is not None and alignment is not None:
            annotation = state.fields.annotations.get(self._waiting.popleft())
            if annotation is not None and present.outdates(annotation.score):
                self._score(annotation, pair, alignment)
                return
        self._change(None)
        if now(state).outdates_map(state.fields.score_map) and not state.fields.run.active:
            self._grid.again()

    def _score(self, annotation: Annotation, pair: tuple[OpenedImage, OpenedImage], alignment: Alignment) -> None:
        field = annotation.shape.bounds

        def scored(evidence: Evidence) -> None:
            if self._store.state.pair == pair:
                self._scoring.take(annotation, field, evidence, alignment)
            self._go_on()

        def on_read(pixels: FieldPixels) -> None:
            inference = self._lanes.inference
            inference.submit(_TOPIC, lambda _: self._bench.scorer.score(pixels), scored, failed=self._on_failed)

        self._lanes.files.submit(_TOPIC, lambda _: read_placed(pair, alignment, field), on_read, failed=self._on_failed)

    def _on_failed(self, error: UserError) -> None:
        self._messenger.say_error(error)
        self._go_on()

    def _go_on(self) -> None:
        self._tell()
        self._next()

    def _tell(self) -> None:
        done = self._total - len(self._waiting)
        self._change(Progress(done, self._total, f"Scoring {done:,} of {self._total:,} fields again"))

    def _change(self, again: Progress | None) -> None:
        fields = self._store.state.fields
        if again is None or fields.again is not None or len(self._waiting) == self._total:
            self._store.change(fields=replace(fields, again=again))

"""The score map as it grows: a cell is read in the files lane while another is scored in the inference lane, one at a time,
so that what the user asks for in between waits for one cell at most.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from PySide6.QtCore import QTimer

from her2viewer.batch.grid_run import read_cell, score_read
from her2viewer.cases.grid import grid_over
from her2viewer.cases.score_map import MapBasis, Outcome, ScoreMap, Unscored
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError, UserError
from her2viewer.gui.bench import Bench
from her2viewer.gui.controllers.messenger import Level, Messenger, Remedy
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.fields.reading import alignment_name, read_placed
from her2viewer.gui.fields.scoring import field_side
from her2viewer.gui.fields.state import FieldsState, GridRun, RunPhase, cell_index
from her2viewer.gui.lanes import Context, Lanes
from her2viewer.gui.state import OpenedImage, State
from her2viewer.gui.store import Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.glass import White, glass_of

AHEAD: Final = 3
"""Cells that are read and wait for the network."""


@dataclass(slots=True)
class _Feed:
    """What is under way. Lives on the window's thread."""

    pair: tuple[OpenedImage, OpenedImage]
    alignment: Alignment
    waiting: Iterator[int]
    started: float
    glass: Callable[[], White]
    read: deque[tuple[int, FieldPixels]] = field(default_factory=deque)
    reading: bool = False
    scoring: bool = False
    done: int = 0
    all_read: bool = False


class GridScoring:
    """One score map at a time. To pause or stop is to stop feeding; what was scored stays and a run goes on from there."""

    def __init__(self, store: Store, lanes: Lanes, bench: Bench, messenger: Messenger) -> None:
        self._store = store
        self._lanes = lanes
        self._bench = bench
        self._messenger = messenger
        self._feed: _Feed | None = None
        store.listen(self._on_change)

    @property
    def _fields(self) -> FieldsState:
        return self._store.state.fields

    def again(self) -> None:
        """The map that stands, scored anew as it was laid, with the model and the alignment of now."""
        score_map = self._fields.score_map
        if score_map is not None:
            self.start(score_map.region, score_map.side, score_map.step)

    def start(self, region: Shape | None = None, side: float | None = None, step: float | None = None) -> None:
        """Lays a grid over a region, the whole image unless one is given, and begins. Replaces the map that stands.

        side, step: of its fields and from one to the next, level-0 px of the IHC; what the user set unless given.
        """
        state = self._store.state
        pair, alignment, facts = state.pair, alignment_of(state), state.model.facts
        if pair is None or alignment is None:
            return
        if facts is None:
            self._messenger.say("The model is still being loaded; lay the grid when it is there.", Level.WARNING)
            return
        self.stop()
        region = region or Shape.rectangle(0, 0, *pair[1].source.size)
        side = field_side(state) if side is None else side
        step = max(side * self._fields.grid.apart, 1.0) if step is None else step
        before = self._fields
        self._change(run=GridRun(RunPhase.LAYING))

        def lay(_: Context) -> ScoreMap:
            cells = grid_over(region, pair[1].source.size, side, step)
            # The files are hashed when the map is saved: to read a slide from end to end takes as long as many fields.
            basis = MapBasis({}, facts.identity, alignment_name(alignment))
            return ScoreMap(region, side, step, basis, facts.classes, cells)

        def laid(score_map: ScoreMap) -> None:
            selected = None if cell_index(self._fields.selected) is not None else self._fields.selected
            self._change(score_map=score_map, selected=selected)
            if len(score_map.cells) == 1:
                self._messenger.say(
                    f"One field of {round(side):,} px covers this region. Set a smaller field size in the fields panel for a "
                    "finer map."
                )
            self._begin(pair, alignment)

        def refused(error: UserError) -> None:
            self._change(run=before.run)
            self._messenger.say_error(error)

        self._lanes.files.submit("grid lay", lay, laid, failed=refused)

    def pause(self) -> None:
        """Stops feeding; cells that are under way are finished."""
        if self._fields.run.phase is RunPhase.RUNNING:
            self._change(run=GridRun(RunPhase.PAUSED))

    def stop(self) -> None:
        """Stops at once; the cells that are done stay."""
        for lane, topic in (
            (self._lanes.files, "grid lay"),
            (self._lanes.files, "grid read"),
            (self._lanes.inference, "grid score"),
        ):
            lane.drop(topic)
        self._feed = None
        phase = self._fields.run.phase
        if phase in (RunPhase.RUNNING, RunPhase.PAUSED):
            self._change(run=GridRun(RunPhase.STOPPED))
        elif phase is RunPhase.LAYING:
            self._change(run=GridRun())

    def resume(self) -> None:
        """Goes on with the cells that wait. Says so where model or alignment are not those of the map any more.

        The images are: a map goes with its pair, and one from a file is compared when it is loaded.
        """
        state, score_map = self._store.state, self._fields.score_map
        pair, alignment, facts = state.pair, alignment_of(state), state.model.facts
        if pair is None or alignment is None or score_map is None or facts is None:
            return

        basis = MapBasis(score_map.basis.images, facts.identity, alignment_name(alignment))
        try:
            basis.refuse_other(score_map.basis)
        except AnnotationError as error:
            self._messenger.say_error(error)
            return
        self._begin(pair, alignment)

    def retry(self) -> None:
        """Scores the cells again that failed."""
        if self._fields.score_map is not None:
            self._change(score_map=self._fields.score_map.retried())
            self.resume()

    def remove(self) -> None:
        """Takes the map away; it can be brought back as long as the message stands."""
        self.stop()
        fields = self._fields
        if fields.score_map is None:
            return
        self._change(score_map=None, run=GridRun(), selected=fields.selected_annotation and fields.selected)
        pair, score_map, run = self._store.state.pair, fields.score_map, fields.run

        def bring_back() -> None:
            if self._store.state.pair == pair:
                self._change(score_map=score_map, run=run)

        self._messenger.say("The score map was removed.", Level.INFO, Remedy("Bring it back", bring_back))

    def show(self, score_map: ScoreMap) -> None:
        """A map that was loaded, in place of the one that stands."""
        self.stop()
        phase = RunPhase.STOPPED if score_map.waiting else RunPhase.DONE
        self._change(score_map=score_map, run=GridRun(phase))

    def _begin(self, pair: tuple[OpenedImage, OpenedImage], alignment: Alignment) -> None:
        score_map = self._fields.score_map
        assert score_map is not None
        if not score_map.waiting:
            self._change(run=GridRun(RunPhase.DONE))
            return
        # What is under way from before a pause is finished by the feed that began it.
        if self._feed is None:
            glass = cache(lambda: glass_of(pair[1].overview))  # computed in the files lane
            self._feed = _Feed(pair, alignment, iter(score_map.waiting), time.perf_counter(), glass)
        else:
            self._feed.started, self._feed.done = time.perf_counter(), 0
        self._change(run=GridRun(RunPhase.RUNNING))
        self._step()

    def _step(self) -> None:
        """Hands out what can be begun, or ends the run where nothing is left."""
        feed = self._feed
        if feed is None:
            return
        running = self._fields.run.phase is RunPhase.RUNNING
        if not running:
            return
        if feed.read and not feed.scoring:
            self._score(feed, *feed.read.popleft())
        if not feed.reading and not feed.all_read and len(feed.read) < AHEAD:
            index = next(feed.waiting, None)
            if index is None:
                feed.all_read = True
            else:
                self._read(feed, index)
        if feed.all_read and not (feed.reading or feed.scoring or feed.read):
            self._feed = None
            self._change(run=GridRun(RunPhase.DONE))

    def _read(self, feed: _Feed, index: int) -> None:
        score_map = self._fields.score_map
        assert score_map is not None
        cell = score_map.cells[index]
        feed.reading = True

        def arrived(found: FieldPixels | Unscored) -> None:
            feed.reading = False
            if isinstance(found, Unscored):
                self._put(feed, index, found)
            else:
                feed.read.append((index, found))
            self._step()

        self._lanes.files.submit(
            "grid read",
            lambda _: read_cell(cell, lambda wanted: read_placed(feed.pair, feed.alignment, wanted), feed.glass),
            arrived,
        )

    def _score(self, feed: _Feed, index: int, pixels: FieldPixels) -> None:
        score_map = self._fields.score_map
        assert score_map is not None
        cell, bench = score_map.cells[index], self._bench
        feed.scoring = True

        def arrived(outcome: Outcome) -> None:
            feed.scoring = False
            self._put(feed, index, outcome)
            self._step()

        def failed(error: UserError) -> None:  # there is no model any more
            self.stop()
            self._messenger.say_error(error)

        self._lanes.inference.submit(
            "grid score",
            lambda _: score_read(cell, pixels, bench.scorer, score_map.basis.alignment),
            arrived,
            failed=failed,
        )

    def _put(self, feed: _Feed, index: int, outcome: Outcome) -> None:
        score_map, run = self._fields.score_map, self._fields.run
        assert score_map is not None
        feed.done += 1
        if run.phase is RunPhase.RUNNING:
            run = replace(run, rate=feed.done / max(time.perf_counter() - feed.started, 1e-6))
        self._change(score_map=score_map.with_score(index, outcome), run=run)

    def _on_change(self, old: State, new: State) -> None:
        """A run belongs to its images, its model and their alignment."""
        if self._feed is None and not new.fields.run.active:
            return
        if old.pair != new.pair:  # the map has gone with its images
            self.stop()
            return
        score_map, facts = new.fields.score_map, new.model.facts
        other_model = facts is None or (score_map is not None and facts.identity != score_map.basis.model)
        if (self._feed is not None and other_model) or alignment_of(old) != alignment_of(new):
            # Listeners do not change the state while others have yet to hear of it.
            QTimer.singleShot(0, self._lanes.files, self._stop_and_say)

    def _stop_and_say(self) -> None:
        if self._feed is None and not self._fields.run.active:
            return
        self.stop()
        self._messenger.say(
            "Scoring the grid was stopped, since the model or the alignment has changed. What is done stays.",
            Level.WARNING,
        )

    def _change(self, **changes: object) -> None:
        self._store.change(fields=replace(self._fields, **changes))  # type: ignore[arg-type]


def seconds_left(score_map: ScoreMap, run: GridRun) -> float | None:
    """How long the rest of a run will take at the rate so far; None where that is not known."""
    return len(score_map.waiting) / run.rate if run.phase is RunPhase.RUNNING and run.rate > 0 else None

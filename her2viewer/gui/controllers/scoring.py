"""The model, the score and the maps: wishes in, the scoring part of the state out."""

from collections.abc import Callable
from dataclasses import replace

from her2viewer.cases.case import OpenedPair
from her2viewer.cases.field import read_whole
from her2viewer.errors import UserError
from her2viewer.gui.bench import Bench, ModelWish
from her2viewer.gui.controllers.messenger import Level, Messenger
from her2viewer.gui.lanes import Context, Lanes, Progress
from her2viewer.gui.state import DrawnMap, MapWish, Model, ModelFacts, ModelPhase, ScorePhase, Scoring
from her2viewer.gui.store import Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.methods import MapRequest


class ScoringController:
    """Asks the bench, in the inference lane, and puts what it says into the state."""

    def __init__(self, store: Store, lanes: Lanes, bench: Bench, messenger: Messenger) -> None:
        self._store = store
        self._lanes = lanes
        self._bench = bench
        self._messenger = messenger
        self._maps: dict[MapRequest, Attribution] = {}
        self._said: set[str] = set()
        store.listen(lambda old, new: self._forget(old.scoring, new.scoring))

    def load_model(self, wish: ModelWish) -> None:
        """Loads a model in place of the one at hand; its score goes with it."""
        self.cancel()
        self._store.put(replace(self._store.state.unscored(), model=Model(ModelPhase.LOADING)))
        self._lanes.inference.submit(
            "model", lambda _: self._bench.load(wish), self._on_loaded, failed=self._on_no_model
        )

    def score(self) -> None:
        """Scores what is on screen, whole: the IHC, and the H&E as it lies on it where there is one.

        The images are read in the files lane, the network runs in its own.
        """
        found, alignment = self._store.state.scorable, self._store.state.registration.alignment
        if found is None or self._store.state.model.phase is ModelPhase.FAILED:
            return
        he, ihc = found
        images = OpenedPair(he.source if he is not None else None, ihc.source)
        self.score_field(None, alignment, lambda _: read_whole(images, alignment))

    def score_field(
        self,
        key: str | None,
        alignment: Alignment | None,
        read: Callable[[Context], FieldPixels],
        scored: Callable[[Evidence], None] = lambda _: None,
    ) -> None:
        """Scores what `read` reads in the files lane, through an alignment.

        key: of the field that it is, None for the whole of both images.
        """
        reading = Progress(text="Reading the images")
        self._put(Scoring(ScorePhase.SCORING, progress=reading, key=key), drawn=DrawnMap())
        self._lanes.inference.drop("score")

        def on_read(field: FieldPixels) -> None:
            self._put(Scoring(ScorePhase.SCORING, progress=Progress(text="Running the network"), key=key))
            self._lanes.inference.submit(
                "score",
                lambda _: self._bench.score(field),
                on_scored,
                failed=self._on_failed,
                cancelled=self._on_cancelled,
            )

        def on_scored(outcome: tuple[Evidence, ModelFacts]) -> None:
            evidence, facts = outcome
            self._store.change(model=Model(ModelPhase.READY, facts))
            self._say_notices(facts)
            self.show(evidence, key, alignment)
            scored(evidence)

        self._lanes.files.submit("field", read, on_read, failed=self._on_failed, cancelled=self._on_cancelled)

    def show(self, evidence: Evidence, key: str | None = None, alignment: Alignment | None = None) -> None:
        """Shows a score that is at hand, and its map, or seals it while the model is hidden. `key` and `alignment` as in
        `score_field`.
        """
        self._lanes.files.drop("field")
        self._lanes.inference.drop("score")
        if self._store.state.model_hidden:
            self._seal(evidence, key, alignment)
            return
        self._put(Scoring(ScorePhase.SCORED, evidence, alignment, key=key), drawn=DrawnMap())
        self.show_map(self._store.state.wish)

    def seal(self) -> None:
        """The reader is to score first: what is on screen of the model goes, and comes back by `unseal`."""
        scoring = self._store.state.scoring
        if scoring.evidence is not None:
            self._lanes.inference.drop("map")
            self._seal(scoring.evidence, scoring.key, scoring.alignment)

    def unseal(self) -> None:
        """Shows the score that was sealed, where there is one."""
        scoring = self._store.state.scoring
        if scoring.sealed is not None:
            self.show(scoring.sealed, scoring.key, scoring.alignment)

    def _seal(self, evidence: Evidence, key: str | None, alignment: Alignment | None) -> None:
        sealed = Scoring(ScorePhase.SEALED, None, alignment, key=key, sealed=evidence)
        self._store.change(scoring=sealed, drawn=DrawnMap(), wish=replace(self._store.state.wish, target=None, against=None))

    def cancel(self) -> None:
        """Stops scoring, and a map that is being computed."""
        self._lanes.files.drop("field")
        self._lanes.inference.drop("score")
        self._lanes.inference.drop("map")
        if self._store.state.scoring.phase is ScorePhase.SCORING:
            self._on_cancelled()
        drawn = self._store.state.drawn
        if drawn.pending:
            at_hand = drawn.attribution
            wish = MapWish.of(at_hand) if at_hand is not None else MapWish()
            self._store.change(drawn=replace(drawn, pending=False), wish=wish)

    def show_map(self, wish: MapWish) -> None:
        """Draws another map: at once where it is at hand, otherwise computed while the present one stays."""
        self._store.change(wish=wish)
        state = self._store.state
        evidence, request = state.scoring.evidence, state.request
        if evidence is None or request is None:
            return
        self._lanes.inference.drop("map")
        at_hand = self._maps.get(request) or evidence.at_hand(request)
        if at_hand is not None:
            self._on_map(at_hand)
            return
        self._store.change(drawn=DrawnMap(state.drawn.attribution, pending=True))

        def compute(context: Context) -> Attribution:
            return self._bench.attribution(
                evidence,
                request,
                lambda: context.token.cancelled,
                lambda done, total: context.progress(Progress(done, total)),
            )

        self._lanes.inference.submit(
            "map",
            compute,
            self._on_map,
            failed=lambda error: self._store.change(drawn=DrawnMap(error=error)),
            progressed=lambda progress: self._store.change(drawn=replace(self._store.state.drawn, progress=progress)),
        )

    def _on_map(self, attribution: Attribution) -> None:
        self._maps[attribution.request] = attribution
        self._store.change(drawn=DrawnMap(attribution))

    def _on_loaded(self, facts: ModelFacts) -> None:
        self._store.change(model=Model(ModelPhase.READY, facts))
        self._say_notices(facts)

    def _on_no_model(self, error: UserError) -> None:
        self._store.change(model=Model(ModelPhase.FAILED, error=error))

    def _on_failed(self, error: UserError) -> None:
        self._put(Scoring(ScorePhase.FAILED, error=error, key=self._store.state.scoring.key))

    def _on_cancelled(self) -> None:
        self._put(Scoring(ScorePhase.CANCELLED, key=self._store.state.scoring.key))

    def _put(self, scoring: Scoring, **others: object) -> None:
        self._store.change(scoring=scoring, **others)

    def _forget(self, old: Scoring, new: Scoring) -> None:
        """Maps belong to one score, and work on a score that was reset (another pair came) is not waited for."""
        if old.evidence is not new.evidence:
            self._maps.clear()
        if old.phase is not ScorePhase.NONE and new.phase is ScorePhase.NONE:
            self._lanes.files.drop("field")
            self._lanes.inference.drop("score")
            self._lanes.inference.drop("map")

    def _say_notices(self, facts: ModelFacts) -> None:
        fresh = [notice for notice in facts.notices if notice not in self._said]
        self._said.update(fresh)
        if fresh:
            self._messenger.say(" ".join(fresh), Level.WARNING)

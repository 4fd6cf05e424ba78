"""Scores of single fields: a wish in, the field's score and its evidence in the state out."""

from dataclasses import replace

from her2viewer.cases.annotation import Annotation
from her2viewer.cases.field_score import field_score
from her2viewer.cases.grid import field_at, side_px
from her2viewer.cases.shape import Shape
from her2viewer.gui.controllers.messenger import Level, Messenger
from her2viewer.gui.controllers.scoring import ScoringController
from her2viewer.gui.fields.editing import FieldEditor
from her2viewer.gui.fields.evidence_keep import EvidenceKeep
from her2viewer.gui.fields.outdated import now
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.fields.reading import alignment_name, read_placed
from her2viewer.gui.state import ModelPhase, ScorePhase, Scoring, State
from her2viewer.gui.store import Store
from her2viewer.imaging.alignment import Alignment
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import FIELD_UM


def model_side(state: State) -> int:
    """The side of a field of the model's own size, in level-0 px of the IHC."""
    pair, facts = state.pair, state.model.facts
    mpp = pair[1].source.mpp if pair is not None else None
    return side_px(mpp.um if mpp is not None else None, facts.field_um if facts is not None else FIELD_UM)


def field_side(state: State) -> int:
    """The side of the next field, where its size is not drawn: what the user chose, or the model's own."""
    return state.fields.grid.side or model_side(state)


class FieldScoring:
    """Scores a field, or shows what is known of it. The score and explain panels then speak of that field alone."""

    def __init__(self, store: Store, scoring: ScoringController, editor: FieldEditor, messenger: Messenger) -> None:
        self._store = store
        self._scoring = scoring
        self._editor = editor
        self._messenger = messenger
        self._kept = EvidenceKeep()
        self._whole: Scoring | None = None
        store.listen(self._on_change)

    def score_here(self, x: float, y: float) -> None:
        """A field of the size that is set around a place, level-0 px of the IHC, drawn and scored."""
        pair = self._store.state.pair
        if pair is None:
            return
        field = field_at(x, y, field_side(self._store.state), pair[1].source.size)
        added = self._editor.add(Shape.of_field(field))
        if added is not None:
            self.score(added.id)

    def score(self, key: str | None = None) -> None:
        """Scores a drawn field or a cell; the selected one unless another is named."""
        key = key or self._store.state.fields.selected
        state = self._store.state
        pair, alignment = state.pair, alignment_of(state)
        field = state.fields.box(key) if key is not None else None
        if pair is None or alignment is None or key is None or field is None:
            return
        annotation = state.fields.annotations.get(key)

        def scored(evidence: Evidence) -> None:
            if annotation is not None:
                self.take(annotation, field, evidence, alignment)
            else:
                self._kept.put(field, evidence)

        self._scoring.score_field(key, alignment, lambda _: read_placed(pair, alignment, field), scored)

    def show(self, key: str) -> None:
        """Shows the prediction and map of a field that has a score; computes them again where they are gone.

        An outdated score is not shown as if it were of now: it is scored again, and what it was is said.
        """
        state = self._store.state
        field, scoring = state.fields.box(key), state.scoring
        if field is None or state.fields.score(key) is None:
            return
        if scoring.key == key and scoring.phase is ScorePhase.SCORING:
            return
        if scoring.key == key and scoring.phase is ScorePhase.SCORED and not state.score_is_stale:
            return
        evidence = self._kept.get(field)
        if evidence is not None:
            self._scoring.show(evidence, key, alignment_of(state))
        else:
            self._say_outdated(key)
            self.score(key)

    def _say_outdated(self, key: str) -> None:
        fields = self._store.state.fields
        score = fields.annotations[key].score if key in fields.annotations else None
        if score is not None and now(self._store.state).outdates(score):
            self._messenger.say(
                f"{fields.title(key)} had an outdated score, {score.score} by {score.model}: it is scored again.",
                Level.INFO,
            )

    def show_whole(self) -> None:
        """Back from a field to the whole image."""
        self._scoring.cancel()
        if self._whole is not None and self._whole.evidence is not None:
            self._scoring.show(self._whole.evidence, None, self._whole.alignment)
        else:
            self._store.put(self._store.state.unscored())

    def take(self, annotation: Annotation, field: FieldOfView, evidence: Evidence, alignment: Alignment) -> None:
        """A field's score, now and where undo leads; its evidence is kept as long as there is room."""
        self._kept.put(field, evidence)
        fields = self._store.state.fields
        told = field_score(evidence.prediction, field, alignment_name(alignment))
        self._store.change(fields=replace(fields, history=fields.history.scored(annotation.id, annotation.shape, told)))

    def _on_change(self, old: State, new: State) -> None:
        if new.scoring.key is None and new.scoring.phase is ScorePhase.SCORED:
            self._whole = new.scoring
        others = old.pair != new.pair or alignment_of(old) != alignment_of(new)
        if others or new.model.phase is ModelPhase.LOADING:
            self._kept.clear()
            self._whole = None

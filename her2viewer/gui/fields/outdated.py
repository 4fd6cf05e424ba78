"""Which scores are no longer what scoring now would give: another model, or another alignment of the H&E, made them."""

from dataclasses import dataclass

from her2viewer.cases.field_score import FieldScore, outdated_words
from her2viewer.cases.score_map import ScoreMap
from her2viewer.gui.fields.placing import alignment_of
from her2viewer.gui.fields.reading import alignment_name
from her2viewer.gui.state import State
from her2viewer.scoring.prediction import ModelIdentity


@dataclass(frozen=True, slots=True)
class Now:
    """What would be scored with now: the model, and the alignment by its name; None where that is not known."""

    model: ModelIdentity | None = None
    alignment: str | None = None

    def outdates(self, score: FieldScore | None) -> str:
        """Why a score is outdated, in a sentence; empty where it is not, and where there is none."""
        return "" if score is None else outdated_words(score.model, score.alignment, self.model, self.alignment)

    def outdates_map(self, score_map: ScoreMap | None) -> str:
        """The same of a score map, whose cells are of one model and one alignment."""
        if score_map is None:
            return ""
        return outdated_words(score_map.basis.model, score_map.basis.alignment, self.model, self.alignment)


def now(state: State) -> Now:
    """What a field on screen would be scored with."""
    facts, alignment = state.model.facts, alignment_of(state)
    return Now(
        facts.identity if facts is not None else None, alignment_name(alignment) if alignment is not None else None
    )


def outdated_fields(state: State) -> tuple[str, ...]:
    """The drawn fields whose score is outdated, by their ids."""
    present = now(state)
    return tuple(key for key, one in state.fields.annotations.items() if present.outdates(one.score))

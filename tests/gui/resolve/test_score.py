from dataclasses import replace

import pytest

from her2viewer.gui.lanes import Progress
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.resolve.score import ScoreFace, prediction_set_words, resolve_score
from her2viewer.gui.state import Model, ModelPhase, ScorePhase, Scoring, State
from her2viewer.scoring.prediction import Check

from ..conftest import user_error


def test_the_score_panel_says_what_speaks_against_the_score(scored: State) -> None:
    evidence = scored.scoring.evidence
    assert evidence is not None
    check = Check("blur", 0.1, 0.2, "The H&E image looks blurred: choose another field.")
    doubtful = replace(evidence.prediction, no_call="The model cannot tell 1+ and 2+ apart.", checks=(check,))
    state = replace(scored, scoring=Scoring(ScorePhase.SCORED, replace(evidence, prediction=doubtful)))
    shown = resolve_score(state)
    assert shown.face is ScoreFace.SCORED
    assert shown.against == ("The model cannot tell 1+ and 2+ apart.", check.message)
    assert shown.answer == "No call"
    assert shown.kind == f"Most likely {evidence.prediction.score}"
    assert dict(shown.provenance)["Model"] == "fake 1"


def test_the_models_own_caution_speaks_against_every_score(scored: State) -> None:
    evidence = scored.scoring.evidence
    assert evidence is not None
    prediction = replace(evidence.prediction, caution="Trained on drawings.")
    careful = replace(scored, scoring=replace(scored.scoring, evidence=replace(evidence, prediction=prediction)))
    assert resolve_score(careful).against == ("Trained on drawings.",)
    assert resolve_score(scored).against == ()


def test_swapped_stains_are_offered_to_be_swapped(scored: State) -> None:
    evidence = scored.scoring.evidence
    assert evidence is not None
    check = Check("stains_swapped", -0.2, 0.0, "The two images look swapped: swap them.")
    swapped = replace(evidence.prediction, no_call=check.message, checks=(check,))
    shown = resolve_score(replace(scored, scoring=Scoring(ScorePhase.SCORED, replace(evidence, prediction=swapped))))
    assert shown.offers_swap
    assert shown.against == (check.message,)


@pytest.mark.parametrize(
    ("members", "coverage", "words"),
    [
        (("1+",), 0.9, "Only 1+, at 90% coverage"),
        (("1+", "2+"), 0.9, "1+ or 2+, at 90% coverage"),
        (("0", "1+", "2+"), 0.95, "0, 1+ or 2+, at 95% coverage"),
        ((), None, "This model has no measured prediction sets."),
    ],
)
def test_prediction_sets_in_words(members: tuple[str, ...], coverage: float | None, words: str) -> None:
    assert prediction_set_words(members, coverage) == words


def test_every_face_of_the_score_panel(scored: State) -> None:
    assert resolve_score(State()).face is ScoreFace.EMPTY
    assert resolve_score(State(model=Model(ModelPhase.FAILED, error=user_error()))).face is ScoreFace.NO_MODEL
    assert resolve_score(scored.unscored()).face is ScoreFace.READY
    scoring = replace(scored, scoring=Scoring(ScorePhase.SCORING, progress=Progress(1, 4, "Reading")))
    assert resolve_score(scoring).fraction == 0.25
    assert resolve_doing(scoring).can_cancel
    failed = replace(scored, scoring=Scoring(ScorePhase.FAILED, error=user_error()))
    assert resolve_score(failed).text == "it cannot be done; do something else."
    assert resolve_score(replace(scored, scoring=Scoring(ScorePhase.CANCELLED))).can_score

"""Words and states, without a window: pure functions, and controllers beside views that are not there."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from unittest.mock import MagicMock

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from her2viewer.export.overlay import OverlayStyle, ScaleMode
from her2viewer.export.score_colour import SCORE_COLOURS
from her2viewer.gui.actions.actions import Actions
from her2viewer.gui.actions.finding import matches
from her2viewer.gui.actions.ids import ActionId
from her2viewer.gui.actions.specs import SPECS, key_words
from her2viewer.gui.controllers.images import Images, resolve_opening
from her2viewer.gui.dropping import assign
from her2viewer.gui.lanes import Lanes, Progress
from her2viewer.gui.messages import MessageBar
from her2viewer.gui.pane.pane import ImagePane
from her2viewer.gui.panels.explain import ExplainPanel
from her2viewer.gui.panels.score import ScorePanel
from her2viewer.gui.presenter import Presenter, enabled_actions
from her2viewer.gui.resolve.doing import resolve_doing
from her2viewer.gui.resolve.map import METHOD_TITLES, STAGE_TITLES, full_scale, next_target, resolve_explain
from her2viewer.gui.resolve.pane import resolve_pane
from her2viewer.gui.resolve.score import ScoreFace, prediction_set_words, resolve_score
from her2viewer.gui.state import (
    DrawnMap,
    MapWish,
    Model,
    ModelFacts,
    ModelPhase,
    OpenedImage,
    ScorePhase,
    Scoring,
    Slot,
    State,
    Store,
)
from her2viewer.gui.status_line import StatusLine
from her2viewer.gui.theme import DARK, LIGHT, Tokens
from her2viewer.imaging.opening import open_image
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.methods import METHODS, MapRequest
from her2viewer.scoring.prediction import Check, ModelIdentity
from her2viewer.scoring.stains import Stain

from .conftest import FakeScorer, tissue, user_error

FACTS = ModelFacts(
    ModelIdentity("fake", "1", "0" * 64),
    ("0", "1+", "2+", "3+"),
    "CPU",
    "fp32",
    0.9,
    MappingProxyType({"layer4": 3.0}),
    (),
    "# Card",
)


@pytest.fixture
def scored() -> State:
    evidence = FakeScorer().score(FieldPixels.whole(tissue(1), tissue(2, stain=Stain.IHC)))
    source = MagicMock(size=(256, 256), path=Path("he.png"), format="PNG", notes=("16-bit, scaled to 8 bit",), mpp=None)
    image = OpenedImage(source, np.zeros((2, 2, 3), np.uint8))
    state = State(
        model=Model(ModelPhase.READY, FACTS),
        scoring=Scoring(ScorePhase.SCORED, evidence),
        drawn=DrawnMap(evidence.attribution("2+")),
    )
    return state.with_slots({stain: Slot(image) for stain in Stain})


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


def test_the_header_says_that_pixels_were_changed(scored: State) -> None:
    shown = resolve_pane(scored, Stain.HE)
    assert shown.info == "256 x 256 px, converted"
    assert "16-bit, scaled to 8 bit" in shown.more


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


def test_fixed_scale_needs_a_figure_of_the_model(scored: State) -> None:
    attribution = scored.drawn.attribution
    assert attribution is not None
    fixed = replace(scored, style=OverlayStyle(scale=ScaleMode.FIXED))
    assert full_scale(fixed, attribution) == 3.0
    unknown = replace(fixed, model=Model(ModelPhase.READY, replace(FACTS, fixed_peaks=MappingProxyType({}))))
    assert full_scale(unknown, attribution) == attribution.peak
    assert not resolve_explain(unknown).fixed_scale_known


def test_the_legend_names_class_method_grid_and_raw_peaks(scored: State) -> None:
    legend = resolve_explain(scored).legend
    facts = dict(legend.lines)
    assert facts["Class"] == "2+"
    assert facts["Method"] == "Grad-CAM, layer4"
    assert facts["Grid"].startswith("7 x 7")
    assert "IHC HER2" in facts["Raw peak"] and "H&E" in facts["Raw peak"]


def test_classes_go_round(scored: State) -> None:
    state = replace(scored, wish=replace(scored.wish, target="3+"))
    assert next_target(state, 1).target == "0"
    assert next_target(state, -1).target == "2+"
    assert next_target(State(), 1) == State().wish


def test_a_change_of_style_pushes_a_style_and_no_map(qapp: QCoreApplication, scored: State) -> None:
    panes = {stain: MagicMock(spec=ImagePane) for stain in Stain}
    score, explain = MagicMock(spec=ScorePanel), MagicMock(spec=ExplainPanel)
    store = Store(scored)
    Presenter(store, panes, score, explain, MagicMock(spec=StatusLine), MagicMock(spec=Actions))
    for view in (*panes.values(), score, explain):
        view.reset_mock()
    store.change(style=OverlayStyle(opacity=0.1))
    for pane in panes.values():
        assert [call[0] for call in pane.method_calls] == ["set_overlay_style"]
    assert score.method_calls == []
    assert [call[0] for call in explain.method_calls] == ["show_explain"]
    store.change(overlay_held_away=True)
    panes[Stain.HE].set_overlay_visible.assert_called_once_with(False)


def test_what_stands_is_kept_where_something_new_is_refused(scored: State) -> None:
    other = OpenedImage(MagicMock(), np.zeros((2, 2, 3), np.uint8))
    opening = resolve_opening(scored, {Stain.HE: other, Stain.IHC: user_error()})
    assert opening.state.pair == scored.pair
    assert opening.state.scoring is scored.scoring
    assert opening.superseded == (other.source,)
    assert len(opening.errors) == 1
    empty = resolve_opening(State(), {Stain.HE: other, Stain.IHC: user_error()})
    assert empty.state.image(Stain.HE) is other
    assert empty.state.slots[Stain.IHC].error is not None
    assert empty.errors == ()


def test_images_speak_to_a_messenger(qtbot: QtBot, tmp_path: Path) -> None:
    store, lanes, messenger = Store(), Lanes(), MagicMock(spec=MessageBar)
    images = Images(store, lanes.files, open_image, messenger)
    images.drop([tmp_path / "a", tmp_path / "b", tmp_path / "c"], Stain.HE)
    messenger.say_error.assert_called_once()
    images.open({Stain.HE: tmp_path / "nothing.png"})
    assert store.state.slots[Stain.HE].opening is not None
    qtbot.waitUntil(lambda: store.state.slots[Stain.HE].error is not None)
    assert lanes.close()


def test_two_files_are_told_apart_by_name() -> None:
    he, ihc = Path("x/S1_HE.png"), Path("x/S1_HER2.png")
    for files in ((he, ihc), (ihc, he)):
        assert assign(files, Stain.IHC).files == {Stain.HE: he, Stain.IHC: ihc}
    unsure = assign((Path("x/a.png"), Path("x/b.png")), Stain.HE)
    assert not unsure.sure


def test_actions_are_declared_once_and_whole() -> None:
    assert sorted(spec.id for spec in SPECS) == sorted(ActionId)
    keys = [key for spec in SPECS for key in spec.keys]
    assert len(keys) == len(set(keys)), "two actions share a key"
    # The arrows page through cases, and Space is held to look beneath the map.
    assert not set(keys) & {"Left", "Right", "Space"}
    assert all(spec.tip and spec.icon for spec in SPECS)
    assert all(action in {spec.id for spec in SPECS} for action in enabled_actions(State()))
    assert key_words(next(spec for spec in SPECS if spec.id is ActionId.FIT)) == "F or Ctrl+0"


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        ("heatmap", ActionId.OVERLAY),
        ("gpu", ActionId.PREFERENCES),
        ("save figure", ActionId.EXPORT),
        ("folder", ActionId.BATCH),
        ("wrong side", ActionId.SWAP),
        ("magnif", ActionId.ZOOM_IN),
        ("her2", ActionId.SCORE),
        ("model card", ActionId.MODEL_CARD),
        ("excel", ActionId.BATCH),
    ],
)
def test_commands_are_found_by_the_words_of_a_pathologist(typed: str, action: ActionId) -> None:
    assert action in [spec.id for spec in SPECS if matches(spec, typed)]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_text_can_be_read_in_both_themes(tokens: Tokens) -> None:
    grounds = (tokens.window, tokens.panel, tokens.raised, tokens.empty)
    for text in (tokens.text, tokens.quiet):
        assert min(contrast(text, ground) for ground in grounds) >= 4.5
    assert contrast(tokens.warning, tokens.warning_ground) >= 4.5
    assert contrast(tokens.error, tokens.error_ground) >= 4.5
    assert contrast(tokens.error, tokens.window) >= 4.5
    assert contrast(tokens.warning, tokens.window) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for colour in SCORE_COLOURS:
        assert contrast(colour, tokens.panel) >= 2.6  # a bar beside its text


def test_a_class_is_never_set_against_itself(scored: State) -> None:
    """Stepping on to the class that was set against leaves the wish as it is, and asks for no comparison."""
    state = replace(scored, wish=MapWish("1+", against="2+"))
    assert state.request == MapRequest("1+", against="2+")
    stepped = replace(state, wish=next_target(state, 1))
    assert stepped.request == MapRequest("2+")
    assert resolve_explain(stepped).against is None
    assert replace(stepped, wish=next_target(stepped, 1)).request == MapRequest("3+", against="2+")


def test_a_method_is_asked_for_at_a_stage_that_it_offers(scored: State) -> None:
    state = replace(scored, wish=MapWish("2+", "fused", "Score-CAM"))
    shown = resolve_explain(state)
    assert (shown.method, shown.stage) == ("Score-CAM", "layer4")
    assert "fused" not in shown.stages
    assert set(METHOD_TITLES) == set(METHODS)
    assert all(set(method.stages) <= set(STAGE_TITLES) for method in METHODS.values())


def test_the_legend_says_method_contrast_stage_and_unit(scored: State) -> None:
    evidence = scored.scoring.evidence
    assert evidence is not None
    made = replace(
        evidence.attribution("2+"), stage="fused", method="LayerCAM", against="1+", values=np.ones((56, 56), np.float32)
    )
    shown = resolve_explain(replace(scored, drawn=DrawnMap(made)))
    assert dict(shown.legend.lines)["Class"] == "2+ and not 1+"
    assert dict(shown.legend.lines)["Method"] == "LayerCAM, all stages fused"
    assert dict(shown.legend.lines)["Grid"].startswith("56 x 56")
    assert shown.legend.unit == "share of each stage's peak"


def test_a_slow_map_says_how_far_it_is(scored: State) -> None:
    doing = resolve_doing(replace(scored, drawn=DrawnMap(pending=True, progress=Progress(1, 4))))
    assert (doing.text, doing.fraction, doing.can_cancel) == ("Computing the map", 0.25, True)

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from her2viewer.export.overlay import OverlayStyle, ScaleMode
from her2viewer.gui.resolve.map import METHOD_TITLES, STAGE_TITLES, full_scale, next_target, resolve_explain
from her2viewer.gui.state import DrawnMap, MapWish, Model, ModelPhase, State
from her2viewer.scoring.methods import METHODS, MapRequest


def test_fixed_scale_needs_a_figure_of_the_model(scored: State) -> None:
    attribution, facts = scored.drawn.attribution, scored.model.facts
    assert attribution is not None and facts is not None
    fixed = replace(scored, style=OverlayStyle(scale=ScaleMode.FIXED))
    assert full_scale(fixed, attribution) == 3.0
    unknown = replace(fixed, model=Model(ModelPhase.READY, replace(facts, fixed_peaks=MappingProxyType({}))))
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


def test_a_class_is_never_set_against_itself(scored: State) -> None:
    """Stepping on to the class that was set against leaves the wish as it is, and asks for no comparison."""
    state = replace(scored, wish=MapWish("1+", "layer4", "Grad-CAM", against="2+"))
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

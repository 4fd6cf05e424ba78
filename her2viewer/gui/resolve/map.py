"""The map over the panes, its settings and its legend. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from her2viewer.export.legend import full_colour
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.state import MapWish, State
from her2viewer.gui.trust.resolve import UNTRAINED, untrained_map
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.methods import FUSED, INPUT, METHODS
from her2viewer.scoring.stains import Stain

STAGE_TITLES: Mapping[str, str] = {
    "layer1": "1, finest",
    "layer2": "2, fine",
    "layer3": "3, medium",
    "layer4": "4, nearest the score",
    FUSED: "All in one",
    INPUT: "None: the image itself",
}


METHOD_TITLES: Mapping[str, str] = {name: f"{name}, slow" if method.slow else name for name, method in METHODS.items()}


@dataclass(frozen=True, slots=True)
class OverlayShown:
    """A map over a pane. `full_scale` is the value of full colour; 0 where there is nothing to draw."""

    attribution: Attribution
    full_scale: float


def full_scale(state: State, attribution: Attribution) -> float:
    """The value of full colour: the pair's own peak, or the model's fixed figure where that is wished for and known."""
    facts = state.model.facts
    fixed_peak = attribution.request.fixed_peak(facts.fixed_peaks) if facts is not None else None
    return full_colour(attribution, state.style, fixed_peak)


def resolve_overlay(state: State, stain: Stain) -> OverlayShown | None:
    """The map over a stain's pane, or None where the model does not take that stain or nothing is scored."""
    untrained = untrained_map(state)
    if untrained is not None and stain in untrained.layout.order:
        return OverlayShown(untrained, untrained.peak)
    attribution = state.drawn.attribution
    if attribution is None or stain not in attribution.layout.order or stain not in attribution.fields:
        return None
    return OverlayShown(attribution, full_scale(state, attribution))


def overlay_visible(state: State) -> bool:
    """Whether the overlay is to be seen just now: it is of the slide as it is, and not while its stain is varied."""
    return (state.overlay_on or state.trust.untrained) and not state.overlay_held_away and not state.what_if.on


@dataclass(frozen=True, slots=True)
class LegendShown:
    """What the colours mean. `top` is the raw value of full colour in `unit`, None where nothing is drawn."""

    top: float | None
    lines: tuple[tuple[str, str], ...]
    note: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ExplainShown:
    """The explain panel's settings and legend."""

    enabled: bool
    classes: tuple[str, ...]
    score: str | None
    target: str | None
    against: str | None
    method: str
    stages: tuple[str, ...]
    """Those that the method can be asked for at."""
    stage: str
    style: OverlayStyle
    overlay_on: bool
    fixed_scale_known: bool
    pending: bool
    legend: LegendShown


def resolve_explain(state: State) -> ExplainShown:
    """What the explain panel shows."""
    evidence, facts = state.scoring.evidence, state.model.facts
    classes = evidence.prediction.classes if evidence is not None else ()
    request = state.request or state.wish.request("")
    return ExplainShown(
        enabled=evidence is not None,
        classes=classes or (facts.classes if facts is not None else ("0", "1+", "2+", "3+")),
        score=evidence.prediction.score if evidence is not None else None,
        target=state.target,
        against=request.against,
        method=request.method,
        stages=METHODS[request.method].stages,
        stage=request.stage,
        style=state.style,
        overlay_on=state.overlay_on,
        fixed_scale_known=facts is not None and request.fixed_peak(facts.fixed_peaks) is not None,
        pending=state.drawn.pending,
        legend=resolve_legend(state),
    )


def resolve_legend(state: State) -> LegendShown:
    """What the legend says of the map on screen."""
    drawn = state.drawn
    if drawn.error is not None:
        return LegendShown(None, (), str(drawn.error))
    untrained = untrained_map(state)
    attribution = drawn.attribution if untrained is None else untrained
    if attribution is None:
        return LegendShown(None, (), "The map appears here with the score.")
    rows, columns = attribution.values.shape
    top = full_scale(state, attribution) if untrained is None else untrained.peak
    peaks = ", ".join(f"{stain.caption} {attribution.peak_of(stain):.3g}" for stain in attribution.layout.order)
    lines = (
        ("Class", attribution.question),
        ("Method", attribution.title),
        ("Grid", f"{columns} x {rows} cells{' for both stains' if len(attribution.layout.order) > 1 else ''}"),
        ("Raw peak", peaks),
    )
    if attribution.peak <= 0:
        return LegendShown(
            None,
            lines,
            f"No positive evidence for {attribution.question} anywhere in this field: there is nothing to draw.",
        )
    silent = [stain.caption for stain in attribution.layout.order if attribution.peak_of(stain) <= 0]
    notes = [] if untrained is None else [f"{UNTRAINED}: this is not what the model sees."]
    notes += [f"No positive evidence for {attribution.question} in the {caption} image." for caption in silent]
    unseen = [stain for stain in Stain if stain not in attribution.layout.order]
    notes += [f"This model does not look at the {stain.caption} image." for stain in unseen]
    return LegendShown(top, lines, " ".join(notes), attribution.unit)


def next_target(state: State, step: int) -> MapWish:
    """The wish for the next (+1) or previous (-1) class, round about."""
    evidence = state.scoring.evidence
    if evidence is None or state.target is None:
        return state.wish
    classes = evidence.prediction.classes
    return replace(state.wish, target=classes[(classes.index(state.target) + step) % len(classes)])

"""From the state to what each view shows. Pure functions; every word of the panels is chosen here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from her2viewer.errors import UserError
from her2viewer.export.legend import full_colour
from her2viewer.export.overlay import OverlayStyle
from her2viewer.gui.fields.state import FieldsState, RunPhase
from her2viewer.gui.lanes import Progress
from her2viewer.gui.membranes.resolve import agreement_of, second_reader
from her2viewer.gui.pane.colouring import ORIGINAL, Colouring
from her2viewer.gui.scale.resolution import resolve_mpp
from her2viewer.gui.state import MapWish, ModelPhase, OpenedImage, ScorePhase, State
from her2viewer.gui.trust.resolve import UNTRAINED, untrained_map
from her2viewer.gui.what_if.resolve import what_if_colouring
from her2viewer.scoring.confidence import no_call_beside, set_in_words
from her2viewer.scoring.evidence import FUSED, INPUT, METHODS, Attribution
from her2viewer.scoring.prediction import Prediction
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
class PaneShown:
    """One pane: the image, its header (`more` is for who asks), and what stands in its way."""

    image: OpenedImage | None
    name: str
    info: str
    more: str
    um_per_px: float | None
    opening: str
    error: UserError | None


def resolve_pane(state: State, stain: Stain) -> PaneShown:
    """What a stain's pane shows."""
    slot = state.slots[stain]
    opening = f"Opening {slot.opening.name}" if slot.opening is not None else ""
    if slot.image is None:
        return PaneShown(None, "", "", "", None, opening, slot.error)
    source = slot.image.source
    width, height = source.size
    mpp = resolve_mpp(state, stain)
    notes = tuple(source.notes)
    return PaneShown(
        slot.image,
        source.path.name,
        f"{width} x {height} px{', converted' if notes else ''}",
        "\n".join((str(source.path), f"{source.format}, {width} x {height} px", *notes)),
        mpp.um if mpp is not None else None,
        opening,
        slot.error,
    )


def resolve_colouring(state: State, stain: Stain) -> Colouring:
    """What a stain's pane makes of its pixels: its stain view, or the DAB of the IHC varied."""
    varied = what_if_colouring(state) if stain is Stain.IHC else None
    if varied is not None:
        return varied
    image = state.image(stain)
    return state.stain_viewing.colouring(stain, image.source) if image is not None else ORIGINAL


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


class ScoreFace(Enum):
    """The faces of the score panel."""

    EMPTY = auto()
    NO_MODEL = auto()
    READY = auto()
    WORKING = auto()
    SCORED = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class ScoreShown:
    """The score panel. `title` and `text` stand where there is no score; `fraction` is None where progress is unknown.

    `answer` is what stands in large type, with `kind` beside it: the score, or that there is none to be called.
    """

    face: ScoreFace
    title: str
    text: str
    prediction: Prediction | None = None
    answer: str = ""
    kind: str = ""
    set_words: str = ""
    set_more: str = ""
    against: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    can_score: bool = False
    stale: bool = False
    offers_swap: bool = False
    fraction: float | None = None
    subject: str = ""
    """The field that it is of, empty for the whole image."""


def resolve_score(state: State) -> ScoreShown:
    """What the score panel shows."""
    key = state.scoring.key
    return replace(
        _resolve_score(state), subject=state.fields.title(key) or "A deleted field" if key is not None else ""
    )


def _resolve_score(state: State) -> ScoreShown:
    scoring, model = state.scoring, state.model
    ready = state.scorable is not None and model.phase is not ModelPhase.FAILED
    if scoring.phase is ScorePhase.SCORED and scoring.evidence is not None:
        return _scored(state, scoring.evidence.prediction)
    if scoring.phase is ScorePhase.SCORING:
        loading = model.phase in (ModelPhase.WAITING, ModelPhase.LOADING)
        title = "Loading the model" if loading else "Scoring"
        text = "The score follows as soon as it is there." if loading else scoring.progress.text
        total = scoring.progress.total
        return ScoreShown(ScoreFace.WORKING, title, text, fraction=scoring.progress.done / total if total else None)
    if scoring.phase is ScorePhase.FAILED and scoring.error is not None:
        return ScoreShown(ScoreFace.STOPPED, "Not scored", str(scoring.error), can_score=ready)
    if scoring.phase is ScorePhase.CANCELLED:
        return ScoreShown(ScoreFace.STOPPED, "Cancelled", "Scoring was stopped. Nothing was changed.", can_score=ready)
    if model.phase is ModelPhase.FAILED and model.error is not None:
        return ScoreShown(ScoreFace.NO_MODEL, "No model", f"{model.error} Images can still be viewed.")
    if state.scorable is None:
        return ScoreShown(ScoreFace.EMPTY, "No pair yet", _missing(state))
    if state.pair is None:
        return ScoreShown(ScoreFace.READY, "Not scored yet", _ALONE, can_score=True)
    return ScoreShown(ScoreFace.READY, "Not scored yet", "Press S to score this field.", can_score=True)


_ALONE: Final = (
    "Open the H&E image of the same tissue, then press S. Without it S scores the IHC alone, where the model can: such a score "
    "rests on one stain."
)


def _missing(state: State) -> str:
    missing = [stain.caption for stain in Stain if state.image(stain) is None]
    if len(missing) == 2:
        return "Open an H&E and the HER2 IHC image of the same tissue, then press S."
    return f"Open the {missing[0]} image of the same tissue, then press S."


def _scored(state: State, prediction: Prediction) -> ScoreShown:
    coverage = state.model.facts.coverage if state.model.facts is not None else None
    alignment = state.scoring.alignment
    laid = (("H&E", alignment.words),) if alignment is not None and alignment.origin != "assumed" else ()
    agreement = agreement_of(state)
    no_call = prediction.no_call if agreement is None else no_call_beside(prediction, agreement)
    against = [no_call] if no_call else []
    if agreement is not None and agreement.speaks_against and agreement.sentence != no_call:
        against.append(agreement.sentence)
    if state.score_is_stale:
        of_field = state.scoring.key is not None
        again = "Press Shift+S to score the field again." if of_field else "Press S to score them again."
        against.insert(0, f"The alignment of the images has changed since they were scored. {again}")
    against += [check.message for check in prediction.checks if check.message not in (prediction.no_call or "")]
    if prediction.caution:
        against.append(prediction.caution)
    return ScoreShown(
        ScoreFace.SCORED,
        "",
        "",
        prediction,
        "No call" if no_call else prediction.score,
        f"Most likely {prediction.score}" if no_call else "Field-level prediction",
        prediction_set_words(prediction.prediction_set, coverage),
        prediction_set_more(coverage),
        tuple(against),
        (
            *second_reader(state),
            ("Model", str(prediction.model)),
            ("Device", f"{prediction.device}, {prediction.precision}"),
            (
                "Time",
                f"{prediction.seconds:.2f} s" if prediction.seconds >= 0.1 else f"{prediction.seconds * 1e3:.0f} ms",
            ),
            *laid,
        ),
        can_score=True,
        stale=state.score_is_stale,
        offers_swap=any(check.name == "stains_swapped" for check in prediction.checks),
    )


def prediction_set_words(members: tuple[str, ...], coverage: float | None) -> str:
    """The prediction set in words, the classes first: '1+ or 2+, at 90% coverage'."""
    if coverage is None or not members:
        return "This model has no measured prediction sets."
    return f"{'Only ' if len(members) == 1 else ''}{set_in_words(members)}, at {coverage:.0%} coverage"


def prediction_set_more(coverage: float | None) -> str:
    """What coverage means, for who points at the set."""
    if coverage is None:
        return ""
    return (
        f"Of 100 fields like those that the sets were made with, {100 * coverage:.0f} have their label in the set. For other "
        "fields nothing is promised: the model card says what was measured."
    )


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


@dataclass(frozen=True, slots=True)
class Doing:
    """What takes time just now. `fraction` is None where it is not known; a batch is stopped in its own dialog."""

    text: str = ""
    fraction: float | None = None
    can_cancel: bool = False


def resolve_model_words(state: State) -> str:
    """Device and model for the status bar."""
    facts = state.model.facts
    if facts is not None:
        return f"{facts.device}, {facts.identity}"
    return "No model" if state.model.phase is ModelPhase.FAILED else "Loading the model"


def resolve_doing(state: State) -> Doing:
    """The one thing under way that matters most to who is waiting."""
    if state.exporting is not None:
        return _progress(state.exporting, can_cancel=True)
    if state.scoring.phase is ScorePhase.SCORING:
        return Doing("Scoring", can_cancel=True)
    if state.what_if.progress is not None:
        return _progress(replace(state.what_if.progress, text="Varying the DAB"), can_cancel=True)
    if state.trust.asking:
        return Doing("Questioning the map", can_cancel=True)
    if state.drawn.pending:
        return _progress(replace(state.drawn.progress, text="Computing the map"), can_cancel=True)
    if any(slot.opening is not None for slot in state.slots.values()):
        return Doing("Opening", can_cancel=True)
    if state.membranes.busy:
        return Doing("Reading the membranes", can_cancel=True)
    if state.registration.progress is not None:
        return _progress(state.registration.progress, can_cancel=True)
    if state.fields.again is not None:
        return _progress(state.fields.again, can_cancel=True)
    if state.fields.run.active:
        return _grid(state.fields)
    return _progress(state.batch, can_cancel=False) if state.batch is not None else Doing()


def _grid(fields: FieldsState) -> Doing:
    """The grid has its own buttons, in the fields panel: Esc is for tools."""
    score_map = fields.score_map
    if fields.run.phase is RunPhase.LAYING or score_map is None:
        return Doing("Laying the grid")
    total = len(score_map.cells)
    done = total - len(score_map.waiting)
    return Doing(f"Grid {done:,} of {total:,}", done / max(total, 1))


def _progress(progress: Progress, *, can_cancel: bool) -> Doing:
    return Doing(progress.text, progress.done / progress.total if progress.total else None, can_cancel)


def next_target(state: State, step: int) -> MapWish:
    """The wish for the next (+1) or previous (-1) class, round about."""
    evidence = state.scoring.evidence
    if evidence is None or state.target is None:
        return state.wish
    classes = evidence.prediction.classes
    return replace(state.wish, target=classes[(classes.index(state.target) + step) % len(classes)])

"""From the state to what the fields panel says. Pure functions; every word of it is chosen here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.grid import side_words
from her2viewer.cases.score_map import NOT_A_CASE_SCORE, CellState, Outcome, ScoreMap, Unscored
from her2viewer.gui.actions.ids import ActionId as Id
from her2viewer.gui.fields.gridding import seconds_left
from her2viewer.gui.fields.outdated import Now, now, outdated_fields
from her2viewer.gui.fields.scoring import model_side
from her2viewer.gui.fields.state import FieldsState, GridWish, MapStyle, RunPhase, ToolId, cell_key
from her2viewer.gui.fields.table import FieldRow
from her2viewer.gui.state import State
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import FIELD_UM

TEACHING: Final = (
    "Press R and drag to draw a field, or right-click tissue to score a spot. E draws an ellipse, P a polygon, D a free-hand "
    "line; a grid of fields over the drawn region or the whole image makes a score map."
)
NO_PAIR: Final = "Fields are drawn on a pair: open an H&E and the HER2 IHC image of the same tissue."
_DEFAULT_CLASSES: Final = ("0", "1+", "2+", "3+")


TOOL_ACTIONS: Final = {
    ToolId.RECTANGLE: Id.DRAW_RECTANGLE,
    ToolId.ELLIPSE: Id.DRAW_ELLIPSE,
    ToolId.POLYGON: Id.DRAW_POLYGON,
    ToolId.FREE_HAND: Id.DRAW_FREE_HAND,
}


def enabled_actions(state: State) -> dict[Id, bool]:
    """Which of the actions on fields can be asked for now."""
    fields, paired = state.fields, state.pair is not None
    return {
        **dict.fromkeys((*TOOL_ACTIONS.values(), Id.IMPORT_FIELDS), paired),
        Id.LOAD_MAP: paired and not state.model_hidden,
        Id.DELETE_FIELD: fields.selected_annotation is not None,
        Id.SCORE_FIELD: can_score(state),
        Id.SCORE_OUTDATED: can_rescore(state),
        Id.WHOLE_IMAGE: state.scoring.key is not None,
        Id.GRID: can_grid(state),
        Id.PAUSE_GRID: (can_pause(state) or can_resume(state)) and not state.model_hidden,
        Id.EXPORT_FIELDS: (bool(fields.annotations) or fields.score_map is not None) and not state.model_hidden,
        Id.SAVE_MAP: fields.score_map is not None and not state.model_hidden,
    }


def can_score(state: State) -> bool:
    """Whether a field or cell is selected that can be scored."""
    fields = state.fields
    named = fields.selected is not None and bool(fields.title(fields.selected))
    return named and state.model.facts is not None and not state.model_hidden


def can_rescore(state: State) -> bool:
    """Whether anything is outdated and nothing is scored again already."""
    fields = state.fields
    outdated = bool(outdated_fields(state)) or bool(now(state).outdates_map(fields.score_map))
    ready = state.model.facts is not None and not state.model_hidden
    return outdated and ready and fields.again is None and not fields.run.active


def outdated_sentence(state: State) -> str:
    """What is outdated and why that may be; empty where nothing is."""
    fields = state.fields
    count, of_map = len(outdated_fields(state)), bool(now(state).outdates_map(fields.score_map))
    if not count and not of_map:
        return ""
    what = [f"{count:,} drawn {'field' if count == 1 else 'fields'}"] if count else []
    what += ["the score map"] if of_map else []
    verb = "is" if count + of_map == 1 else "are"
    words = f"{' and '.join(what)} {verb} outdated: scored by another model or with another alignment of the H&E."
    return words[0].upper() + words[1:]


def can_grid(state: State) -> bool:
    """Whether a grid can be begun."""
    ready = state.pair is not None and state.model.facts is not None and not state.model_hidden
    return ready and not state.fields.run.active


def can_pause(state: State) -> bool:
    """Whether a grid is running."""
    return state.fields.run.phase is RunPhase.RUNNING


def can_resume(state: State) -> bool:
    """Whether a grid waits to go on."""
    score_map = state.fields.score_map
    return (
        state.fields.run.phase in (RunPhase.PAUSED, RunPhase.STOPPED)
        and score_map is not None
        and bool(score_map.waiting)
    )


@dataclass(frozen=True, slots=True)
class ShareShown:
    """One score of the legend: how many fields have it, and which share of those that count (None where none does)."""

    name: str
    place: int
    count: int
    share: float | None


@dataclass(frozen=True, slots=True)
class FieldsShown:
    """The fields panel without its table. `fraction`: of the grid that is done, None where there is no grid.

    `sentences` stand below the shares and what they are not; `grid_words` says how large a field of the next grid is.
    """

    teaching: str
    shares_title: str
    classes: int
    shares: tuple[ShareShown, ...]
    sentences: tuple[str, ...]
    outdated: str
    can_rescore: bool
    progress: str
    fraction: float | None
    can_score: bool
    score_text: str
    can_grid: bool
    grid_text: str
    can_pause: bool
    can_resume: bool
    can_stop: bool
    can_retry: bool
    has_map: bool
    grid: GridWish
    side: int
    grid_words: str
    style: MapStyle


def resolve_fields(state: State) -> FieldsShown:
    """What the panel says."""
    fields = state.fields
    score_map, run = fields.score_map, fields.run
    classes = score_map.classes if score_map is not None else _classes(state)
    shares, title, sentences = _shares(fields, classes, now(state))
    selected = fields.selected_annotation
    named = fields.title(fields.selected) if fields.selected is not None else ""
    pair, facts = state.pair, state.model.facts
    failed = score_map is not None and any(
        isinstance(one, Unscored) and one.state is CellState.FAILED for one in score_map.outcomes
    )
    mpp = pair[1].source.mpp if pair is not None else None
    words = side_words(mpp.um if mpp is not None else None, facts.field_um if facts is not None else FIELD_UM)
    empty = score_map is None and not fields.annotations and run.phase is RunPhase.NONE
    return FieldsShown(
        teaching=NO_PAIR if pair is None else TEACHING if empty else "",
        shares_title=title,
        classes=len(classes),
        shares=shares,
        sentences=sentences,
        outdated=outdated_sentence(state),
        can_rescore=can_rescore(state),
        progress=progress_words(fields),
        fraction=_fraction(fields),
        can_score=can_score(state),
        score_text=_score_text(fields, named),
        can_grid=can_grid(state),
        grid_text=f"Grid in {selected.title}" if selected is not None else "Grid over the image",
        can_pause=can_pause(state),
        can_resume=can_resume(state),
        can_stop=run.phase in (RunPhase.LAYING, RunPhase.RUNNING, RunPhase.PAUSED),
        can_retry=failed and not run.active,
        has_map=score_map is not None,
        grid=fields.grid,
        side=model_side(state),
        grid_words=words if fields.grid.side is None else "",
        style=fields.style,
    )


def _score_text(fields: FieldsState, named: str) -> str:
    if not named or fields.selected is None:
        return "Score the field"
    return f"Score {named}{' again' if fields.score(fields.selected) is not None else ''}"


def progress_words(fields: FieldsState) -> str:
    """How far the grid is, how fast, and how long it will still take."""
    score_map, run = fields.score_map, fields.run
    if run.phase is RunPhase.LAYING:
        return "Laying the grid"
    if score_map is None:
        return ""
    done, total = len(score_map.cells) - len(score_map.waiting), len(score_map.cells)
    of = f"{done:,} of {total:,} fields"
    match run.phase:
        case RunPhase.RUNNING:
            left = seconds_left(score_map, run)
            return f"{of}, {run.rate:.1f} a second, {duration(left)} left" if left is not None else of
        case RunPhase.PAUSED:
            return f"{of}, paused"
        case RunPhase.STOPPED:
            return f"{of}, stopped"
        case _:
            return ""


def duration(seconds: float) -> str:
    """'40 s', '3 min', '2 h 5 min': as exact as anybody needs while waiting."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _classes(state: State) -> tuple[str, ...]:
    return state.model.facts.classes if state.model.facts is not None else _DEFAULT_CLASSES


def _fraction(fields: FieldsState) -> float | None:
    score_map = fields.score_map
    if score_map is None or (not fields.run.active and not score_map.waiting):
        return None
    return 1 - len(score_map.waiting) / max(len(score_map.cells), 1)


def _shares(
    fields: FieldsState, classes: tuple[str, ...], present: Now
) -> tuple[tuple[ShareShown, ...], str, tuple[str, ...]]:
    """Of the score map where there is one, otherwise of the drawn fields that have a score that is not outdated."""
    if (score_map := fields.score_map) is not None:
        threshold = fields.style.threshold
        figures = score_map.figures(threshold)
        counted = figures.counted > 0
        rows = tuple(
            ShareShown(name, place, figures.counts[name], figures.share(name) if counted else None)
            for place, name in enumerate(classes)
        )
        # The bars have told the shares, and the panel always says what they are not.
        said = tuple(
            words for words in score_map.summary(threshold) if words != NOT_A_CASE_SCORE and not words.startswith("Of ")
        )
        return rows, f"Score map{', outdated' if present.outdates_map(score_map) else ''}", said
    scores = [one.score for one in fields.annotations.values() if one.score is not None]
    current = [one for one in scores if not present.outdates(one)]
    called = [one for one in current if one.no_call is None and one.score in classes]
    if not scores:
        return (), "", ()
    rows = tuple(
        ShareShown(name, place, count, count / len(called) if called else None)
        for place, name in enumerate(classes)
        for count in [sum(one.score == name for one in called)]
    )
    without, outdated = len(current) - len(called), len(scores) - len(current)
    left_out = [f"{without:,} without a call"] * bool(without) + [f"{outdated:,} outdated"] * bool(outdated)
    aside = (f"Not counted: {', '.join(left_out)}.",) if left_out else ()
    caution = next((one.caution for one in scores if one.caution), "")
    return rows, "Drawn fields", (*aside, *([caution] if caution else []))


class Rows:
    """The rows of the table. Rows of cells whose outcome is the same are not made again: a map has thousands of them."""

    def __init__(self) -> None:
        self._map: ScoreMap | None = None
        self._now = Now()
        self._outcomes: list[Outcome | None] = []
        self._cells: list[FieldRow] = []

    def of(self, fields: FieldsState, present: Now = Now()) -> Sequence[FieldRow]:  # noqa: B008 - immutable
        """present: what scores are outdated by."""
        drawn = [
            _row(
                key,
                one.title,
                one.score,
                _middle(one.shape.bounds),
                1.0,
                colour=one.colour,
                drawn=True,
                outdated=present.outdates(one.score),
            )
            for key, one in fields.annotations.items()
        ]
        if present != self._now:
            self._now, self._map = present, None
        self._follow(fields)
        return [*drawn, *self._cells]

    def _follow(self, fields: FieldsState) -> None:
        score_map = fields.score_map
        if score_map is None:
            self._map, self._outcomes, self._cells = None, [], []
            return
        if self._map is None or self._map.cells is not score_map.cells:
            self._outcomes = [None] * len(score_map.cells)
            self._cells = [self._cell(fields, index) for index in range(len(score_map.cells))]
        for index, outcome in enumerate(score_map.outcomes):
            if outcome is not self._outcomes[index]:
                self._outcomes[index] = outcome
                self._cells[index] = self._cell(fields, index)
        self._map = score_map

    def _cell(self, fields: FieldsState, index: int) -> FieldRow:
        score_map = fields.score_map
        assert score_map is not None
        cell, outcome, key = score_map.cells[index], score_map.outcomes[index], cell_key(index)
        note = ""
        if outcome is None:
            note = "Waiting"
        elif isinstance(outcome, Unscored):
            note = outcome.state.capitalize()
        reason = outcome.reason if isinstance(outcome, Unscored) else ""
        score = outcome if isinstance(outcome, FieldScore) else None
        outdated = self._now.outdates(score)
        return _row(
            key, fields.title(key), score, _middle(cell.field), cell.share, note=note, reason=reason, outdated=outdated
        )


def _row(
    key: str,
    name: str,
    score: FieldScore | None,
    centre: tuple[float, float],
    share: float,
    *,
    colour: str = "",
    drawn: bool = False,
    note: str = "",
    reason: str = "",
    outdated: str = "",
) -> FieldRow:
    if score is None:
        return FieldRow(key, name, colour, "", -1, None, (), "", centre, share, drawn, note, reason)
    return FieldRow(
        key,
        name,
        colour,
        score.score,
        score.classes.index(score.score),
        score.probability,
        score.prediction_set,
        score.no_call or "",
        centre,
        share,
        drawn,
        note,
        outdated or (f"{score.model}" if not score.no_call else score.no_call),
        outdated=bool(outdated),
    )


def _middle(field: FieldOfView) -> tuple[float, float]:
    return field.x + field.width / 2, field.y + field.height / 2

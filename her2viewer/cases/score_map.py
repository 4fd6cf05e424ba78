"""A score map: a region scored field by field, what is known so far, and what may be said of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal, Self

from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.grid import GridCell
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.stains import Stain

NOT_A_CASE_SCORE: Final = (
    "These are shares of fields, each scored by the network on its own. They are not an ASCO/CAP HER2 score of the case, which "
    "a pathologist gives from the whole invasive component."
)


class CellState(StrEnum):
    """Where a cell of a map stands."""

    WAITING = "waiting"
    SCORED = "scored"
    NO_TISSUE = "no tissue"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Unscored:
    """A cell that has no score, and why, in one sentence for the user."""

    state: Literal[CellState.NO_TISSUE, CellState.FAILED]
    reason: str


Outcome = FieldScore | Unscored
"""What became of a cell."""


@dataclass(frozen=True, slots=True)
class MapBasis:
    """What a map is made of. `images`: SHA-256 of each stain's file, empty until it is saved; `alignment`: what tells one
    alignment of the H&E from another, or empty.
    """

    images: Mapping[Stain, str]
    model: ModelIdentity
    alignment: str = ""

    def refuse_other(self, made_of: "MapBasis") -> None:
        """Raises AnnotationError, in a clear word, where a map `made_of` something else cannot go on with this."""
        for stain in Stain:
            if self.images.get(stain) != made_of.images.get(stain):
                raise AnnotationError(
                    f"this score map was made of another {stain.caption} image",
                    remedy="open the pair that it belongs to, or score the region anew",
                )
        if self.model.sha256 != made_of.model.sha256:
            raise AnnotationError(
                f"this score map was made by another model ({made_of.model}; in use is {self.model})",
                remedy="choose that model, or score the region anew",
            )
        if self.alignment != made_of.alignment:
            raise AnnotationError(
                "this score map was made with another alignment of the H&E",
                remedy="align the images as they were, or score the region anew",
            )


@dataclass(frozen=True, slots=True)
class MapFigures:
    """Of how many cells what is known. `counts` and `means`: by class, of the cells that count, which have a score, a call,
    and at least the threshold's probability of it. `means` are of their probabilities and empty where none counts.
    """

    cells: int
    waiting: int
    no_tissue: int
    failed: int
    no_call: int
    below_threshold: int
    counts: Mapping[str, int]
    means: Mapping[str, float]

    @property
    def counted(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return self.cells - self.waiting

    def share(self, name: str) -> float:
        """Of the cells that count, 0..1; 0 where none does."""
        return self.counts[name] / self.counted if self.counted else 0.0


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """The cells of a grid and what became of each; `outcomes[i]` is None while `cells[i]` waits.

    `side` and `step` are what the grid was laid with, `classes` are the model's. A value: it grows by `with_score`.
    """

    region: Shape
    side: float
    step: float
    basis: MapBasis
    classes: tuple[str, ...]
    cells: tuple[GridCell, ...]
    outcomes: tuple[Outcome | None, ...] = ()

    def __post_init__(self) -> None:
        if not self.outcomes:
            object.__setattr__(self, "outcomes", (None,) * len(self.cells))
        if len(self.outcomes) != len(self.cells):
            raise ValueError(f"{len(self.outcomes)} outcomes for {len(self.cells)} cells")

    def with_score(self, index: int, outcome: Outcome) -> Self:
        """With what became of a cell. Raises ValueError for a score by another model, IndexError for another cell."""
        if not 0 <= index < len(self.cells):
            raise IndexError(index)
        if isinstance(outcome, FieldScore) and (outcome.model, outcome.classes) != (self.basis.model, self.classes):
            raise ValueError(f"a map by {self.basis.model} takes no score by {outcome.model}")
        return replace(self, outcomes=(*self.outcomes[:index], outcome, *self.outcomes[index + 1 :]))

    def retried(self) -> Self:
        """With the cells that failed waiting again."""
        again = (None if isinstance(one, Unscored) and one.state is CellState.FAILED else one for one in self.outcomes)
        return replace(self, outcomes=tuple(again))

    @property
    def waiting(self) -> tuple[int, ...]:
        """The cells that are still to be scored, in reading order: with these a run goes on."""
        return tuple(index for index, outcome in enumerate(self.outcomes) if outcome is None)

    def state(self, index: int) -> CellState:
        match self.outcomes[index]:
            case None:
                return CellState.WAITING
            case Unscored(state=state):
                return state
            case _:
                return CellState.SCORED

    def score(self, index: int) -> FieldScore | None:
        """A cell's score, also one with a no call; None where it has none."""
        outcome = self.outcomes[index]
        return outcome if isinstance(outcome, FieldScore) else None

    def cell_at(self, x: float, y: float) -> int | None:
        """The cell that holds a place; of overlapping ones the one whose centre is nearest."""

        def distance(index: int) -> float:
            field = self.cells[index].field
            return (field.x + field.width / 2 - x) ** 2 + (field.y + field.height / 2 - y) ** 2

        holding = [
            index
            for index, cell in enumerate(self.cells)
            if 0 <= x - cell.field.x < cell.field.width and 0 <= y - cell.field.y < cell.field.height
        ]
        return min(holding, key=distance, default=None)

    def counted(self, threshold: float = 0.0) -> tuple[int, ...]:
        """The cells that count: scored, with a call, and their score's probability at least `threshold`."""
        return tuple(
            index
            for index, outcome in enumerate(self.outcomes)
            if isinstance(outcome, FieldScore) and outcome.no_call is None and outcome.probability >= threshold
        )

    def figures(self, threshold: float = 0.0) -> MapFigures:
        """What can be counted; see `MapFigures`."""
        scores = [one for one in self.outcomes if isinstance(one, FieldScore)]
        called = [one for one in scores if one.no_call is None]
        counting = [one for one in called if one.probability >= threshold]
        unscored = Counter(one.state for one in self.outcomes if isinstance(one, Unscored))
        counts = Counter(one.score for one in counting)
        sums = [sum(column) for column in zip(*(one.probabilities for one in counting), strict=True)]
        return MapFigures(
            cells=len(self.cells),
            waiting=self.outcomes.count(None),
            no_tissue=unscored[CellState.NO_TISSUE],
            failed=unscored[CellState.FAILED],
            no_call=len(scores) - len(called),
            below_threshold=len(called) - len(counting),
            counts={name: counts[name] for name in self.classes},
            means={name: total / len(counting) for name, total in zip(self.classes, sums, strict=False)},
        )

    def summary(self, threshold: float = 0.0) -> tuple[str, ...]:
        """What may be said of the map, a sentence each; the last but the model's caution is always `NOT_A_CASE_SCORE`."""
        figures = self.figures(threshold)
        words = [_progress_words(figures)]
        if figures.counted:
            shares = ", ".join(f"{name} {figures.share(name):.0%} ({figures.counts[name]:,})" for name in self.classes)
            words.append(f"Of {_fields(figures.counted)} that count: {shares}.")
        aside = [
            f"{count:,} {what}"
            for count, what in (
                (figures.no_call, "without a call"),
                (figures.below_threshold, f"below a probability of {threshold:.0%}"),
                (figures.no_tissue, "without tissue"),
                (figures.failed, "that could not be scored"),
            )
            if count
        ]
        if aside:
            words.append(f"Not counted: {', '.join(aside)}.")
        words.append(NOT_A_CASE_SCORE)
        caution = next((one.caution for one in self.outcomes if isinstance(one, FieldScore)), "")
        return tuple(words + [caution] * bool(caution))


def _progress_words(figures: MapFigures) -> str:
    if figures.waiting:
        return f"{figures.done:,} of {_fields(figures.cells)} done."
    return f"{_fields(figures.cells).capitalize()} done."


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count:,} fields"

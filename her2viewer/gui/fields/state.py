"""The part of the state that is about fields: what is drawn, chosen and scored, and how the score map is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Final

from her2viewer.cases.annotation import COLOUR, Annotation
from her2viewer.cases.annotations import Annotations, History
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.grid import GridCell
from her2viewer.cases.score_map import ScoreMap
from her2viewer.gui.lanes import Progress
from her2viewer.scoring.prediction import FieldOfView

COLOURS: Final[Mapping[str, str]] = MappingProxyType(
    {
        COLOUR: "Cyan",
        "#cc79a7": "Pink",
        "#e69f00": "Amber",
        "#009e73": "Green",
        "#0072b2": "Blue",
        "#d55e00": "Vermilion",
        "#f0e442": "Yellow",
        "#000000": "Black",
    }
)
"""What a field's outline may be drawn in: the colours of Okabe and Ito 2008, told apart by colour-blind eyes, and cyan."""


class ToolId(StrEnum):
    """The drawing tools."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    FREE_HAND = "free-hand"


class RunPhase(Enum):
    """Where the scoring of a grid stands. A run that is stopped or paused goes on where it was."""

    NONE = auto()
    LAYING = auto()
    RUNNING = auto()
    PAUSED = auto()
    STOPPED = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class GridRun:
    """The scoring of the score map's cells. `rate`: cells a second since it was last begun, 0 while that is not known."""

    phase: RunPhase = RunPhase.NONE
    rate: float = 0.0

    @property
    def active(self) -> bool:
        return self.phase in (RunPhase.LAYING, RunPhase.RUNNING)


@dataclass(frozen=True, slots=True)
class GridWish:
    """How fields are laid that are not drawn. `side`: of a field, in level-0 px of the IHC, None for the model's own size;
    `apart`: in a grid, from one field to the next, in sides (less than 1 and they overlap).
    """

    side: int | None = None
    apart: float = 1.0


@dataclass(frozen=True, slots=True)
class MapStyle:
    """How the score map is drawn. Cells whose score is less probable than `threshold` are left out and not counted."""

    visible: bool = True
    opacity: float = 0.5
    threshold: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class FieldsState:
    """`selected`: the id of an annotation, or the key of a cell (see `cell_key`). `again`: how far the scoring of what was
    outdated is, None where there is none.
    """

    history: History = History()  # noqa: RUF009  immutable
    selected: str | None = None
    tool: ToolId | None = None
    score_map: ScoreMap | None = None
    run: GridRun = GridRun()
    grid: GridWish = GridWish()
    style: MapStyle = MapStyle()
    again: Progress | None = None

    @property
    def annotations(self) -> Annotations:
        return self.history.present

    @property
    def selected_annotation(self) -> Annotation | None:
        return self.annotations.get(self.selected) if self.selected is not None else None

    @property
    def selected_cell(self) -> int | None:
        """The index of the cell of the score map that is selected."""
        return cell_index(self.selected) if self.selected is not None and self._cell(self.selected) else None

    def emptied(self) -> "FieldsState":
        """Without anything that belongs to a pair; how things are drawn stays."""
        return FieldsState(tool=self.tool, grid=self.grid, style=self.style)

    def box(self, key: str) -> FieldOfView | None:
        """The rectangle that the network sees of a field or cell, level-0 px of the IHC; None where it is gone."""
        if (annotation := self.annotations.get(key)) is not None:
            return annotation.shape.bounds
        cell = self._cell(key)
        return cell.field if cell is not None else None

    def score(self, key: str) -> FieldScore | None:
        """The score of a field or cell; None where it has none."""
        if (annotation := self.annotations.get(key)) is not None:
            return annotation.score
        index = cell_index(key)
        return (
            self.score_map.score(index)
            if self.score_map is not None and self._cell(key) and index is not None
            else None
        )

    def title(self, key: str) -> str:
        """What a field or cell is called: 'Field 3', 'Row 2, column 5'; empty where it is not there any more."""
        if (annotation := self.annotations.get(key)) is not None:
            return annotation.title
        cell = self._cell(key)
        return f"Row {cell.row + 1}, column {cell.column + 1}" if cell is not None else ""

    def _cell(self, key: str) -> GridCell | None:
        index = cell_index(key)
        known = index is not None and self.score_map is not None and index < len(self.score_map.cells)
        return self.score_map.cells[index] if known and self.score_map is not None and index is not None else None


_CELL: Final = "cell "


def cell_key(index: int) -> str:
    """The key of a cell of the score map. No annotation has such an id: those are UUIDs."""
    return f"{_CELL}{index}"


def cell_index(key: str | None) -> int | None:
    """The index of a cell by its key; None for the key of something else."""
    if key is None or not key.startswith(_CELL):
        return None
    return int(key.removeprefix(_CELL))

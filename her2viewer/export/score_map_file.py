"""A score map in a file, so that a run can go on another day: `her2viewer.scoremap/1`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from her2viewer import RESEARCH_USE, __version__
from her2viewer.cases.field_score import FieldScore
from her2viewer.cases.grid import MOST_CELLS, GridCell
from her2viewer.cases.score_map import NOT_A_CASE_SCORE, CellState, MapBasis, Outcome, ScoreMap, Unscored
from her2viewer.cases.shape import Shape, ShapeKind
from her2viewer.errors import AnnotationError
from her2viewer.export.files import write_atomic
from her2viewer.export.json_file import read_json_bytes
from her2viewer.export.results import FieldRecord, ModelRecord, Section, Sha256, Share, Words
from her2viewer.export.score_record import ScoreRecord, field_of, field_record, model_of, model_record
from her2viewer.scoring.stains import Stain

SCHEMA: Final = "her2viewer.scoremap/1"

_Coordinate = Annotated[float, Field(ge=-1e9, le=1e9)]
_Ring = Annotated[list[tuple[_Coordinate, _Coordinate]], Field(min_length=3)]
_Pixels = Annotated[float, Field(ge=1, le=1e9)]


class ShapeRecord(Section):
    """A shape: its kind, and its corners as rings, the outline first; of an ellipse those of its frame."""

    kind: ShapeKind
    rings: Annotated[list[_Ring], Field(min_length=1)]

    @classmethod
    def of(cls, shape: Shape) -> Self:
        corners = shape.corners
        return cls(kind=shape.kind, rings=[list(ring.coords)[:-1] for ring in (corners.exterior, *corners.interiors)])

    def shape(self) -> Shape:
        """Raises AnnotationError where it is no shape."""
        outline = Shape.polygon(self.rings[0], self.rings[1:], self.kind)
        f = outline.bounds
        match self.kind:
            case ShapeKind.RECTANGLE:
                return Shape.rectangle(f.x, f.y, f.width, f.height)
            case ShapeKind.ELLIPSE:
                return Shape.ellipse(f.x, f.y, f.width, f.height)
            case _:
                return outline


class UnscoredRecord(Section):
    """A cell without a score, and why."""

    kind: Literal["unscored"] = "unscored"
    state: Literal[CellState.NO_TISSUE, CellState.FAILED]
    reason: Words


class CellRecord(Section):
    """A cell; without an outcome it waits."""

    field: FieldRecord
    row: Annotated[int, Field(ge=0, le=1_000_000)]
    column: Annotated[int, Field(ge=0, le=1_000_000)]
    share: Share
    outcome: Annotated[ScoreRecord | UnscoredRecord, Field(discriminator="kind")] | None = None


class ScoreMapDocument(Section):
    """`her2viewer.scoremap/1`. `images` are the SHA-256 of the files; no name and no place of theirs is kept."""

    schema_: Annotated[Literal["her2viewer.scoremap/1"], Field(alias="schema")] = SCHEMA
    notice: Annotated[str, Field(max_length=2000)] = f"{RESEARCH_USE} {NOT_A_CASE_SCORE}"
    app_version: Annotated[str, Field(max_length=40)]
    utc: AwareDatetime
    images: dict[Stain, Sha256]
    alignment: Annotated[str, Field(max_length=200)]
    model: ModelRecord
    classes: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=40)], ...], Field(min_length=2, max_length=16)
    ]
    region: ShapeRecord
    side: _Pixels
    step: _Pixels
    cells: Annotated[list[CellRecord], Field(max_length=MOST_CELLS)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for cell in self.cells:
            if isinstance(cell.outcome, ScoreRecord) and tuple(cell.outcome.probabilities) != self.classes:
                raise ValueError("a cell has a score of other classes")
        return self


def write_score_map(path: Path | str, score_map: ScoreMap, *, utc: datetime | None = None) -> None:
    """Writes the map, whole or not at all; `utc` is now unless given. Raises ExportError."""
    document = ScoreMapDocument(
        app_version=__version__,
        utc=(utc or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0),
        images=dict(score_map.basis.images),
        alignment=score_map.basis.alignment,
        model=model_record(score_map.basis.model),
        classes=score_map.classes,
        region=ShapeRecord.of(score_map.region),
        side=score_map.side,
        step=score_map.step,
        cells=[_record(cell, score_map.outcomes[index]) for index, cell in enumerate(score_map.cells)],
    )
    with write_atomic(path) as file:
        file.write(document.model_dump_json(by_alias=True, indent=1).encode())


def read_score_map(path: Path | str, basis: MapBasis) -> ScoreMap:
    """The map of a file, to be shown over these images and gone on with by this model.

    Raises AnnotationError where it cannot be read, is no score map, or was made of something else than `basis`.
    """
    path = Path(path)
    try:
        document = ScoreMapDocument.model_validate_json(read_json_bytes(path))
        region = document.region.shape()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise _refused(path, f"{where}: {first['msg']}") from error
    except AnnotationError as error:
        if error.path is not None:
            raise
        raise _refused(path, f"region: {error.what}") from error
    model = model_of(document.model)
    made_of = MapBasis(dict(document.images), model, document.alignment)
    try:
        basis.refuse_other(made_of)
    except AnnotationError as error:
        raise AnnotationError(error.what, path=path, remedy=error.remedy) from None
    cells = tuple(GridCell(field_of(cell.field), cell.row, cell.column, cell.share) for cell in document.cells)
    outcomes = tuple(_outcome(record, cell, made_of) for record, cell in zip(document.cells, cells, strict=True))
    return ScoreMap(region, document.side, document.step, made_of, document.classes, cells, outcomes)


def _refused(path: Path, why: str) -> AnnotationError:
    return AnnotationError(
        f"this is not a score map of the schema {SCHEMA} ({why})", path=path, remedy="score the region anew"
    )


def _record(cell: GridCell, outcome: Outcome | None) -> CellRecord:
    record: ScoreRecord | UnscoredRecord | None = None
    match outcome:
        case FieldScore():
            record = ScoreRecord.of(outcome)
        case Unscored():
            record = UnscoredRecord(state=outcome.state, reason=outcome.reason)
    return CellRecord(
        field=field_record(cell.field), row=cell.row, column=cell.column, share=cell.share, outcome=record
    )


def _outcome(record: CellRecord, cell: GridCell, made_of: MapBasis) -> Outcome | None:
    match record.outcome:
        case ScoreRecord() as score:
            return score.field_score(cell.field, made_of.model, made_of.alignment)
        case UnscoredRecord(state=state, reason=reason):
            return Unscored(state, reason)
        case _:
            return None

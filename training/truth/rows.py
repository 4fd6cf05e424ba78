"""What was found on each pair, kept a line a pair as it comes: a killed run goes on after its last whole line.

OUT/run.json      how the pairs are drawn and judged; another way of doing so is refused
OUT/pairs.jsonl   one JSON object a line: a pair, a model, and some or all of its maps
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from her2viewer.errors import ExportError
from training.files import replacing
from training.phantom.writing import GENERATOR
from training.truth.maps import MapName
from training.truth.metrics import Marks

SCHEMA: Final = "her2viewer.truth-pairs/1"
CLAIM: Final = "run.json"
PAIRS: Final = "pairs.jsonl"


@dataclass(frozen=True, slots=True)
class MapRow:
    """One map of one pair. marks: by stain, of those that the model takes; empty for a pair of class 0.

    positive: the sum of the grid's positive cells, peak: the greatest of them, in the method's unit; None for baselines.
    ihc_share: of all positive evidence the share that lies on the IHC; None where there is no evidence, or one stain.
    same_score: of a map at a larger scale, whether the model says the same there; otherwise None.
    """

    name: MapName
    marks: dict[str, Marks]
    positive: float | None = None
    peak: float | None = None
    ihc_share: float | None = None
    same_score: bool | None = None


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair as a model scored it. model: SHA-256 of its weights; label: the truth; said: the score, whose maps these are.

    cells: how many decide; area: their share of each stain's image, by stain; near: with the tolerance around them. seconds:
    for scoring and all of `maps`, without drawing the pair.
    """

    model: str
    index: int
    label: str
    said: str
    cells: int
    area: dict[str, float]
    near: dict[str, float]
    seconds: float
    maps: tuple[MapRow, ...]

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        maps = tuple(
            MapRow(
                MapName(**one["name"]),
                {stain: Marks(**marks) for stain, marks in one["marks"].items()},
                one["positive"],
                one["peak"],
                one["ihc_share"],
                one["same_score"],
            )
            for one in document["maps"]
        )
        return cls(**(document | {"maps": maps}))


class PairFile:
    """The rows of a folder. Raises ExportError where it holds a run that judges otherwise, or cannot be written."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        """facts: what all rows must have in common: the phantoms' seed, tolerance, raster."""
        self._path = folder / PAIRS
        claim = {"schema": SCHEMA, "generator": GENERATOR, **facts}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            note = folder / CLAIM
            if not note.exists():
                with replacing(note) as draft:
                    draft.write_text(json.dumps(claim) + "\n", encoding="utf-8")
            elif json.loads(note.read_text(encoding="utf-8")) != claim:
                raise ExportError(
                    "the folder holds a run on other phantoms, or one that judged them otherwise",
                    path=folder,
                    remedy="choose an empty folder, or the seed that run.json names",
                )
            self._path.touch()
            self._end_in_whole_lines()
        except OSError as error:
            raise ExportError(
                f"it cannot be written ({error.strerror or error})", path=folder, remedy="choose another folder"
            ) from error

    def _end_in_whole_lines(self) -> None:
        """Cuts off what a kill left half written."""
        with self._path.open("rb+") as file:
            data = file.read()
            file.truncate(data.rfind(b"\n") + 1)

    def append(self, rows: Iterable[PairRow]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(asdict(row)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[PairRow]:
        """One row for each pair and model, in that order, with all maps that any of its lines hold."""
        return merged(self._lines())

    def _lines(self) -> Iterator[PairRow]:
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                yield PairRow.read(json.loads(line))


def merged(rows: Iterable[PairRow]) -> list[PairRow]:
    """Rows of the same model and pair made one; seconds add up. Sorted by pair."""
    found: dict[tuple[str, int], list[PairRow]] = {}
    for row in rows:
        found.setdefault((row.model, row.index), []).append(row)
    return [_joined(parts) for _, parts in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))]


def _joined(parts: Sequence[PairRow]) -> PairRow:
    maps = {one.name: one for part in parts for one in part.maps}
    first = asdict(parts[0]) | {"maps": tuple(maps.values()), "seconds": sum(part.seconds for part in parts)}
    return PairRow(**first)

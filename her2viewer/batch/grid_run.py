"""The cells of a score map, scored one after the other while the next ones are read."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from her2viewer.batch.faults import Fault, attempt
from her2viewer.cases.field_score import field_score
from her2viewer.cases.grid import GridCell
from her2viewer.cases.score_map import CellState, Outcome, ScoreMap, Unscored
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.field_scorer import FieldScorer
from her2viewer.scoring.guard.glass import White, check_ihc_tissue
from her2viewer.scoring.guard.tissue import check_tissue
from her2viewer.scoring.prediction import FieldOfView

_Found = TypeVar("_Found")

BATCH: Final = 4
AHEAD: Final = 2 * BATCH
"""Cells that are read or wait for the network; 8 of 1,884 pixels a side hold 170 MB."""

ReadField = Callable[[FieldOfView], FieldPixels]
"""Reads a field of the IHC image (level-0 pixels) and what lies there in the H&E. Called from one thread at a time."""


def score_cell(cell: GridCell, read: ReadField, scorer: FieldScorer, alignment: str = "") -> Outcome:
    """Reads and scores one cell, in the caller's thread. Never raises but Cancelled: what goes wrong is its outcome."""
    found = read_cell(cell, read)
    return found if isinstance(found, Unscored) else score_read(cell, found, scorer, alignment)


def read_cell(cell: GridCell, read: ReadField, glass: Callable[[], White] | None = None) -> FieldPixels | Unscored:
    """The pixels of a cell, or why it is not worth a pass of the network or cannot be read. Raises as `score_cell`.

    glass: of the IHC image (see `scoring.guard.glass`); with it a cell of bare glass is found by the IHC itself too, whatever the
    H&E shows there, or where there is none.
    """

    def work() -> FieldPixels | Unscored:
        pixels = read(cell.field)
        check = check_tissue(pixels) or (None if glass is None else check_ihc_tissue(pixels, glass()))
        return pixels if check is None else Unscored(CellState.NO_TISSUE, check.message)

    return _outcome(attempt(work, one="field", name=_name(cell)))


def score_read(cell: GridCell, pixels: FieldPixels, scorer: FieldScorer, alignment: str = "") -> Outcome:
    """The outcome of a cell that was read through an alignment, by its name. Raises as `score_cell`."""
    return _outcome(
        attempt(
            lambda: field_score(scorer.score(pixels).prediction, cell.field, alignment), one="field", name=_name(cell)
        )
    )


def run_grid(
    score_map: ScoreMap,
    read: ReadField,
    scorer: FieldScorer,
    check: Callable[[], None] = lambda: None,
    glass: Callable[[], White] | None = None,
) -> Generator[tuple[int, Outcome], None, None]:
    """Each waiting cell's index and outcome as they come, in reading order. A cell that fails costs itself alone.

    read: called from a thread of its own, ahead of the scorer, which is used from the caller's. check: raises Cancelled, which
    comes out here and is asked before each pass; a generator that is closed stops as well. Nothing is left running then.
    glass: as in `read_cell`.
    """
    waiting = iter(score_map.waiting)
    reading: deque[tuple[int, Future[FieldPixels | Unscored]]] = deque()
    pool = ThreadPoolExecutor(1, thread_name_prefix="read")
    try:
        while True:
            check()
            while len(reading) < AHEAD and (index := next(waiting, None)) is not None:
                reading.append((index, pool.submit(read_cell, score_map.cells[index], read, glass)))
            if not reading:
                return
            taken = [reading.popleft()]
            taken[0][1].result()
            while reading and len(taken) < BATCH and reading[0][1].done():
                taken.append(reading.popleft())
            yield from _scored(score_map, [(index, future.result()) for index, future in taken], scorer)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _scored(
    score_map: ScoreMap, taken: list[tuple[int, FieldPixels | Unscored]], scorer: FieldScorer
) -> Iterator[tuple[int, Outcome]]:
    """In one pass, or each alone where that fails, so that only the one at fault fails."""
    pixels = [found for _, found in taken if isinstance(found, FieldPixels)]
    together: list[Evidence] | Fault = []
    if pixels:
        together = attempt(lambda: scorer.score_batch(pixels), one="field", name=f"{len(pixels)} in one pass")
    evidence = None if isinstance(together, Fault) else iter(together)
    for index, found in taken:
        cell = score_map.cells[index]
        if isinstance(found, Unscored):
            yield index, found
        elif evidence is None:
            yield index, score_read(cell, found, scorer, score_map.basis.alignment)
        else:
            yield index, field_score(next(evidence).prediction, cell.field, score_map.basis.alignment)


def _outcome(found: _Found | Fault) -> _Found | Unscored:
    return Unscored(CellState.FAILED, found.words) if isinstance(found, Fault) else found


def _name(cell: GridCell) -> str:
    return f"row {cell.row + 1}, column {cell.column + 1}"

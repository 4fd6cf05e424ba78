import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from her2viewer.batch import grid_run
from her2viewer.batch.grid_run import read_cell, run_grid, score_cell
from her2viewer.cases.grid import grid_over
from her2viewer.cases.score_map import CellState, MapBasis, ScoreMap, Unscored
from her2viewer.cases.shape import Shape
from her2viewer.errors import Cancelled, ImageError
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.batch.conftest import CLASSES, MODEL, FakeScorer
from tests.scoring.conftest import tissue

SIDE = 64
HE, IHC = tissue(1, (10 * SIDE, 4 * SIDE)), tissue(2, (10 * SIDE, 4 * SIDE), "ihc")


def score_map(model: object = MODEL) -> ScoreMap:
    region = Shape.rectangle(0, 0, 10 * SIDE, 4 * SIDE)
    cells = grid_over(region, (10 * SIDE, 4 * SIDE), SIDE)
    return ScoreMap(region, SIDE, SIDE, MapBasis({}, model), CLASSES, cells)  # type: ignore[arg-type]


def read(field: FieldOfView) -> FieldPixels:
    """Both images at hand, not shifted; the first cell is glass, the last but one cannot be read."""
    x, y = int(field.x), int(field.y)
    if (x, y) == (8 * SIDE, 3 * SIDE):
        raise ImageError("the tile is damaged", path="a.svs", remedy="copy it again")
    he = HE[y : y + SIDE, x : x + SIDE]
    if (x, y) == (0, 0):
        he = np.full_like(he, 240)
    return FieldPixels({Stain.HE: he, Stain.IHC: IHC[y : y + SIDE, x : x + SIDE]}, dict.fromkeys(Stain, field))


def finished(found: ScoreMap, scorer: object, **options: object) -> ScoreMap:
    for index, outcome in run_grid(found, read, scorer, **options):  # type: ignore[arg-type]
        found = found.with_score(index, outcome)
    return found


def test_every_cell_ends_scored_or_with_its_reason(fake: FakeScorer) -> None:
    found = finished(score_map(), fake)
    figures = found.figures()
    assert (figures.cells, figures.waiting, figures.counted) == (40, 0, 38)
    assert found.outcomes[0] == Unscored(
        CellState.NO_TISSUE, "The H&E image holds hardly any tissue (0.0% of it): choose another field."
    )
    assert found.outcomes[38] == Unscored(CellState.FAILED, "a.svs: the tile is damaged; copy it again.")
    # Glass and what cannot be read cost no pass of the network.
    assert sum(fake.batches) == 38 and max(fake.batches) <= grid_run.BATCH


def test_a_cell_in_the_run_and_alone_are_the_same(random_scorer: Scorer) -> None:
    whole = score_map(random_scorer.package.manifest.identity)
    start = replace(whole, cells=whole.cells[:6], outcomes=())
    found = finished(start, random_scorer)
    for index in range(6):
        alone, together = score_cell(start.cells[index], read, random_scorer), found.outcomes[index]
        if isinstance(alone, Unscored):
            assert alone == together
        else:
            assert together is not None and not isinstance(together, Unscored)
            assert np.allclose(alone.probabilities, together.probabilities, atol=1e-5)
            assert alone.field == start.cells[index].field


def test_a_run_goes_on_where_it_stopped(fake: FakeScorer) -> None:
    half = score_map()
    for index, outcome in run_grid(half, read, fake):
        half = half.with_score(index, outcome)
        if index == 19:
            break
    asked = sum(fake.batches)
    rest = [index for index, _ in run_grid(half, read, fake)]
    assert rest == list(range(20, 40)) and sum(fake.batches) == asked + 19


def test_cancelling_stops_before_the_next_pass_and_leaves_nothing_running(fake: FakeScorer) -> None:
    seen: list[int] = []

    def check() -> None:
        if seen:
            raise Cancelled

    with pytest.raises(Cancelled):
        for index, _ in run_grid(score_map(), read, fake, check):
            seen.append(index)
    assert 1 <= len(seen) <= grid_run.BATCH
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_a_closed_run_leaves_nothing_running(fake: FakeScorer) -> None:
    run = run_grid(score_map(), read, fake)
    next(run)
    run.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_reading_is_ahead_by_so_many_and_in_one_thread(fake: FakeScorer) -> None:
    order: list[FieldOfView] = []
    names: set[str] = set()

    def noting(field: FieldOfView) -> FieldPixels:
        order.append(field)
        names.add(threading.current_thread().name)
        return read(field)

    start = score_map()
    for done, _ in enumerate(run_grid(start, noting, fake)):
        assert len(order) <= done + grid_run.AHEAD + grid_run.BATCH
    assert order == [cell.field for cell in start.cells] and len(names) == 1


class Stumbling(FakeScorer):
    """Fails at every pass that holds the cell at `at`."""

    def __init__(self, at: FieldOfView, error: Exception) -> None:
        super().__init__()
        self.at, self.error = at, error

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
        if any(field.fields[Stain.IHC] == self.at for field in fields):
            raise self.error
        return super().score_batch(fields)


def test_only_the_cell_at_fault_fails() -> None:
    start = score_map()
    found = finished(start, Stumbling(start.cells[5].field, ImageError("bad", remedy="mend it")))
    assert found.outcomes[5] == Unscored(CellState.FAILED, "bad; mend it.")
    assert found.figures().counted == 37


def test_cancelling_inside_the_scorer_ends_the_run() -> None:
    start = score_map()
    with pytest.raises(Cancelled):
        finished(start, Stumbling(start.cells[5].field, Cancelled()))


def test_without_an_he_nothing_is_said_of_tissue() -> None:
    def ihc_alone(field: FieldOfView) -> FieldPixels:
        return FieldPixels({Stain.IHC: np.full((SIDE, SIDE, 3), 240, np.uint8)}, {Stain.IHC: field})

    assert isinstance(read_cell(score_map().cells[0], ihc_alone), FieldPixels)

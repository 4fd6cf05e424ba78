from dataclasses import replace

import pytest

from her2viewer.cases.grid import grid_over
from her2viewer.cases.score_map import NOT_A_CASE_SCORE, CellState, MapBasis, ScoreMap, Unscored
from her2viewer.cases.shape import Shape
from her2viewer.errors import AnnotationError
from her2viewer.scoring.prediction import ModelIdentity
from her2viewer.scoring.stains import Stain
from tests.cases.shapes import CLASSES, MODEL, score_of

BASIS = MapBasis({Stain.HE: "b" * 64, Stain.IHC: "c" * 64}, MODEL)


def empty_map(columns: int = 4, rows: int = 2, step: float = 100) -> ScoreMap:
    width, height = 100 + round((columns - 1) * step), 100 + round((rows - 1) * step)
    region = Shape.rectangle(0, 0, width, height)
    return ScoreMap(region, 100, step, BASIS, CLASSES, grid_over(region, (width, height), 100, step))


def filled_map() -> ScoreMap:
    """Two 2+ (one without a call), a 3+, a 0 of low probability, no tissue, a failed one, and two that wait."""
    found = empty_map()
    fields = [cell.field for cell in found.cells]
    low = score_of(fields[3], "0", probabilities=(0.4, 0.3, 0.2, 0.1))
    for index, outcome in enumerate(
        (
            score_of(fields[0]),
            score_of(fields[1], no_call="Too faint."),
            score_of(fields[2], "3+"),
            low,
            Unscored(CellState.NO_TISSUE, "Empty."),
            Unscored(CellState.FAILED, "Broken."),
        )
    ):
        found = found.with_score(index, outcome)
    return found


def test_a_map_grows_and_what_was_before_stands() -> None:
    before = empty_map()
    after = before.with_score(3, score_of(before.cells[3].field))
    assert before.waiting == tuple(range(8)) and after.waiting == (0, 1, 2, 4, 5, 6, 7)
    assert (before.state(3), after.state(3)) == (CellState.WAITING, CellState.SCORED)
    for index in (-1, 8):
        with pytest.raises(IndexError):
            before.with_score(index, Unscored(CellState.FAILED, "x"))


def test_a_score_of_another_model_is_not_taken() -> None:
    found = empty_map()
    for wrong in ({"model": ModelIdentity("fake", "2", "d" * 64)}, {"classes": ("a", "b", "c", "2+")}):
        with pytest.raises(ValueError, match="takes no score"):
            found.with_score(0, score_of(found.cells[0].field, **wrong))


def test_figures_count_each_cell_once() -> None:
    figures = filled_map().figures()
    assert figures.counts == {"0": 1, "1+": 0, "2+": 1, "3+": 1}
    assert (figures.waiting, figures.no_tissue, figures.failed, figures.no_call) == (2, 1, 1, 1)
    assert figures.counted + figures.no_call + figures.no_tissue + figures.failed + figures.waiting == figures.cells
    assert figures.share("2+") == pytest.approx(1 / 3) and figures.done == 6
    assert figures.means == pytest.approx({"0": 0.2, "1+": 0.5 / 3, "2+": 1 / 3, "3+": 0.3})


def test_the_threshold_leaves_out_what_the_model_is_unsure_of() -> None:
    found = filled_map()
    assert found.counted() == (0, 2, 3) and found.counted(0.5) == (0, 2) and found.counted(0.71) == ()
    figures = found.figures(0.5)
    assert (figures.counts["0"], figures.below_threshold, figures.counted) == (0, 1, 2)
    nothing = found.figures(0.9)
    assert nothing.means == {} and nothing.share("2+") == 0


def test_the_summary_says_what_was_counted_and_what_it_is_not() -> None:
    assert filled_map().summary(0.5) == (
        "6 of 8 fields done.",
        "Of 2 fields that count: 0 0% (0), 1+ 0% (0), 2+ 50% (1), 3+ 50% (1).",
        "Not counted: 1 without a call, 1 below a probability of 50%, 1 without tissue, 1 that could not be scored.",
        NOT_A_CASE_SCORE,
        "Do not rely on it.",
    )
    assert empty_map(1, 1).summary() == ("0 of 1 field done.", NOT_A_CASE_SCORE)
    assert "not an ASCO/CAP HER2 score of the case" in NOT_A_CASE_SCORE


def test_failed_cells_can_be_tried_again() -> None:
    assert filled_map().waiting == (6, 7)
    assert filled_map().retried().waiting == (5, 6, 7)


def test_the_cell_under_the_pointer() -> None:
    plain, overlapping = empty_map(), empty_map(step=50)
    assert [plain.cell_at(x, y) for x, y in ((0, 0), (399.9, 199.9), (400, 0), (150, 150))] == [0, 7, None, 5]
    assert overlapping.cell_at(110, 40) == 1 and overlapping.cell_at(130, 40) == 2


def test_a_map_of_other_images_model_or_alignment_is_refused_in_words() -> None:
    BASIS.refuse_other(replace(BASIS))
    other = ModelIdentity("other", "3", "d" * 64)
    for made_of, words in (
        (MapBasis({**BASIS.images, Stain.HE: "0" * 64}, MODEL), "another H&E image"),
        (MapBasis({Stain.HE: "b" * 64}, MODEL), "another IHC HER2 image"),
        (replace(BASIS, model=other), r"another model \(other 3; in use is fake 1\)"),
        (replace(BASIS, alignment="x"), "another alignment"),
    ):
        with pytest.raises(AnnotationError, match=words):
            BASIS.refuse_other(made_of)

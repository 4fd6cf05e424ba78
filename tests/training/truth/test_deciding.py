"""The deciding cells of hand-made truths of each class, and where they lie in both images."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import CLASSES, Grade
from her2viewer.scoring.stains import Stain
from training.phantom.pair import Phantom
from training.truth.deciding import deciding_cells, deciding_grades, in_he, on_raster

FAINT, MODERATE, INTENSE = Grade.FAINT_INCOMPLETE, Grade.WEAK_TO_MODERATE, Grade.INTENSE_COMPLETE


def cells(none: int = 0, faint: int = 0, moderate: int = 0, intense: int = 0) -> np.ndarray:
    return np.repeat(np.arange(4, dtype=np.uint8), [none, faint, moderate, intense])


@pytest.mark.parametrize(
    ("grades", "label", "expected"),
    [
        (cells(none=95, faint=5), "0", ()),
        (cells(none=60, faint=40), "1+", (FAINT,)),
        (cells(none=60, faint=35, moderate=5), "1+", (FAINT,)),
        (cells(none=87, faint=5, moderate=8), "1+", (FAINT, MODERATE)),  # neither makes a tenth alone
        (cells(none=20, faint=30, moderate=50), "2+", (MODERATE,)),
        (cells(faint=40, moderate=52, intense=8), "2+", (MODERATE,)),
        (cells(none=92, intense=8), "2+", (MODERATE, INTENSE)),  # by the few intense ones
        (cells(none=88, moderate=6, intense=6), "2+", (MODERATE, INTENSE)),
        (cells(faint=20, moderate=40, intense=40), "3+", (INTENSE,)),
    ],
)
def test_the_grades_that_decide(grades: np.ndarray, label: str, expected: tuple[Grade, ...]) -> None:
    assert rule.score(grades) == label
    assert deciding_grades(grades, label) == expected


@given(st.tuples(*[st.integers(0, 60)] * 4).filter(lambda each: sum(each) > 0))
def test_the_deciding_cells_alone_give_the_class(each: tuple[int, int, int, int]) -> None:
    grades = cells(*each)
    label = rule.score(grades)
    deciding = deciding_grades(grades, label)
    kept = np.where(np.isin(grades, deciding), grades, 0).astype(np.uint8)
    assert rule.score(kept) == label
    if label != "0":
        assert deciding[0] == CLASSES.index(label)


def test_a_label_that_the_rule_does_not_give_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not make 3\+"):
        deciding_grades(cells(none=50, faint=50), "3+")


def hand_made(phantom: Phantom, grades: list[int], visible: list[bool], shift: tuple[float, float] = (0, 0)) -> Phantom:
    """Cells as squares of 10 px in a row, ten a line, number k at column k."""
    grade = np.array(grades, np.uint8)
    side = 128
    ids = np.zeros((side, side), np.int32)
    for k in range(len(grades)):
        row, column = 12 * (k // 10) + 20, 12 * (k % 10) + 2
        ids[row : row + 10, column : column + 10] = k + 1
    label = rule.score(grade[np.array(visible)])
    return replace(
        phantom,
        cells=replace(phantom.cells, tumour_id=ids),
        expression=replace(phantom.expression, grade=grade, visible=np.array(visible), label=label),
        shift=np.broadcast_to(np.array(shift, np.float32), (side, side, 2)),
    )


def test_only_invasive_cells_of_the_deciding_grade_are_in_the_mask(phantoms: dict[str, Phantom]) -> None:
    grades = [3, 3, 2, 1, 0, 0, 0, 0, 3, 3]
    found = deciding_cells(hand_made(phantoms["3+"], grades, [True] * 8 + [False] * 2))
    assert found.cells == 2
    mask = found.masks[Stain.IHC]
    assert mask.sum() == 200
    assert mask[20:30, 2:12].all()
    assert mask[20:30, 14:24].all()
    assert found.area == pytest.approx(200 / 128**2)


def test_class_0_has_none(phantoms: dict[str, Phantom]) -> None:
    found = deciding_cells(hand_made(phantoms["0"], [0] * 20 + [1], [True] * 21))
    assert found.cells == 0
    assert not any(mask.any() for mask in found.masks.values())


def test_the_he_shows_the_same_cells_where_the_sections_put_them(phantoms: dict[str, Phantom]) -> None:
    found = deciding_cells(hand_made(phantoms["2+"], [0, 0, 2], [True] * 3, shift=(3, 5)))
    rows, columns = np.nonzero(found.masks[Stain.IHC])
    he_rows, he_columns = np.nonzero(found.masks[Stain.HE])
    assert (he_rows.min(), he_rows.max()) == (rows.min() + 5, rows.max() + 5)
    assert (he_columns.min(), he_columns.max()) == (columns.min() + 3, columns.max() + 3)


@pytest.mark.parametrize("label", CLASSES[1:])
def test_a_drawn_phantoms_cells_are_stained_more_than_the_rest(phantoms: dict[str, Phantom], label: str) -> None:
    phantom = phantoms[label]
    found = deciding_cells(phantom)
    mask = found.masks[Stain.IHC]
    assert 0.002 < mask.mean() < 0.9
    assert phantom.expression.membrane[mask].mean() > phantom.expression.membrane[~mask].mean()
    assert abs(float(mask.mean()) - float(found.masks[Stain.HE].mean())) < 0.02


def test_a_shift_that_bends_goes_the_same_way_as_the_picture(phantoms: dict[str, Phantom]) -> None:
    shift = phantoms["1+"].shift
    spot = np.zeros(shift.shape[:2], bool)
    spot[250:260, 200:210] = True
    rows, columns = np.nonzero(in_he(spot, shift))
    dx, dy = shift[255, 205]
    assert columns.mean() == pytest.approx(204.5 + dx, abs=1)
    assert rows.mean() == pytest.approx(254.5 + dy, abs=1)


def test_a_coarser_raster_keeps_what_is_covered_by_half() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :4] = True
    mask[4:6, 4:8] = True  # half of a cell of the raster
    mask[0, 4] = True  # a sixteenth
    assert on_raster(mask, 2).tolist() == [[True, False], [False, True]]

"""The ASCO/CAP rule on grades of cells, and the grade of a cell from what its membrane shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.scoring.membrane import rule
from her2viewer.scoring.membrane.rule import CLASSES, Cuts, Grade

CUTS = Cuts(perceptible=0.05, faint_below=0.22, intense_from=0.58, complete_from=0.9, stained_from=0.05)


def cells(none: int = 0, faint: int = 0, moderate: int = 0, intense: int = 0) -> np.ndarray:
    return np.repeat(np.arange(4, dtype=np.uint8), [none, faint, moderate, intense])


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        (cells(none=100), "0"),
        (cells(none=90, faint=10), "0"),  # ten per cent is not more than ten per cent
        (cells(none=89, faint=11), "1+"),
        (cells(faint=100), "1+"),
        (cells(faint=90, moderate=10), "1+"),
        (cells(faint=89, moderate=11), "2+"),
        (cells(none=89, moderate=11), "2+"),
        (cells(none=94, moderate=5, intense=1), "0"),  # one in a hundred is not a focus
        (cells(none=95, intense=5), "2+"),  # intense, complete, in at most ten per cent
        (cells(none=90, intense=10), "2+"),
        (cells(none=89, intense=11), "3+"),
        (cells(intense=100), "3+"),
    ],
)
def test_the_score_of_a_field(grades: np.ndarray, expected: str) -> None:
    assert rule.score(grades) == expected


counts = st.tuples(*[st.integers(0, 60)] * 4).filter(lambda each: sum(each) > 0)


@given(counts, st.randoms())
def test_the_order_of_the_cells_does_not_matter(each: tuple[int, int, int, int], random: object) -> None:
    grades = cells(*each)
    shuffled = grades.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rule.score(shuffled) == rule.score(grades)


@given(counts, st.integers(2, 5))
def test_only_shares_count(each: tuple[int, int, int, int], times: int) -> None:
    assert rule.score(np.tile(cells(*each), times)) == rule.score(cells(*each))


@given(counts, st.data())
def test_more_stain_never_lowers_the_score(each: tuple[int, int, int, int], data: st.DataObject) -> None:
    grades = cells(*each)
    stronger = grades.copy()
    at = data.draw(st.integers(0, grades.size - 1))
    stronger[at] = min(stronger[at] + 1, 3)
    assert CLASSES.index(rule.score(stronger)) >= CLASSES.index(rule.score(grades))


def test_no_cells_no_score() -> None:
    with pytest.raises(ValueError, match="without tumour cells"):
        rule.score(np.zeros(0, np.uint8))


@pytest.mark.parametrize(
    ("completeness", "intensity", "expected"),
    [
        (0.0, 0.0, Grade.NONE),
        (1.0, 0.02, Grade.NONE),  # not perceptible
        (0.03, 0.9, Grade.NONE),  # a speck
        (0.5, 0.1, Grade.FAINT_INCOMPLETE),
        (1.0, 0.1, Grade.WEAK_TO_MODERATE),  # complete, if weak
        (1.0, 0.4, Grade.WEAK_TO_MODERATE),
        (0.6, 0.9, Grade.WEAK_TO_MODERATE),  # basolateral
        (1.0, 0.9, Grade.INTENSE_COMPLETE),
    ],
)
def test_the_grade_of_a_cell(completeness: float, intensity: float, expected: Grade) -> None:
    assert rule.grade_cells(np.array([completeness]), np.array([intensity]), CUTS).tolist() == [expected]

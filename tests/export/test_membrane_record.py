"""A membrane reading as JSON and back."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from her2viewer.export.membrane_record import MembraneRecord
from her2viewer.scoring.membrane.agreement import Agreement
from her2viewer.scoring.membrane.reading import MembraneCells, MembraneReading, read_membranes


def reading() -> MembraneReading:
    none = read_membranes(np.full((40, 40, 3), 255, np.uint8), 0.46)
    cells = MembraneCells(
        centre=np.array([[10.04, 20.06], [30, 40]]),
        contour=np.zeros((2, 32, 2), np.float32),
        density=np.array([0.2, 0], np.float32),
        amount=np.array([0.31, 0], np.float32),
        completeness=np.array([1, 0], np.float32),
        grade=np.array([3, 0], np.uint8),
    )
    return replace(none, cells=cells, score="3+", reason="")


def test_all_of_it_comes_back() -> None:
    record = MembraneRecord.of(reading(), Agreement(0, "as the network", False))
    again = MembraneRecord.model_validate_json(record.model_dump_json())
    assert again == record
    assert again.counts == {"none": 1, "faint_incomplete": 0, "weak_to_moderate": 0, "intense_complete": 1}
    assert again.cells.x == [10.0, 30.0] and again.cells.grade == [3, 0]
    assert again.agreement is not None and again.agreement.steps == 0


def test_no_score_has_a_reason_and_no_shares() -> None:
    record = MembraneRecord.of(read_membranes(np.full((40, 40, 3), 255, np.uint8), 0.46))
    assert record.score is None and record.shares is None and record.reason


def test_columns_of_unlike_length_are_refused() -> None:
    text = MembraneRecord.of(reading()).model_dump_json().replace('"grade":[3,0]', '"grade":[3]')
    with pytest.raises(ValidationError, match="unlike length"):
        MembraneRecord.model_validate_json(text)

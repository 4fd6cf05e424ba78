import logging
from pathlib import Path

import numpy as np
import pytest

from her2viewer.batch.options import BatchOptions
from her2viewer.batch.row import score_pair
from her2viewer.cases.pairing import Pair
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.scorer import Scorer
from tests.batch.conftest import FakeScorer, MakePairs


def test_a_pair_becomes_a_result(make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path) -> None:
    (pair,) = make_pairs(1)
    options = BatchOptions(tmp_path, overlay=True, target="2+", root=tmp_path)
    row = score_pair(pair, random_scorer, options)
    assert row.error is None and row.result is not None and row.drawing is not None
    assert (row.result.case_id, row.result.label) == (pair.case_id, "0")
    assert row.result.images.he.file == f"pairs/HE/{pair.he.name}"
    assert row.seconds >= row.result.seconds > 0
    expected = random_scorer.score(row.drawing.pixels).prediction
    np.testing.assert_allclose(list(row.result.probabilities.values()), expected.probabilities, atol=1e-6)
    assert row.drawing.attribution.target == "2+"
    alone = random_scorer.attribution(row.drawing.evidence, options.request("2+"))
    np.testing.assert_allclose(row.drawing.attribution.values, alone.values, atol=1e-6)


def test_the_map_of_a_pair_is_the_one_asked_for(make_pairs: MakePairs, random_scorer: Scorer, tmp_path: Path) -> None:
    options = BatchOptions(tmp_path, target="2+", stage="layer3", method="HiResCAM", against="0")
    drawing = score_pair(make_pairs(1)[0], random_scorer, options).drawing
    assert drawing is not None
    assert drawing.attribution.request == MapRequest("2+", "layer3", "HiResCAM", against="0")
    assert drawing.fixed_peak is None, "the model's scale is that of Grad-CAM of one class"


def test_maps_that_cannot_be_made_are_no_options(tmp_path: Path) -> None:
    for wrong in ({"stage": "layer5"}, {"method": "Score-CAM", "stage": "fused"}, {"against": "2+"}):
        with pytest.raises(ValueError, match=r"layer|both must be named"):
            BatchOptions(tmp_path, **wrong)


def test_without_pictures_no_pixels_are_held(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    assert score_pair(make_pairs(1)[0], fake, BatchOptions(tmp_path, overlay=False)).drawing is None


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda pair: pair.ihc.unlink(), r"00000_train_0\.png: there is no such file"),
        (lambda pair: pair.he.write_bytes(b""), r"00000_train_0\.png: the file is empty"),
        (lambda pair: pair.he.write_bytes(pair.he.read_bytes()[:900]), "cut short"),
        (lambda pair: pair.he.write_text("a text"), "holds text"),
        (lambda pair: pair.he.write_bytes(pair.ihc.read_bytes()), "it is the same picture"),
    ],
)
def test_what_is_wrong_with_a_file_is_the_rows_error(
    make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path, break_it: object, says: str
) -> None:
    import re

    (pair,) = make_pairs(1)
    break_it(pair)  # type: ignore[operator]
    row = score_pair(pair, fake, BatchOptions(tmp_path))
    assert row.result is None and row.error is not None and re.search(says, row.error)
    assert row.error.endswith(".") and "\n" not in row.error and str(tmp_path) not in row.error


def test_pictures_too_small_to_score(make_pairs: MakePairs, fake: FakeScorer, tmp_path: Path) -> None:
    row = score_pair(make_pairs(1, (8, 8))[0], fake, BatchOptions(tmp_path))
    assert row.error is not None and "too small to score" in row.error


def test_a_bug_is_logged_with_its_traceback_and_said(
    make_pairs: MakePairs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeScorer):
        def score(self, field: FieldPixels) -> object:
            raise AttributeError("a bug")

    with caplog.at_level(logging.ERROR):
        row = score_pair(make_pairs(1)[0], Broken(), BatchOptions(tmp_path))
    assert row.error is not None and "a fault in HER2 Viewer (AttributeError)" in row.error
    assert caplog.records[0].exc_info is not None and "a bug" in caplog.text


def test_too_little_memory_is_said(make_pairs: MakePairs, tmp_path: Path) -> None:
    class Hungry(FakeScorer):
        def score(self, field: FieldPixels) -> object:
            raise MemoryError

    row = score_pair(make_pairs(1)[0], Hungry(), BatchOptions(tmp_path))
    assert row.error is not None and "not enough memory" in row.error


def test_options_that_make_no_sense_are_a_bug_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layer9"):
        BatchOptions(tmp_path, stage="layer9")
    with pytest.raises(ValueError, match="model must be named"):
        BatchOptions(tmp_path, resume=True)
    assert Pair("a", Path("x"), Path("y")).label is None

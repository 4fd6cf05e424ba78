"""Scores that stay with their case: found again while files and model are those, within a limit."""

from pathlib import Path

import numpy as np

from her2viewer.gui.cases.kept import KeptScores
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.prediction import ModelIdentity, Prediction
from her2viewer.scoring.preprocess import InputLayout

MODEL = ModelIdentity("m", "1", "0" * 64)
KEY = (Path("he"), Path("ihc"))
STAMPS = ((1, 1), (2, 2))


def evidence(side: int = 10) -> Evidence:
    prediction = Prediction("0", ("0", "1+"), (0.9, 0.1), ("0",), None, (), MODEL, "CPU", "fp32", 0.1)
    return Evidence(prediction, np.zeros((side, side, 3), np.uint8), np.zeros((2, 5, 5), np.float32), InputLayout())


def test_found_while_files_and_model_are_those() -> None:
    kept, made = KeptScores(), evidence()
    kept.keep(KEY, STAMPS, made)
    assert kept.find(KEY, STAMPS, MODEL) is made
    assert kept.find(KEY, ((1, 1), (2, 3)), MODEL) is None
    assert kept.find(KEY, STAMPS, ModelIdentity("m", "2", "1" * 64)) is None
    assert kept.find((Path("ihc"), Path("he")), STAMPS, MODEL) is None


def test_the_longest_unused_goes_first_and_the_limit_holds() -> None:
    one = 300 + 200
    kept = KeptScores(most_bytes=3 * one)
    keys = [(Path(str(number)), Path("ihc")) for number in range(4)]
    for key in keys[:3]:
        kept.keep(key, STAMPS, evidence())
    assert kept.find(keys[0], STAMPS, MODEL) is not None  # used again
    kept.keep(keys[3], STAMPS, evidence())
    assert [kept.find(key, STAMPS, MODEL) is not None for key in keys] == [True, False, True, True]
    assert kept.nbytes == 3 * one
    kept.keep(keys[3], STAMPS, evidence())
    assert kept.nbytes == 3 * one, "in place of the one before"

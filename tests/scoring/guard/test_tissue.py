import numpy as np

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.guard import guard_report
from her2viewer.scoring.guard.tissue import check_tissue
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.scoring.guard.conftest import Picture


def test_tissue_is_looked_for_before_the_network_is_asked(pair: tuple[Picture, Picture], good: FieldPixels) -> None:
    blank = np.full_like(pair[0], 240)
    assert check_tissue(good) is None
    field = FieldPixels.whole(blank, pair[1])
    (failed,) = guard_report(field, InputLayout()).failed
    assert failed.check == check_tissue(field) and failed.name == "no_tissue" and failed.stops_the_score


def test_an_ihc_alone_is_not_asked_for_tissue(pair: tuple[Picture, Picture]) -> None:
    blank = np.full_like(pair[0], 240)
    assert check_tissue(FieldPixels({Stain.IHC: blank}, {Stain.IHC: FieldOfView.whole((1024, 1024))})) is None

import numpy as np
import pytest

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.attribution.fine_map import FineMap
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain


def test_a_fine_map_says_whether_it_is_of_the_score_shown() -> None:
    fields = {stain: FieldOfView.whole((64, 64)) for stain in Stain}
    shown = Attribution(np.ones((14, 14), np.float32), "2+", "layer4", "Grad-CAM", InputLayout(), fields)
    same = FineMap(shown, 2, ("1+", "2+"), (0.2, 0.8), (0.4, 0.6))
    other = FineMap(shown, 2, ("1+", "2+"), (0.2, 0.8), (0.7, 0.3))
    assert same.agrees and same.share_moved == pytest.approx(0.2)
    assert "says 2+ as well (20% of the probability moved)" in same.words
    assert not other.agrees and "says 1+, not 2+" in other.words

import numpy as np
import pytest

from her2viewer.scoring.preprocess import WHITE, InputLayout
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.fill import filled
from tests.scoring.trust.conftest import LAYOUT, spots


def test_glass_is_each_stains_own_empty_slide() -> None:
    picture = spots(0)
    picture[:, :48] = np.minimum(picture[:, :48], [240, 232, 220])
    picture[:, 48:] = np.minimum(picture[:, 48:], [222, 228, 240])
    glass = filled(picture, LAYOUT, dict.fromkeys(Stain, "glass"))
    assert (glass[:, :48] == [240, 232, 220]).all() and (glass[:, 48:] == [222, 228, 240]).all()


def test_where_the_layout_sets_the_white_it_is_that() -> None:
    glass = filled(spots(0), InputLayout(width=96, height=48, white="background"), dict.fromkeys(Stain, "glass"))
    assert (glass == WHITE).all()


def test_blurring_leaves_colour_and_takes_detail() -> None:
    picture = spots(0)
    blurred = filled(picture, LAYOUT, {Stain.IHC: "blurred", Stain.HE: "glass"})
    assert blurred[:, :48].mean() == pytest.approx(picture[:, :48].mean(), abs=1)
    assert blurred[:, :48].std() < 0.5 * picture[:, :48].std()
    assert np.ptp(blurred[:, 48:]) == 0

import numpy as np
import pytest

from her2viewer.cases.case import open_pair
from her2viewer.cases.field import read_field
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.alignment import Alignment
from her2viewer.resources import resource
from her2viewer.scoring.package import bundled_package
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.scorer import Scorer
from her2viewer.scoring.stains import Stain
from tests.benchmarks.registration import flat
from tests.imaging.test_resample import centre, noise, spot


def test_the_demo_pair_unregistered_is_read_and_scored_as_ever() -> None:
    files = (next(resource("demo").glob(f"*{stain}.png")) for stain in ("HE", "IHC"))
    scorer = Scorer.open(bundled_package(), "cpu")
    with open_pair(*files) as pair:
        whole = pair.read()
        alignment = Alignment.assumed(pair.he.size, pair.ihc.size)
        field = read_field(pair.he, pair.ihc, FieldOfView.whole(pair.ihc.size), alignment)
    assert field.fields == whole.fields and not field.covered
    assert all(np.array_equal(field.pixels[stain], whole.pixels[stain]) for stain in Stain)
    probabilities = scorer.score(field).prediction.probabilities
    assert probabilities == pytest.approx(scorer.score(whole).prediction.probabilities, abs=1e-6)


def test_images_of_two_sizes_keep_their_own_pixels_while_nothing_is_known() -> None:
    he, ihc = noise(640, 480), noise(601, 501)
    alignment = Alignment.assumed((640, 480), (601, 501))
    field = read_field(flat(he), flat(ihc), FieldOfView.whole((601, 501)), alignment)
    assert field.fields == {Stain.HE: FieldOfView.whole((640, 480)), Stain.IHC: FieldOfView.whole((601, 501))}
    assert np.array_equal(field.pixels[Stain.HE], he) and np.array_equal(field.pixels[Stain.IHC], ihc)


@pytest.mark.parametrize("side", [None, 150])
def test_both_stains_of_a_turned_pair_show_one_place(side: int | None) -> None:
    frame = Affine.similarity(0.8, 25, (60, -30), True, (600, 450))
    place = (640.0, 410.0)
    there = frame(*place)
    rectangle = FieldOfView(round(there[0]) - 130, round(there[1]) - 110, 300, 200)
    field = read_field(flat(spot(*place)), flat(spot(*there)), rectangle, Alignment(frame, origin="automatic"), side)
    assert field.fields == {
        Stain.HE: FieldOfView(rectangle.x, rectangle.y, 300, 200, frame),
        Stain.IHC: rectangle,
    }
    he, ihc = field.pixels[Stain.HE], field.pixels[Stain.IHC]
    assert he.shape == ihc.shape == ((200, 300, 3) if side is None else (100, 150, 3))
    assert centre(he) == pytest.approx(centre(ihc), abs=0.2)
    assert not field.covered


def test_what_lies_outside_the_he_is_white_and_said() -> None:
    frame = Affine.similarity(1.0, 45, about=(200, 200))
    field = read_field(
        flat(np.full((400, 400, 3), 90, np.uint8)),
        flat(np.full((400, 400, 3), 120, np.uint8)),
        FieldOfView.whole((400, 400)),
        Alignment(frame),
    )
    share = field.covered[Stain.HE]
    assert share == pytest.approx(2 * (2**0.5 - 1), abs=1e-3)
    assert (field.pixels[Stain.HE] == 90).all(axis=2).mean() == pytest.approx(share, abs=0.01)
    assert (field.pixels[Stain.HE][:20, :20] == 255).all()
    assert Stain.IHC not in field.covered

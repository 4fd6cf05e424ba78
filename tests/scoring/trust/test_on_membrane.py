from types import MappingProxyType

import cv2
import numpy as np
import pytest

from her2viewer.imaging.stain_vectors import Dyes, ruifrok_johnston
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.prediction import FieldOfView
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.on_membrane import COARSEST_MPP, STAINED, membrane_share, stained_membrane

SIDE = 512


def _ihc(dab: np.ndarray, haematoxylin: np.ndarray | float = 0.0) -> np.ndarray:
    """(h, w, 3) uint8 RGB by Beer-Lambert."""
    blue, brown, _ = ruifrok_johnston(Dyes.HAEMATOXYLIN_DAB).matrix
    density = dab[..., None] * brown + np.broadcast_to(haematoxylin, dab.shape)[..., None] * blue
    return np.rint(250 * 10**-density).astype(np.uint8)


def _rings(amount: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Membranes in the upper left quarter and a wide blot of the same stain below; (h, w) amounts, and the rings as bool."""
    rings = np.zeros((SIDE, SIDE), np.uint8)
    for row in range(40, 240, 50):
        for column in range(40, 240, 50):
            cv2.circle(rings, (column, row), 20, 1, 3)
    dab = rings * np.float32(amount)
    cv2.circle(dab, (360, 380), 60, amount, -1)
    return dab, rings.astype(bool)


def _attribution(values: np.ndarray, layout: InputLayout | None = None) -> Attribution:
    fields = MappingProxyType({stain: FieldOfView.whole((SIDE, SIDE)) for stain in Stain})
    return Attribution(values.astype(np.float32), "3+", "layer4", "Grad-CAM", layout or InputLayout(), fields)


def _pixels() -> FieldPixels:
    dab, _ = _rings()
    return FieldPixels.whole(np.full((SIDE, SIDE, 3), 240, np.uint8), _ihc(dab))


EMPTY = np.full((224, 224, 3), 245, np.uint8)


def test_thin_stained_lines_are_membrane_and_a_blot_is_not() -> None:
    dab, rings = _rings()
    found = stained_membrane(_ihc(dab), 0.5)
    assert found[rings].mean() > 0.99
    assert found[~rings].mean() < 0.005
    assert not found[350:410, 330:390].any()


def test_nuclei_without_dab_are_not_membrane() -> None:
    _, rings = _rings()
    assert stained_membrane(_ihc(np.zeros((SIDE, SIDE)), rings * 0.4), 0.5).mean() < 0.002


def test_the_threshold_is_an_amount_of_dab() -> None:
    for amount in (STAINED - 0.03, STAINED + 0.03):
        dab, rings = _rings(amount)
        assert stained_membrane(_ihc(dab), 0.5)[rings].mean() == pytest.approx(float(amount > STAINED), abs=0.1)


def test_pixels_that_show_no_membrane_count_all_dab() -> None:
    dab, _ = _rings()
    found = stained_membrane(_ihc(dab), COARSEST_MPP * 1.1)
    assert found[350:410, 330:390].all()


def test_shares_equal_a_slow_loop() -> None:
    values = np.random.default_rng(0).standard_normal((7, 7))
    attribution = _attribution(values)
    found = membrane_share(attribution, EMPTY, pixels=_pixels(), mpp=0.5)
    assert found is not None and found.fine
    mask = stained_membrane(_pixels().pixels[Stain.IHC], 0.5)
    drawn = attribution.render(Stain.IHC, attribution.fields[Stain.IHC], (SIDE, SIDE))
    on = all_of_it = 0.0
    for row in range(SIDE):
        for column in range(SIDE):
            positive = max(float(drawn[row, column]), 0.0)
            on += positive * mask[row, column]
            all_of_it += positive
    assert found.of_map == pytest.approx(on / all_of_it, abs=2e-3)
    assert found.area == pytest.approx(mask.mean(), abs=1e-6)


def test_a_map_on_the_cells_has_more_than_chance_and_a_flat_one_the_area() -> None:
    on_cells = np.full((14, 14), -1.0)
    on_cells[0:7, 0:3] = 1
    found = membrane_share(_attribution(on_cells), EMPTY, pixels=_pixels(), mpp=0.5)
    assert found is not None
    assert found.of_map > 2 * found.area and found.rank == 1
    assert found.of_map > found.random_mean + 2 * found.random_spread
    flat = membrane_share(_attribution(np.ones((14, 14))), EMPTY, pixels=_pixels(), mpp=0.5)
    assert flat is not None and flat.of_map == pytest.approx(flat.area, rel=1e-4) and flat.rank == 0


def test_a_map_without_positive_evidence_has_none_there() -> None:
    found = membrane_share(_attribution(np.full((7, 7), -1.0)), EMPTY, pixels=_pixels(), mpp=0.5)
    assert found is not None and found.of_map == 0 and set(found.random) == {0.0}


def test_fine_and_coarse_pixels_of_one_field_agree() -> None:
    attribution = _attribution(np.random.default_rng(1).standard_normal((7, 7)))
    pixels = _pixels()
    large = cv2.resize(pixels.pixels[Stain.IHC], (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_CUBIC)
    twice = FieldPixels({Stain.IHC: large}, pixels.fields)
    one, two = (membrane_share(attribution, EMPTY, pixels=p, mpp=mpp) for p, mpp in ((pixels, 0.5), (twice, 0.25)))
    assert one is not None and two is not None and two.mpp == 0.5
    assert two.of_map == pytest.approx(one.of_map, rel=0.03)


def test_without_pixels_the_networks_input_has_to_do() -> None:
    picture = EMPTY.copy()
    picture[20:60, 20:40] = _ihc(np.full((40, 20), 0.4))
    found = membrane_share(_attribution(np.ones((7, 7))), picture)
    assert found is not None and not found.fine
    assert found.area == pytest.approx(800 / (112 * 224), rel=0.05)


def test_no_ihc_or_no_stain_is_no_share() -> None:
    he_alone = InputLayout(order=(Stain.HE,))
    assert membrane_share(_attribution(np.ones((7, 7)), he_alone), EMPTY) is None
    assert membrane_share(_attribution(np.ones((7, 7))), EMPTY) is None

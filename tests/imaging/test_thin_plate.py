import numpy as np
import pytest

from her2viewer.imaging.thin_plate import ThinPlate

rng = np.random.default_rng(3)
POINTS = rng.uniform(0, 1000, (30, 2))
TARGETS = POINTS + rng.normal(0, 8, (30, 2))


def test_it_passes_through_every_target() -> None:
    assert np.abs(ThinPlate.through(POINTS, TARGETS)(POINTS) - TARGETS).max() < 1e-6


def test_what_is_affine_stays_affine() -> None:
    linear = np.array([[1.02, 0.05], [-0.03, 0.97]])
    plate = ThinPlate.through(POINTS, POINTS @ linear.T + (5, -7))
    elsewhere = rng.uniform(-500, 1500, (50, 2))
    assert np.abs(plate(elsewhere) - (elsewhere @ linear.T + (5, -7))).max() < 1e-6
    assert np.abs(plate.jacobian(elsewhere) - linear).max() < 1e-9


def test_the_jacobian_is_the_slope() -> None:
    plate, places, step = ThinPlate.through(POINTS, TARGETS), rng.uniform(0, 1000, (20, 2)), 1e-3
    slope = plate.jacobian(places)
    for axis in range(2):
        aside = np.eye(2)[axis] * step
        measured = (plate(places + aside) - plate(places - aside)) / (2 * step)
        assert np.abs(slope[:, :, axis] - measured).max() < 1e-5


def test_the_way_back_leads_back() -> None:
    plate, places = ThinPlate.through(POINTS, TARGETS, 1e-3), rng.uniform(0, 1000, (40, 2))
    assert np.abs(plate.inverse(plate(places)) - places).max() < 1e-3
    assert plate.inverse(np.empty((0, 2))).shape == (0, 2)


def test_a_stiff_plate_misses_targets_and_bends_less() -> None:
    exact, stiff = ThinPlate.through(POINTS, TARGETS), ThinPlate.through(POINTS, TARGETS, 10.0)
    assert np.abs(stiff(POINTS) - TARGETS).mean() > 1
    spread = [np.ptp(plate.jacobian(POINTS)[:, 0, 0]) for plate in (stiff, exact)]
    assert spread[0] < spread[1] / 10


@pytest.mark.parametrize("points", [POINTS[:2], np.repeat(POINTS[:3], 2, axis=0), np.outer([1, 2, 3, 4], [1.0, 2.0])])
def test_points_that_fix_no_plane_are_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="points"):
        ThinPlate.through(points, points + 1)

"""Reading along rays, and the cheapest closed path."""

import numpy as np
import pytest

from her2viewer.scoring.membrane.polar import RAYS, along_rays, areas, closed_paths, points

RADII = np.arange(2, 20, 1, np.float32)


def test_rays_read_the_plane_at_their_points() -> None:
    x = np.tile(np.arange(60, dtype=np.float32) + 0.5, (60, 1))
    centre = np.array([[30.0, 28.5]], np.float32)
    read = along_rays(x, centre, RADII)
    assert read.shape == (1, RAYS, len(RADII))
    # OpenCV reads between pixels to 1/32 of one.
    assert read[0, 0] == pytest.approx(30 + RADII, abs=0.04)
    assert read[0, RAYS // 2] == pytest.approx(30 - RADII, abs=0.04)


def test_a_path_follows_a_ring_that_is_off_centre_and_closes() -> None:
    y, x = np.mgrid[0:80, 0:80] + 0.5
    ring = np.exp(-(((np.hypot(x - 42, y - 40) - 11) / 1.5) ** 2)).astype(np.float32)
    centre = np.array([[40.0, 40.0]], np.float32)
    path = closed_paths(-along_rays(ring, centre, RADII))
    line = points(centre, RADII[path])
    assert np.hypot(line[0, :, 0] - 42, line[0, :, 1] - 40) == pytest.approx(11, abs=0.8)
    assert np.abs(np.diff(np.append(path[0], path[0, 0]))).max() <= 1
    assert areas(line)[0] == pytest.approx(np.pi * 11**2, rel=0.06)


def test_each_centre_has_its_own_path_and_none_has_none() -> None:
    cost = np.ones((2, RAYS, 5), np.float32)
    cost[0, :, 1], cost[1, :, 4] = 0, 0
    assert closed_paths(cost).tolist() == [[1] * RAYS, [4] * RAYS]
    assert closed_paths(np.zeros((0, RAYS, 5), np.float32)).shape == (0, RAYS)

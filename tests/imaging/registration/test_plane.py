import cv2
import numpy as np
import pytest

from her2viewer.imaging.registration.plane import (
    HAEMATOXYLIN_DAB,
    HAEMATOXYLIN_EOSIN,
    OVERVIEW_SIDE,
    densities,
    plane_of,
)
from tests.benchmarks.registration import flat


def texture(seed: int, side: int = 200) -> np.ndarray:
    """(2, side, side) float32 blobs of unit spread."""
    noise = np.random.default_rng(seed).normal(size=(2, side, side)).astype(np.float32)
    smooth = np.stack([cv2.GaussianBlur(channel, (0, 0), 3) for channel in noise])
    return smooth / smooth.std()


def dyed(amounts: dict[str, np.ndarray], white: float = 240) -> np.ndarray:
    dyes = {"haematoxylin": HAEMATOXYLIN_DAB[0], "dab": HAEMATOXYLIN_DAB[1], "eosin": HAEMATOXYLIN_EOSIN[1]}
    density = sum(
        amount[..., None] * np.array(dyes[name]) / np.linalg.norm(dyes[name]) for name, amount in amounts.items()
    )
    return np.round(white * 10.0 ** -np.asarray(density)).astype(np.uint8)


@pytest.mark.parametrize(("other", "dyes"), [("dab", HAEMATOXYLIN_DAB), ("eosin", HAEMATOXYLIN_EOSIN)])
def test_haematoxylin_is_told_from_the_dye_beside_it(other: str, dyes: tuple) -> None:
    rows, columns = np.indices((96, 96))
    haematoxylin = np.where((columns > 30) & (columns < 60), 0.5, 0.0)
    beside = np.where((rows > 40) & (rows < 70), 0.4, 0.0)
    found = densities(dyed({"haematoxylin": haematoxylin, other: beside}), dyes, (240.0, 240.0, 240.0))
    assert np.abs(found.haematoxylin - haematoxylin).max() < 0.03
    assert (found.total[(haematoxylin > 0) | (beside > 0)] > 0.1).all()
    assert found.haematoxylin.dtype == np.float32


def test_an_overview_is_bounded_and_knows_its_way_back() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (900, 3000, 3), dtype=np.uint8)
    plane = plane_of(flat(picture), HAEMATOXYLIN_DAB)
    assert plane.side == OVERVIEW_SIDE
    assert plane.corners.tolist() == [[0, 0], [3000, 0], [3000, 900], [0, 900]]
    assert plane.to_level(128)(3000, 900) == pytest.approx((128, 38), abs=1e-6)
    assert plane.features(128).shape == (2, 38, 128)


def test_what_no_camera_saw_is_left_out() -> None:
    picture = np.random.default_rng(0).integers(180, 220, (400, 400, 3), dtype=np.uint8)
    picture[:, 300:] = 255
    plane = plane_of(flat(picture), HAEMATOXYLIN_DAB)
    assert plane.scanned[:, :299].all() and not plane.scanned[:, 302:].any()
    assert not plane.features(128)[:, :, 98:].any()
    assert plane.without_blank().scanned.all()

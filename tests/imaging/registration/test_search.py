import cv2
import numpy as np
import pytest

from her2viewer.errors import Cancelled
from her2viewer.imaging.affine import Affine
from her2viewer.imaging.registration.plane import HAEMATOXYLIN_DAB, Densities, Plane
from her2viewer.imaging.registration.search import candidates
from tests.imaging.registration.test_plane import texture

SIDE = 256
CORNERS = [(0, 0), (SIDE, 0), (SIDE, SIDE), (0, SIDE)]


def plane(density: np.ndarray, scanned: np.ndarray | None = None) -> Plane:
    part = np.maximum(density, 0).astype(np.float32)
    seen = np.ones(part.shape, np.uint8) if scanned is None else scanned
    return Plane(Densities(part, part), seen, Affine(), HAEMATOXYLIN_DAB, (240.0, 240.0, 240.0))


TISSUE = cv2.GaussianBlur(texture(4, SIDE)[0], (0, 0), 4) * 4 + 0.5


@pytest.mark.parametrize(("degrees", "mirrored", "scale"), [(0, False, 1.0), (75, True, 1.2), (-160, False, 0.85)])
def test_the_first_few_lie_near_the_truth(degrees: float, mirrored: bool, scale: float) -> None:
    truth = Affine.similarity(scale, degrees, (12, -20), mirrored, (SIDE / 2, SIDE / 2))
    back = truth.inverse()
    he = cv2.warpAffine(TISSUE, back.indices, (SIDE, SIDE))
    seen = cv2.warpAffine(np.ones((SIDE, SIDE), np.uint8), back.indices, (SIDE, SIDE))
    found = list(candidates(plane(he, seen), plane(TISSUE), (1.0,), 3, lambda: None))
    off = [np.abs(each.points(CORNERS) - truth.points(CORNERS)).max() for each in found[:8]]
    assert min(off) < 0.12 * SIDE


def test_it_stops_where_it_is_told_to() -> None:
    def check() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        list(candidates(plane(TISSUE), plane(TISSUE), (1.0,), 0, check))

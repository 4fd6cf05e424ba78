from pathlib import Path

import cv2
import numpy as np
import pytest

from her2viewer.imaging.affine import Affine
from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.resample import covered, read_through

WHOLE = Affine()


def source(image: np.ndarray) -> FlatImage:
    return FlatImage(Path("field.png"), image.copy(), kind="PNG", sha256="")


def noise(width: int = 900, height: int = 700) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def spot(x: float, y: float, size: tuple[int, int] = (1200, 900), sigma: float = 6.0) -> np.ndarray:
    """White with a dark Gaussian spot at (x, y)."""
    rows, columns = np.indices(size[::-1]) + 0.5
    dark = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(np.round(255 * (1 - 0.9 * dark))[..., None], 3, axis=2).astype(np.uint8)


def centre(image: np.ndarray) -> tuple[float, float]:
    dark = 255.0 - image[..., 0]
    rows, columns = np.indices(dark.shape) + 0.5
    return float((dark * columns).sum() / dark.sum()), float((dark * rows).sum() / dark.sum())


def test_pixel_for_pixel_is_the_source_itself() -> None:
    image = noise()
    assert np.array_equal(read_through(source(image), WHOLE, (0, 0, 900, 700), (900, 700)), image)
    part = read_through(source(image), WHOLE, (-10, 600, 50, 200), (50, 200))
    assert np.array_equal(part[:100, 10:], image[600:, :40])
    assert (part[100:] == 255).all() and (part[:, :10] == 255).all()


@pytest.mark.parametrize("scale", [0.25, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("degrees", [0, 20, -115])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_spot_comes_to_lie_where_the_frame_says(scale: float, degrees: float, mirrored: bool) -> None:
    frame = Affine.similarity(1.2, degrees, (30, -50), mirrored, (600, 450))
    place = frame(640.3, 410.8)
    rectangle = (place[0] - 210, place[1] - 160, 400.0, 300.0)
    size = round(400 * scale), round(300 * scale)
    found = centre(read_through(source(spot(640.3, 410.8)), frame, rectangle, size))
    assert found == pytest.approx((210 * size[0] / 400, 160 * size[1] / 300), abs=0.15)


def test_shrinking_averages_and_never_aliases() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 200
    for degrees in (0, 30):
        frame = Affine.similarity(degrees=degrees, about=(256, 256))
        shrunk = read_through(source(stripes), frame, (156, 156, 200, 200), (57, 57))
        # Three and a half pixels hold one and a half to two stripes.
        assert np.abs(shrunk.astype(int) - 100).max() <= 15


def test_outside_the_image_is_white_and_nothing_is_read() -> None:
    image = source(noise(64, 64))
    assert (read_through(image, Affine.similarity(degrees=10), (1e7, 1e7, 500, 500), (50, 50)) == 255).all()
    turned = read_through(image, Affine.similarity(degrees=45, about=(32, 32)), (0, 0, 64, 64), (64, 64))
    assert (turned[:5, :5] == 255).all() and (turned[28:36, 28:36] < 255).any()


def test_what_is_covered_is_an_exact_share() -> None:
    image = source(noise(100, 100))
    assert covered(image, WHOLE, (0, 0, 100, 100)) == 1
    assert covered(image, WHOLE, (-50, 25, 100, 50)) == pytest.approx(0.5)
    assert covered(image, WHOLE, (200, 0, 10, 10)) == 0
    assert covered(image, WHOLE, (20, 20, 10, 10)) == 1
    diamond = Affine.similarity(degrees=45, about=(50, 50))
    assert covered(image, diamond, (0, 0, 100, 100)) == pytest.approx(2 * (np.sqrt(2) - 1), abs=1e-4)
    far = Affine(tx=80_000, ty=60_000)
    assert covered(image, far, (80_050, 60_000, 100, 100)) == pytest.approx(0.5)


def test_the_level_read_is_the_coarsest_that_is_fine_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    image, levels = source(np.full((4096, 4096, 3), 90, np.uint8)), []
    read = FlatImage.read

    def spy(self: FlatImage, level: int, *rest: int) -> np.ndarray:
        levels.append(level)
        return read(self, level, *rest)

    monkeypatch.setattr(FlatImage, "read", spy)
    for size in (4096, 2048, 1500, 512):
        read_through(image, WHOLE, (0, 0, 4096, 4096), (size, size))
    assert levels == [0, 1, 1, 3]
    assert cv2.mean(read_through(image, WHOLE, (0, 0, 4096, 4096), (512, 512)))[0] == 90

from pathlib import Path

import numpy as np
import pytest

from her2viewer.imaging.flat import FlatImage
from her2viewer.imaging.thumbnail import thumbnail
from tests.imaging.pictures import tissue


def source(height: int, width: int) -> FlatImage:
    return FlatImage(Path("x.png"), tissue(height, width), kind="PNG", sha256="0" * 64)


@pytest.mark.parametrize(
    ("size", "max_px", "expected"),
    [((1000, 2000), 100, (50, 100)), ((2000, 1000), 600, (600, 300)), ((3, 3000), 30, (1, 30)), ((5, 7), 100, (5, 7))],
)
def test_the_longer_side_fits_and_nothing_is_enlarged(
    size: tuple[int, int], max_px: int, expected: tuple[int, int]
) -> None:
    assert thumbnail(source(*size), max_px).shape == (*expected, 3)


def test_it_looks_like_the_picture() -> None:
    image = np.full((1024, 1024, 3), 240, np.uint8)
    image[:, 512:] = (120, 60, 90)
    small = thumbnail(FlatImage(Path("x.png"), image, kind="PNG", sha256="0" * 64), 64)
    assert (small[:, :32] == 240).all() and (small[:, 32:] == (120, 60, 90)).all()


def test_it_must_have_a_size() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        thumbnail(source(5, 5), 0)

"""A good pair, the one that ships: a phantom of 1024 px, which passes every check."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from her2viewer.resources import resource
from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.sample import Sample
from her2viewer.scoring.stains import Stain

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def pair() -> tuple[Picture, Picture]:
    """H&E and IHC, (1024, 1024, 3) uint8 RGB."""
    he, ihc = (
        np.asarray(cv2.imread(str(resource("demo") / f"demo_{name}.png"), cv2.IMREAD_COLOR_RGB), np.uint8)
        for name in ("HE", "IHC")
    )
    return he, ihc


@pytest.fixture(scope="session")
def good(pair: tuple[Picture, Picture]) -> FieldPixels:
    return FieldPixels.whole(*pair)


@pytest.fixture
def samples(pair: tuple[Picture, Picture]) -> dict[Stain, Sample]:
    return {Stain.HE: Sample(pair[0]), Stain.IHC: Sample(pair[1])}

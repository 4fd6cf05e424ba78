"""A few phantoms, made once. 512 px keep them quick; every part but the canvas is as at full size."""

import pytest

from training.phantom.pair import Phantom, make_phantom

SEED = 77


@pytest.fixture(scope="package")
def phantoms() -> dict[int, Phantom]:
    return {index: make_phantom(SEED, index, side=512) for index in range(12)}

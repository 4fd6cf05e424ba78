"""A phantom of each class, drawn once at 512 px, and a scorer with random weights."""

import pytest

from her2viewer.scoring.package import ModelPackage
from her2viewer.scoring.scorer import Scorer
from tests.scoring.conftest import package  # noqa: F401  (a fixture)
from training.phantom.pair import Phantom, make_phantom

SEED = 505


@pytest.fixture(scope="package")
def phantoms() -> dict[str, Phantom]:
    found = [make_phantom(SEED, index, side=512) for index in range(4)]
    return {phantom.label: phantom for phantom in found}


@pytest.fixture(scope="session")
def scorer(package: ModelPackage) -> Scorer:  # noqa: F811
    return Scorer.open(package, "cpu")

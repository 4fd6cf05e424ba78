"""Small pairs on disk, a scorer without a network, and a real one with random weights."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pytest

from her2viewer.cases.pairing import Pair
from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence, FieldPixels
from her2viewer.scoring.guard.refusal import refuse_unscorable
from her2viewer.scoring.methods import MapRequest
from her2viewer.scoring.package import ModelPackage, write_package
from her2viewer.scoring.prediction import ModelIdentity, Prediction
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.scorer import Scorer
from tests.scoring.conftest import manifest, random_network, tissue

CLASSES = ("0", "1+", "2+", "3+")
MODEL = ModelIdentity("fake", "1", "a" * 64)

MakePairs = Callable[..., list[Pair]]


def write_pair(folder: Path, seed: int, size: tuple[int, int] = (64, 48)) -> Pair:
    """A pair of small pictures in BCI's layout and names."""
    name = f"{seed:05d}_train_{seed % 4}{'+' if seed % 4 else ''}"
    for stain in ("HE", "IHC"):
        path = folder / stain / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = tissue(2 * seed + (stain == "IHC"), size, stain.lower())
        path.write_bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())
    return Pair(name, folder / "HE" / f"{name}.png", folder / "IHC" / f"{name}.png", name.split("_")[2], "train")


@pytest.fixture
def make_pairs(tmp_path: Path) -> MakePairs:
    """Makes so many pairs under `tmp_path / "pairs"`."""

    def make(count: int, size: tuple[int, int] = (64, 48)) -> list[Pair]:
        return [write_pair(tmp_path / "pairs", seed, size) for seed in range(count)]

    return make


class FakeScorer:
    """Scores by the mean of the IHC's pixels. Keeps count of what it was asked."""

    device_title = "Fake"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.notices: tuple[str, ...] = ()
        self._layout = InputLayout()

    def score(self, field: FieldPixels) -> Evidence:
        return self.score_batch([field])[0]

    def score_batch(self, fields: Sequence[FieldPixels]) -> list[Evidence]:
        self.batches.append(len(fields))
        for field in fields:
            refuse_unscorable(field)
        return [self._evidence(field) for field in fields]

    def attribution(self, evidence: Evidence, request: MapRequest, **watch: object) -> Attribution:
        made = evidence.attribution(evidence.prediction.classes[0])
        return replace(made, target=request.target, stage=request.stage, method=request.method, against=request.against)

    def fixed_peak(self, request: MapRequest) -> float | None:
        return None

    def _evidence(self, field: FieldPixels) -> Evidence:
        pixels = compose(field.pixels, self._layout)
        probabilities = np.full(4, 0.1)
        probabilities[int(pixels.astype(int).sum()) % 4] = 0.7
        row = tuple(float(p) for p in probabilities)
        prediction = Prediction(
            CLASSES[int(np.argmax(row))], CLASSES, row, (), None, (), MODEL, "Fake", "fp32", 0.001,
            MappingProxyType(dict(field.fields)),
        )  # fmt: skip
        return Evidence(prediction, pixels, np.zeros((4, 7, 7), np.float32), self._layout)


@pytest.fixture
def fake() -> FakeScorer:
    return FakeScorer()


@pytest.fixture(scope="session")
def random_package(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    state = random_network().state_dict().items()
    arrays = {name: tensor.numpy() for name, tensor in state if tensor.is_floating_point()}
    return write_package(tmp_path_factory.mktemp("models") / "random", manifest(), arrays, "# Random weights\n")


@pytest.fixture(scope="session")
def random_scorer(random_package: ModelPackage) -> Scorer:
    return Scorer.open(random_package, "cpu")

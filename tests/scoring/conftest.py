"""A small model package with random weights: real in every part but its knowledge."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.network import Network, ResNet18
from her2viewer.scoring.package import (
    Calibration,
    Conformal,
    ModelManifest,
    ModelPackage,
    Training,
    Weights,
    write_package,
)
from her2viewer.scoring.preprocess import InputLayout


def random_network(seed: int = 0) -> ResNet18:
    """A ResNet18 of random weights."""
    return lived_in(ResNet18(), seed)


_Net = TypeVar("_Net", bound=Network)


def lived_in(network: _Net, seed: int) -> _Net:
    """Random weights with lived-in batch norms, so that folding them is not the identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
            module.weight.data = torch.rand(module.num_features, generator=generator) + 0.5
            module.bias.data = torch.randn(module.num_features, generator=generator) * 0.1
        elif isinstance(module, torch.nn.Conv2d):
            fan_in = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * (1.4 / fan_in**0.5)
        elif isinstance(module, torch.nn.Linear):
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * 0.05
            module.bias.data = torch.randn(module.bias.shape, generator=generator) * 0.1
    return network.eval()


def manifest(**changes: object) -> ModelManifest:
    values: dict[str, object] = {
        "name": "random-for-tests",
        "version": "0",
        "description": "Random weights.",
        "created": "2026-01-01",
        "input": InputLayout(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
        "weights": Weights(sha256="0" * 64, dtype="float32"),
        "calibration": Calibration(temperature=1.5, conformal=Conformal(level=0.9, quantile=0.6, fields=100)),
        "fixed_peaks": {"layer4": 0.5},
        "training": Training(data="none", split="none", start="random"),
    }
    return ModelManifest(**(values | changes))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> ModelPackage:
    arrays = {
        name: tensor.numpy() for name, tensor in random_network().state_dict().items() if tensor.is_floating_point()
    }
    return write_package(tmp_path_factory.mktemp("models") / "random", manifest(), arrays, "# Random weights\n")


@pytest.fixture
def package_folder(package: ModelPackage, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    folder = tmp_path / "package"
    folder.mkdir()
    for file in package.folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def tissue(seed: int, size: tuple[int, int] = (256, 256), stain: str = "he") -> np.ndarray:
    """(h, w, 3) uint8: blobs of the stain's colour on near white."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.random((8, 8)).astype(np.float32)
    import cv2

    amount = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    density = {"he": (0.3, 0.6, 0.3), "ihc": (0.25, 0.35, 0.5)}[stain]
    image = 240 * 10 ** (-np.clip(amount, 0, 1) * np.array(density))
    return np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def field() -> FieldPixels:
    return FieldPixels.whole(tissue(1), tissue(2, stain="ihc"))

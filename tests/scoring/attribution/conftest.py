"""One network twice: torchvision's own for the oracles, and ours, folded. Small inputs, since a network takes any size."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torchvision

from her2viewer.scoring.network import Network, ResNet18, fold, network_of
from tests.scoring.conftest import lived_in, random_network


class Networks(NamedTuple):
    theirs: torch.nn.Module
    ours: ResNet18


def _twice(head: float) -> Networks:
    ours = random_network(5)
    ours.fc.weight.data *= head
    theirs = torchvision.models.resnet18(weights=None, num_classes=4)
    theirs.load_state_dict(ours.state_dict())
    return Networks(theirs.eval(), fold(ours))


@pytest.fixture(scope="session")
def networks() -> Networks:
    return _twice(1)


@pytest.fixture(scope="session")
def loud_networks() -> Networks:
    """With a larger head, so that squared gradients are not lost beside the 1e-6 that an oracle adds to them."""
    return _twice(100)


@pytest.fixture(scope="session")
def x() -> torch.Tensor:
    return torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(11))


@pytest.fixture
def two_encoders() -> Network:
    return fold(lived_in(network_of("resnet18-two-encoders", 4), 6))


@pytest.fixture(scope="session")
def six_channels() -> Network:
    return fold(lived_in(network_of("resnet18-six-channels", 4), 7))


def grid_of(stage: str, x: torch.Tensor) -> tuple[int, int]:
    step = {"layer1": 4, "layer2": 8, "layer3": 16, "layer4": 32}[stage]
    return x.shape[2] // step, x.shape[3] // step


def raw(oracle: type) -> Any:
    """pytorch-grad-cam's class, keeping the map as it is before its ReLU, min-max and resize."""

    class Raw(oracle):  # type: ignore[misc]
        def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
            self.raw = super().get_cam_image(*args, **kwargs)
            return self.raw

    return Raw

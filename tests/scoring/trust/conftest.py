"""Toy networks whose maps are known, over pictures of dark spots on white."""

from types import MappingProxyType

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from her2viewer.scoring.attribution.attribution import Attribution
from her2viewer.scoring.evidence import Evidence
from her2viewer.scoring.network import Network
from her2viewer.scoring.prediction import FieldOfView, ModelIdentity, Prediction
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from her2viewer.scoring.trust.explained import Explained

LAYOUT = InputLayout(width=96, height=48)
"""IHC left, H&E right, each 48 x 48."""
GRID = (6, 12)
FIELDS = MappingProxyType({stain: FieldOfView.whole((48, 48)) for stain in Stain})


class Weighing(Network):
    """Two classes: the second's logit is `gain` * (mean of each pixel's darkness times its `weights` - `offset`).

    What each part of a grid adds is known exactly: its map.
    """

    def __init__(self, weights: NDArray[np.floating], gain: float = 200.0, offset: float = 0.017) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.from_numpy(weights.astype(np.float32)), requires_grad=False)
        self.gain, self.offset = gain, offset

    def added(self, x: Tensor) -> Tensor:
        return self.weights * (1 - x.mean(dim=1))

    def forward(self, x: Tensor) -> Tensor:
        logit = self.gain * (self.added(x).mean(dim=(1, 2)) - self.offset)
        return torch.stack([torch.zeros_like(logit), logit], dim=1)


def true_map(network: Network, x: Tensor) -> NDArray[np.float32]:
    assert isinstance(network, Weighing)
    with torch.no_grad():
        return torch.nn.functional.adaptive_avg_pool2d(network.added(x)[:, None], GRID)[0, 0].numpy()


def spots(seed: int) -> NDArray[np.uint8]:
    """(48, 96, 3) uint8: smooth dark spots on white."""
    noise = np.random.default_rng(seed).standard_normal((48, 96)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    dark = np.clip(smooth / smooth.std(), 0, 1.5) * 120
    return np.repeat((250 - dark)[..., None], 3, axis=2).astype(np.uint8)


def evidence_of(
    picture: NDArray[np.uint8], layout: InputLayout = LAYOUT, stains: tuple[Stain, ...] = tuple(Stain)
) -> Evidence:
    fields = {stain: FIELDS[stain] for stain in stains}
    identity = ModelIdentity("toy", "0", "0" * 64)
    prediction = Prediction(
        "1+", ("0", "1+"), (0.2, 0.8), (), None, (), identity, "CPU", "fp32", 0.0, MappingProxyType(fields)
    )
    return Evidence(prediction, picture, np.zeros((2, *GRID), np.float32), layout)


def attribution_of(values: NDArray[np.floating], layout: InputLayout = LAYOUT) -> Attribution:
    return Attribution(values.astype(np.float32), "1+", "layer4", "Grad-CAM", layout, FIELDS)


def explained_by(network: Network, layout: InputLayout = LAYOUT) -> Explained:
    return Explained(network, layout, true_map, target=1)


@pytest.fixture
def weights() -> NDArray[np.float32]:
    """(48, 96) float32: one blob in each stain that counts, off the middle."""
    y, x = np.indices((48, 96)).astype(np.float32)
    return np.exp(-((x - 12) ** 2 + (y - 34) ** 2) / 98) + np.exp(-((x - 82) ** 2 + (y - 12) ** 2) / 98)

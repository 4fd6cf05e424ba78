"""The oracle is torchcam's LayerCAM with its own way to fuse stages."""

import numpy as np
import pytest
import torch
from torchcam.methods import LayerCAM

from her2viewer.scoring.architecture import STAGES
from her2viewer.scoring.attribution.class_activation import RULES
from her2viewer.scoring.attribution.fused import GAMMA, fused_map
from her2viewer.scoring.attribution.stage_map import stage_map
from her2viewer.scoring.network import Network, ResNet18
from tests.scoring.attribution.conftest import Networks, grid_of


def test_equals_torchcams_fusion(networks: Networks, x: torch.Tensor) -> None:
    theirs, ours = networks
    with LayerCAM(theirs, [f"{stage}" for stage in STAGES]) as oracle:
        maps = oracle(3, theirs(x), normalized=False)
    # torchcam takes the least as well as the greatest to bring a map to 0..1; the paper, and we, only the greatest.
    expected = LayerCAM.fuse_cams([one.detach() / one.max() for one in maps])[0].numpy()
    measured = fused_map(ours, x, 3)
    assert measured.shape == expected.shape == grid_of("layer1", x)
    assert np.abs(measured - expected).max() <= 1e-4


@pytest.mark.parametrize("method", RULES)
def test_the_peak_of_each_stage_is_at_the_top_of_the_scale(networks: Networks, x: torch.Tensor, method: str) -> None:
    fused = fused_map(networks.ours, x, 1, method)
    assert fused.max() == pytest.approx(np.tanh(GAMMA), abs=1e-6)
    finest = stage_map(networks.ours, x, "layer1", 1, method)
    assert fused.ravel()[finest.argmax()] == fused.max()
    assert (fused >= np.tanh(GAMMA * np.maximum(finest, 0) / finest.max()) - 1e-6).all()


def test_a_stage_without_positive_evidence_adds_nothing(x: torch.Tensor) -> None:
    class Denying(ResNet18):
        def classify(self, features: torch.Tensor) -> torch.Tensor:
            return -features.mean(dim=(1, 2, 3))[:, None]

    denying = Denying().eval()
    assert not stage_map(denying, x, "layer4", 0, "LayerCAM").any(), "every feature of the last stage speaks against it"
    fused, finest = fused_map(denying, x, 0), stage_map(denying, x, "layer1", 0, "LayerCAM")
    assert np.isfinite(fused).all()
    assert fused.any() == finest.any()


def test_with_an_encoder_for_each_stain_nothing_crosses_the_seam(two_encoders: Network) -> None:
    x = torch.randn(1, 3, 64, 128, generator=torch.Generator().manual_seed(2))
    two_encoders.fc.weight.data[1, 512:] = -two_encoders.fc.weight.data[1, 512:].abs()
    fused = fused_map(two_encoders, x, 1)
    coarse = stage_map(two_encoders, x, "layer4", 1, "LayerCAM")
    assert coarse[:, :2].max() > 0
    assert not coarse[:, 2:].any(), "the second encoder only speaks against the class"
    assert fused.shape == (16, 32)
    assert fused[:, 15].max() > 0

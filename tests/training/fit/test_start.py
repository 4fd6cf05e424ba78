from pathlib import Path

import numpy as np
import pytest
import torch

from her2viewer.errors import UserError
from her2viewer.scoring.network import ResNet18, TwoEncoders, fold
from her2viewer.scoring.package import write_package
from tests.scoring.conftest import manifest, random_network
from training.fit.start import start_network


def test_partial_start_passes_the_folded_convolutions_through(tmp_path: Path) -> None:
    """A whole network's folded weights, put in, give that network back on the calibration fields."""
    folded = fold(random_network(3))
    arrays = {}
    for name, module in folded.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            arrays[f"{name}.weight"], arrays[f"{name}.bias"] = module.weight.numpy(), module.bias.numpy()
    np.savez(tmp_path / "whole.npz", **arrays)
    x = torch.randn(8, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    network = ResNet18(4)
    words = start_network(network, f"partial:{tmp_path / 'whole.npz'}", 0, x, print)
    assert words.startswith("20 of 20")
    assert all(module.training for module in network.modules())
    with torch.inference_mode():
        expected, measured = folded.features(x), network.eval().features(x)
        assert (expected - measured).abs().max() / expected.abs().max() < 1e-4
        assert (expected - network.train().features(x)).abs().max() / expected.abs().max() < 1e-3


def test_missing_convolutions_start_as_their_shortcut(tmp_path: Path) -> None:
    np.savez(tmp_path / "none.npz", **{"conv1.bias": np.zeros(64, np.float32)})
    network = ResNet18(4)
    words = start_network(network, f"partial:{tmp_path / 'none.npz'}", 0, torch.randn(2, 3, 64, 64), print)
    assert words.startswith("0 of 20")
    with torch.inference_mode():
        x = network.until(torch.randn(1, 3, 64, 64), "layer1")
        assert torch.equal(network.layer1(x), x)


def test_a_model_package_is_a_start_for_another_input_size(tmp_path: Path) -> None:
    arrays = {name: array.numpy() for name, array in random_network().state_dict().items() if array.is_floating_point()}
    package = write_package(tmp_path / "small", manifest(), arrays, "# Random weights\n")
    network = ResNet18(4)
    words = start_network(network, f"package:{tmp_path / 'small'}", 0, torch.randn(2, 3, 64, 128), print)
    assert words == f"the network of {package.manifest.identity}"
    weights = package.weights()
    state = network.state_dict()
    assert len(weights) == 102 and all(np.array_equal(state[name], array) for name, array in weights.items())
    with pytest.raises(UserError, match=r"small: its resnet18 does not fit .* same network"):
        start_network(TwoEncoders(4), f"package:{tmp_path / 'small'}", 0, torch.randn(2, 3, 64, 128), print)


def test_a_start_that_is_none_is_refused(tmp_path: Path) -> None:
    x = torch.randn(2, 3, 64, 64)
    with pytest.raises(UserError, match="'magic' is no start; use imagenet"):
        start_network(ResNet18(4), "magic", 0, x, print)
    (tmp_path / "bad.npz").write_text("no arrays")
    with pytest.raises(UserError, match=r"bad\.npz"):
        start_network(ResNet18(4), f"partial:{tmp_path / 'bad.npz'}", 0, x, print)


def test_without_a_network_imagenet_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import ResNet18_Weights

    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", offline)
    said: list[str] = []
    words = start_network(ResNet18(4), "imagenet", 0, torch.randn(2, 3, 64, 64), said.append)
    assert "cannot be downloaded (no route to host)" in said[0]
    assert words.startswith("random weights")

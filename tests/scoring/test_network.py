import numpy as np
import pytest
import torch
import torchvision

from her2viewer.scoring.architecture import STAGES, Architecture
from her2viewer.scoring.attribution.stage_map import stage_map
from her2viewer.scoring.network import Network, ResNet18, fold, network_of
from tests.scoring.conftest import random_network


@pytest.mark.parametrize("size", [(224, 224), (224, 448), (97, 130)])
@pytest.mark.parametrize("classes", [4, 1000])
def test_outputs_equal_torchvision_bit_for_bit(size: tuple[int, int], classes: int) -> None:
    torch.manual_seed(classes)
    theirs = torchvision.models.resnet18(weights=None, num_classes=classes).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    ours = ResNet18.from_state(theirs.state_dict())
    x = torch.randn(2, 3, *size)
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs(x))


def test_state_dict_is_torchvisions() -> None:
    theirs = torchvision.models.resnet18(weights=None, num_classes=4).state_dict()
    ours = ResNet18(4).state_dict()
    assert [(name, tuple(t.shape)) for name, t in ours.items()] == [
        (name, tuple(t.shape)) for name, t in theirs.items()
    ]


def test_training_gradients_equal_torchvisions() -> None:
    theirs = torchvision.models.resnet18(weights=None, num_classes=4).train()
    ours = ResNet18(4).train()
    ours.load_state_dict(theirs.state_dict())
    x, y = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 3])
    for model in (theirs, ours):
        torch.nn.functional.cross_entropy(model(x), y).backward()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)


def test_folding_moves_logits_by_rounding_alone() -> None:
    x = torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        before = random_network()(x)
        folded = fold(random_network())
        after = folded(x)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    assert (before - after).abs().max() / before.abs().max() < 1e-5


def test_folding_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="folded already"):
        fold(fold(random_network()))


def test_missing_tensor_is_refused() -> None:
    state = random_network().state_dict()
    del state["layer3.0.conv2.weight"]
    with pytest.raises(RuntimeError, match=r"layer3\.0\.conv2\.weight"):
        ResNet18.from_state(state)


@pytest.mark.parametrize("architecture", ["resnet18-two-encoders", "resnet18-six-channels"])
class TestNetworksForTwoStains:
    def network(self, architecture: str) -> Network:
        torch.manual_seed(1)
        network = network_of(architecture, 4)  # type: ignore[arg-type]
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
                module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
        return network.eval()

    def test_maps_lie_over_the_whole_picture_and_add_up_to_the_logits(self, architecture: str) -> None:
        network, x = self.network(architecture), torch.randn(2, 3, 64, 128)
        with torch.inference_mode():
            features = network.features(x)
            maps, logits = network.class_maps(features), network.classify(features)
        assert maps.shape == (2, 4, 2, 4)
        assert torch.allclose(maps.sum(dim=(2, 3)), logits - network.fc.bias, atol=1e-5)
        assert torch.equal(logits, network(x).detach())

    def test_folding_changes_nothing_but_rounding(self, architecture: str) -> None:
        network, x = self.network(architecture), torch.randn(2, 3, 64, 128)
        with torch.inference_mode():
            before = network(x)
            assert (fold(network)(x) - before).abs().max() < 1e-4 * before.abs().max()

    @pytest.mark.parametrize("stage", STAGES)
    def test_the_gradients_map_is_the_closed_form_at_the_last_stage(self, architecture: str, stage: str) -> None:
        network, x = fold(self.network(architecture)), torch.randn(1, 3, 64, 128)
        grid = {"layer1": 16, "layer2": 8, "layer3": 4, "layer4": 2}[stage]
        measured = stage_map(network, x, stage, 2)
        assert measured.shape == (grid, 2 * grid)
        if stage == "layer4":
            with torch.inference_mode():
                assert np.abs(measured - network.class_maps(network.features(x))[0, 2].numpy()).max() < 1e-5

    def test_one_stain_moves_its_own_half_alone_where_each_has_an_encoder(self, architecture: str) -> None:
        network, x = self.network(architecture), torch.randn(1, 3, 64, 128)
        other = x.clone()
        other[..., 64:] = torch.randn(1, 3, 64, 64)
        with torch.inference_mode():
            a, b = (network.class_maps(network.features(picture)) for picture in (x, other))
        alone = torch.equal(a[..., :2], b[..., :2])
        assert alone == (architecture == "resnet18-two-encoders")
        if architecture == "resnet18-six-channels":
            assert torch.equal(a[..., :2], a[..., 2:]), "one map, drawn over both"


@pytest.mark.parametrize("architecture", ["resnet18", "resnet18-two-encoders", "resnet18-six-channels"])
def test_each_stains_mean_is_of_its_own_part(architecture: Architecture) -> None:
    network = network_of(architecture, 4).eval()
    features = torch.arange(7.0).expand(1, 3, 2, 7)
    if architecture == "resnet18-six-channels":
        assert torch.equal(network.stain_means(features, 2), torch.full((1, 2, 3), 3.0))
        return
    # Of seven columns the middle one has seen both stains.
    assert torch.equal(network.stain_means(features, 2), torch.tensor([[[1.0] * 3, [5.0] * 3]]))
    assert torch.equal(network.stain_means(features, 1), torch.full((1, 1, 3), 3.0))
    assert torch.equal(network.stain_means(features[..., :2], 2), torch.tensor([[[0.0] * 3, [1.0] * 3]]))
    assert torch.equal(network.stain_means(features[..., :1], 2), torch.zeros(1, 2, 3))

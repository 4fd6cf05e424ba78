import pytest
import torch
import torchvision

from her2viewer.scoring.network import ResNet18, fold
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

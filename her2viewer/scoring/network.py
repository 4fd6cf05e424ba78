"""ResNet18 for torchvision's state dict, two networks for two stains made of it, and their inference form.

He et al. 2016, "Deep Residual Learning for Image Recognition", table 1 and fig. 5 (left). The forward pass runs the same
operations in the same order as torchvision's, so on one state dict the outputs are equal bit for bit (a test says so);
the app needs no torchvision for it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from her2viewer.scoring.architecture import STAGES, Architecture


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut. (n, c_in, h, w) -> (n, c_out, h / stride, w / stride), non-negative."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, padding=1, bias=False)
        self.bn2: nn.Module = nn.BatchNorm2d(c_out)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = torch.relu_(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += shortcut
        return torch.relu_(out)


class Trunk(nn.Module):
    """ResNet18 without its head: (n, channels, h, w) float -> (n, 512, ceil(h / 32), ceil(w / 32)). torchvision's names."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))

    def until(self, x: Tensor, stage: str) -> Tensor:
        """What a stage of `STAGES` gives for an input."""
        out: Tensor = self.maxpool(torch.relu_(self.bn1(self.conv1(x))))
        for name in STAGES[: STAGES.index(stage) + 1]:
            out = getattr(self, name)(out)
        return out

    def beyond(self, activation: Tensor, stage: str, until: str = STAGES[-1]) -> Tensor:
        """A later stage from what an earlier one gave. May change `activation` in place."""
        for name in STAGES[STAGES.index(stage) + 1 : STAGES.index(until) + 1]:
            activation = getattr(self, name)(activation)
        return activation


class Network(nn.Module):
    """What scoring and training need of a network. Input: the composed picture, (n, 3, h, w) float, normalised.

    Behind the last stage come only means over the grid and one linear layer `fc`, so that every class's map is a weighted sum
    of features.
    """

    fc: nn.Linear

    parts: int = 1
    """How many trunks there are, each with features of its own, side by side along the columns."""

    copies: int = 1
    """How often a part's map stands in the whole picture: a trunk that sees both halves at once is drawn in both."""

    def until(self, x: Tensor, stage: str) -> Tensor:
        """(n, c, rows, columns) of a stage of `STAGES`."""
        raise NotImplementedError

    def beyond(self, activation: Tensor, stage: str, until: str = STAGES[-1]) -> Tensor:
        """A later stage's (n, c, rows, columns) from an earlier one's. May change `activation` in place."""
        raise NotImplementedError

    def classify(self, features: Tensor) -> Tensor:
        """The last stage's (n, c, rows, columns) -> (n, classes) logits."""
        raise NotImplementedError

    def class_maps(self, features: Tensor) -> Tensor:
        """(n, classes, rows, columns) float32 over the whole picture: a class's cells add up to its logit less the bias."""
        raise NotImplementedError

    def across(self, parts: Sequence[Tensor]) -> Tensor:
        """What was made of each part, (..., rows, columns) each, laid out over the whole picture: (..., rows, all columns)."""
        return torch.cat([part for part in parts for _ in range(self.copies)], dim=-1)

    def features(self, x: Tensor) -> Tensor:
        """The last stage: (n, 3, h, w) -> (n, c, rows, columns)."""
        return self.until(x, STAGES[-1])

    def stain_means(self, features: Tensor, stains: int) -> Tensor:
        """(n, stains, c) float32: the last stage's mean over each stain's part, without columns that two stains share."""
        columns = features.shape[-1]
        parts = []
        for place in range(stains):
            start, stop = place * columns / stains, (place + 1) * columns / stains
            first, last = math.ceil(start), math.floor(stop)
            if last <= first:  # a grid of so few columns has none that is one stain's own
                first, last = math.floor(start), math.ceil(stop)
            parts.append(features[..., first:last].float().mean(dim=(2, 3)))
        return torch.stack(parts, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.features(x))


class ResNet18(Trunk, Network):
    """(n, 3, h, w) float -> (n, classes) logits. State dict names and shapes are torchvision's."""

    def __init__(self, classes: int = 4, channels: int = 3) -> None:
        super().__init__(channels)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, classes)

    def classify(self, features: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.avgpool(features), 1))  # type: ignore[no-any-return]

    def class_maps(self, features: Tensor) -> Tensor:
        return _linear_maps(features, self.fc.weight)

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self:
        """Built to fit a state dict of any class count, in eval mode. Raises RuntimeError where a tensor is missing or unfit."""
        head = state.get("fc.bias")
        model = cls(classes=4 if head is None else int(head.numel()))
        model.load_state_dict(dict(state), strict=True)
        return model.eval()


class SixChannels(ResNet18):
    """Both halves of the picture stacked: one ResNet18 of six channels, whose maps tell of both stains at once.

    A map is drawn in both halves, each with half its evidence: it is one map, not two.
    """

    copies = 2

    def __init__(self, classes: int = 4) -> None:
        super().__init__(classes, channels=6)

    def until(self, x: Tensor, stage: str) -> Tensor:
        return super().until(torch.cat(x.chunk(2, dim=3), dim=1), stage)

    def stain_means(self, features: Tensor, stains: int) -> Tensor:
        return super().stain_means(features, 1).repeat(1, stains, 1)

    def class_maps(self, features: Tensor) -> Tensor:
        return self.across([super().class_maps(features)]) / 2


class TwoEncoders(Network):
    """A trunk for each half of the picture; their means meet in one linear layer, so each stain has a map of its own.

    Features of both trunks lie side by side, (n, 512, rows, 2 * columns), as the stains do.
    """

    parts = 2

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.encoders = nn.ModuleList([Trunk(), Trunk()])
        self.fc = nn.Linear(1024, classes)

    def until(self, x: Tensor, stage: str) -> Tensor:
        return self._side_by_side("until", x, stage)

    def beyond(self, activation: Tensor, stage: str, until: str = STAGES[-1]) -> Tensor:
        return self._side_by_side("beyond", activation, stage, until)

    def classify(self, features: Tensor) -> Tensor:
        means = [half.mean(dim=(2, 3)) for half in features.chunk(2, dim=3)]
        return self.fc(torch.cat(means, dim=1))  # type: ignore[no-any-return]

    def class_maps(self, features: Tensor) -> Tensor:
        halves = zip(features.chunk(2, dim=3), self.fc.weight.chunk(2, dim=1), strict=True)
        return self.across([_linear_maps(half, weight) for half, weight in halves])

    def _side_by_side(self, step: str, tensor: Tensor, *stages: str) -> Tensor:
        halves = zip(self.encoders, tensor.chunk(2, dim=3), strict=True)
        return torch.cat([getattr(trunk, step)(half, *stages) for trunk, half in halves], dim=3)


def _linear_maps(features: Tensor, weight: Tensor) -> Tensor:
    cells = features.shape[-2] * features.shape[-1]
    return torch.einsum("nkhw,ck->nchw", features.float(), weight.float()) / cells


_NETWORKS: Final[Mapping[str, Callable[[int], Network]]] = {
    "resnet18": ResNet18,
    "resnet18-two-encoders": TwoEncoders,
    "resnet18-six-channels": SixChannels,
}


def network_of(architecture: Architecture, classes: int) -> Network:
    """An untrained network by its name in `model.json`."""
    return _NETWORKS[architecture](classes)


_FoldedNetwork = TypeVar("_FoldedNetwork", bound=Network)


def fold(model: _FoldedNetwork) -> _FoldedNetwork:
    """Every batch norm folded into the convolution before it, in place; channels last. For inference alone.

    W' = W * g / sqrt(v + eps), b' = beta - m * g / sqrt(v + eps) (Jacob et al. 2018, eq. 14), by torch's own fusion. Logits
    move by the rounding of float32 (the scorer's tests hold this under 1e-5). Raises ValueError where it is folded already.
    """
    model.eval()
    for trunk in [module for module in model.modules() if isinstance(module, Trunk)]:
        trunk.conv1, trunk.bn1 = fuse_conv_bn_eval(trunk.conv1, _norm(trunk.bn1)), nn.Identity()
        for name in STAGES:
            for block in getattr(trunk, name):
                block.conv1, block.bn1 = fuse_conv_bn_eval(block.conv1, _norm(block.bn1)), nn.Identity()
                block.conv2, block.bn2 = fuse_conv_bn_eval(block.conv2, _norm(block.bn2)), nn.Identity()
                if block.downsample is not None:
                    conv, norm = block.downsample
                    block.downsample = nn.Sequential(fuse_conv_bn_eval(conv, norm))
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.to(memory_format=torch.channels_last)


def _norm(module: nn.Module) -> nn.BatchNorm2d:
    if not isinstance(module, nn.BatchNorm2d):
        raise ValueError("this network is folded already")
    return module

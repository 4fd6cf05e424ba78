"""ResNet18 for torchvision's state dict, and its inference form.

He et al. 2016, "Deep Residual Learning for Image Recognition", table 1 and fig. 5 (left). The forward pass runs the same
operations in the same order as torchvision's, so on one state dict the outputs are equal bit for bit (a test says so);
the app needs no torchvision for it.
"""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from her2viewer.scoring.evidence import STAGES


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


class ResNet18(nn.Module):
    """(n, 3, h, w) float -> (n, classes) logits. State dict names and shapes are torchvision's."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, classes)

    def stem(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) -> (n, 64, h / 4, w / 4)."""
        out: Tensor = self.maxpool(torch.relu_(self.bn1(self.conv1(x))))
        return out

    def features(self, x: Tensor) -> Tensor:
        """The last stage: (n, 3, h, w) -> (n, 512, ceil(h / 32), ceil(w / 32))."""
        return self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))  # type: ignore[no-any-return]

    def classify(self, features: Tensor) -> Tensor:
        """(n, 512, h, w) of the last stage -> (n, classes) logits."""
        return self.fc(torch.flatten(self.avgpool(features), 1))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.features(x))

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> Self:
        """Built to fit a state dict of any class count, in eval mode. Raises RuntimeError where a tensor is missing or unfit."""
        head = state.get("fc.bias")
        model = cls(classes=4 if head is None else int(head.numel()))
        model.load_state_dict(dict(state), strict=True)
        return model.eval()


def fold(model: ResNet18) -> ResNet18:
    """Every batch norm folded into the convolution before it, in place; channels last. For inference alone.

    W' = W * g / sqrt(v + eps), b' = beta - m * g / sqrt(v + eps) (Jacob et al. 2018, eq. 14), by torch's own fusion. Logits
    move by the rounding of float32 (the scorer's tests hold this under 1e-5).
    """
    model.eval()
    model.conv1, model.bn1 = fuse_conv_bn_eval(model.conv1, _norm(model.bn1)), nn.Identity()
    for name in STAGES:
        for block in getattr(model, name):
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


def network_of(architecture: str, classes: int) -> ResNet18:
    """An untrained network by its name in `model.json`. Raises ValueError for a name that there is not."""
    if architecture != "resnet18":
        raise ValueError(f"no network is called {architecture!r}")
    return ResNet18(classes)

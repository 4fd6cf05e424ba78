"""Where a network starts from: ImageNet's full weights, a part of them, a model package, or nothing."""

from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from her2viewer.errors import UserError
from her2viewer.scoring.package import open_package

Say = Callable[[str], None]


def start_network(network: nn.Module, start: str, seed: int, calibration: Tensor, say: Say) -> str:
    """Sets a network's first weights and returns, in words, what they really are.

    start: 'imagenet' (torchvision's full weights), 'partial:FILE.npz' (folded convolutions, some missing), 'package:FOLDER' (the
    weights of a model package of the same network, trained at any input size) or 'none'; calibration: (n, 3, h, w)
    normalised pictures for the partial start's batch norms. Where the full weights cannot be had
    this is said, and training goes on from nothing. Raises UserError for another word, an unfit file or package.
    """
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if start == "none":
        return "random weights"
    if start == "imagenet":
        return _full(network, say)
    if start.startswith("partial:"):
        return _partial(network, Path(start.removeprefix("partial:")), calibration)
    if start.startswith("package:"):
        return _package(network, Path(start.removeprefix("package:")))
    raise UserError(f"'{start}' is no start", remedy="use imagenet, partial:FILE.npz, package:FOLDER or none")


def _full(network: nn.Module, say: Say) -> str:
    from torchvision.models import ResNet18_Weights

    try:
        state = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=True)
    except (OSError, RuntimeError, HTTPException) as error:  # no network, a broken-off or a damaged download
        say(f"The ImageNet weights cannot be downloaded ({error}); training starts from random weights.")
        return "random weights (ImageNet weights could not be downloaded)"
    state.pop("fc.weight")
    state.pop("fc.bias")
    own = network.state_dict()
    for name, tensor in own.items():
        given = state.get(_trunk_name(name))
        if given is not None:
            tensor.copy_(_fitting(given, tensor))
    return "torchvision ResNet18_Weights.IMAGENET1K_V1"


def _trunk_name(name: str) -> str:
    """The name that a tensor of one of several encoders has in a single ResNet18."""
    return name.split(".", 2)[2] if name.startswith("encoders.") else name


def _fitting(given: Tensor, wanted: Tensor) -> Tensor:
    """A first convolution of 3 channels for one of 6: repeated for both stains and halved, so that its output keeps its size."""
    if given.ndim == 4 and wanted.shape[1] == 2 * given.shape[1]:
        return torch.cat([given, given], dim=1) / 2
    return given


def _partial(network: nn.Module, path: Path, calibration: Tensor) -> str:
    """Puts folded convolutions in and sets each batch norm behind one so that it passes the folded bias through.

    With m and v the mean and variance of the convolution's output over the calibration fields, a batch norm with weight
    sqrt(v + eps) and bias (folded bias + m) gives x + folded bias. Blocks of which a convolution is missing start as their
    shortcut (the last batch norm's weight is 0: Goyal et al. 2017, section 5.1).
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    except (OSError, ValueError) as error:
        raise UserError("it is not an .npz file of arrays", path=path, remedy="name the partial weights") from error
    taken = 0
    handles = []
    for conv_name, conv, norm in _pairs(network):
        name = _trunk_name(conv_name)
        weight, bias = arrays.get(f"{name}.weight"), arrays.get(f"{name}.bias")
        if weight is None or bias is None:
            if conv_name.endswith("conv2"):
                nn.init.zeros_(norm.weight)
            continue
        weight = _fitting(weight, conv.weight)
        if weight.shape != conv.weight.shape:
            raise UserError(f"{conv_name} is {tuple(weight.shape)}", path=path, remedy="name weights of a ResNet18")
        conv.weight.data.copy_(weight)
        handles.append(norm.register_forward_pre_hook(_pass_through(bias)))
        taken += 1
    network.eval()
    with torch.no_grad():
        network(calibration)  # each batch norm is set when it is reached, so what lies behind it sees the right values
    for handle in handles:
        handle.remove()
    network.train()  # Lightning leaves each module in the mode that it comes in
    total = len(_pairs(network))
    return f"{taken} of {total} convolutions from torchvision's ImageNet ResNet18, the rest at random"


def _package(network: nn.Module, folder: Path) -> str:
    package = open_package(folder)
    state = {name: torch.from_numpy(array) for name, array in package.weights().items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(
            f"its {package.manifest.architecture} does not fit the network to be trained",
            path=folder,
            remedy="name a package of the same network and classes as the recipe's",
        ) from error
    return f"the network of {package.manifest.identity}"


def _pass_through(bias: Tensor) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.data.copy_((variance + module.eps).sqrt())
        module.bias.data.copy_(bias + mean)

    return hook


def _pairs(network: nn.Module) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution with its name and the batch norm behind it."""
    modules = dict(network.named_modules())
    found = []
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d):
            behind = name[:-1] + "1" if name.endswith("downsample.0") else name.replace("conv", "bn")
            norm = modules[behind]
            assert isinstance(norm, nn.BatchNorm2d)
            found.append((name, module, norm))
    return found

"""Where a network starts from: ImageNet's full weights, a part of them, or nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from her2viewer.errors import UserError
from her2viewer.scoring.network import ResNet18

Say = Callable[[str], None]


def starting_network(start: str, classes: int, seed: int, calibration: Tensor, say: Say) -> tuple[ResNet18, str]:
    """A network to train and, in words, what it really started from.

    start: 'imagenet' (torchvision's full weights), 'partial:FILE.npz' (folded convolutions, some missing) or 'none';
    calibration: (n, 3, h, w) normalised fields for the partial start's batch norms. Where the full weights cannot be
    had this is said and training goes on from nothing. Raises UserError for another word or an unfit file.
    """
    torch.manual_seed(seed)
    network = ResNet18(classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    if start == "none":
        return network, "random weights"
    if start == "imagenet":
        return _full(network, say)
    if start.startswith("partial:"):
        return network, _partial(network, Path(start.removeprefix("partial:")), calibration)
    raise UserError(f"'{start}' is no start", remedy="use imagenet, partial:FILE.npz or none")


def _full(network: ResNet18, say: Say) -> tuple[ResNet18, str]:
    from torchvision.models import ResNet18_Weights

    try:
        state = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=True)
    except OSError as error:
        say(f"The ImageNet weights cannot be downloaded ({error}); training starts from random weights.")
        return network, "random weights (ImageNet weights could not be downloaded)"
    state = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    network.load_state_dict(state, strict=False)
    return network, "torchvision ResNet18_Weights.IMAGENET1K_V1"


def _partial(network: ResNet18, path: Path, calibration: Tensor) -> str:
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
        weight, bias = arrays.get(f"{conv_name}.weight"), arrays.get(f"{conv_name}.bias")
        if weight is None or bias is None:
            if conv_name.endswith("conv2"):
                nn.init.zeros_(norm.weight)
            continue
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
    return f"{taken} of 20 convolutions of torchvision's ImageNet ResNet18, the rest at random"


def _pass_through(bias: Tensor) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), correction=0)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.data.copy_((variance + module.eps).sqrt())
        module.bias.data.copy_(bias + mean)

    return hook


def _pairs(network: ResNet18) -> list[tuple[str, nn.Conv2d, nn.BatchNorm2d]]:
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

"""The state of a training, written so that a kill at any moment leaves the last whole one. Tensors and JSON, no pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from her2viewer.errors import UserError
from her2viewer.scoring.network import ResNet18
from training.files import replacing


def save_checkpoint(path: Path, network: ResNet18, optimizer: torch.optim.Optimizer, facts: dict[str, Any]) -> None:
    """Network, the optimizer's moments and `facts` (JSON) in one safetensors file that replaces the last."""
    tensors: dict[str, Tensor] = {
        f"network.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()
    }
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).contiguous()
    with replacing(path) as draft:
        save_file(tensors, draft, metadata={"facts": json.dumps(facts)})


def load_checkpoint(path: Path, network: ResNet18, optimizer: torch.optim.Optimizer | None = None) -> dict[str, Any]:
    """Puts a checkpoint back and returns its facts. Raises UserError where the file is not one."""
    try:
        tensors = load_file(path)
        network.load_state_dict({k.removeprefix("network."): t for k, t in tensors.items() if k.startswith("network.")})
        facts: dict[str, Any] = json.loads(_metadata(path)["facts"])
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise UserError("it is not a checkpoint of this network", path=path, remedy="start without --resume") from error
    if optimizer is not None:
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in tensors.items():
            if key.startswith("optimizer."):
                _, index, name = key.split(".")
                state.setdefault(int(index), {})[name] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return facts


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}

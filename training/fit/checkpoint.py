"""The state of a training as one safetensors file: tensors by their place, everything else as JSON. No pickle.

A kill at any moment leaves the last whole one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from her2viewer.errors import ExportError, UserError
from training.files import replacing

SCHEMA = "her2viewer.checkpoint/1"
_TENSOR = "tensor"


def save_tree(path: Path, tree: Mapping[str, Any]) -> None:
    """Writes nested dicts, lists, numbers, words and tensors. Raises TypeError for anything else, ExportError on a full disk."""
    tensors: dict[str, Tensor] = {}
    structure = _flattened(tree, "", tensors)
    try:
        with replacing(path) as draft:
            save_file(tensors, draft, metadata={"schema": SCHEMA, "tree": json.dumps(structure)})
    except (OSError, SafetensorError) as error:
        raise ExportError(
            f"the checkpoint cannot be written ({getattr(error, 'strerror', None) or error})",
            path=path,
            remedy="make room on that disk and run the same command again with --resume; the last whole checkpoint is kept",
        ) from error


def load_tree(path: Path) -> dict[str, Any]:
    """What `save_tree` wrote, tensors on the CPU. Raises UserError where the file is not one."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("schema") != SCHEMA:
                raise ValueError("another kind of file")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        restored: dict[str, Any] = _restored(json.loads(metadata["tree"]), tensors)
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise UserError(
            "it is not a whole checkpoint of this training", path=path, remedy="start again without --resume"
        ) from error
    return restored


def load_weights(path: Path, network: nn.Module) -> dict[str, Any]:
    """Puts the network of `best.safetensors` back and returns the facts beside it. Raises UserError where they do not fit."""
    tree = load_tree(path)
    try:
        network.load_state_dict(tree["network"])
    except (KeyError, RuntimeError) as error:
        raise UserError(
            "it holds another network than run.json tells", path=path, remedy="train again into an empty folder"
        ) from error
    facts: dict[str, Any] = tree["facts"]
    return facts


class SafetensorsIO(CheckpointIO):
    """Lightning's checkpoints by `save_tree`, in place of torch's pickles."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        save_tree(Path(path), checkpoint)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        return load_tree(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


def _flattened(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """JSON in which a tensor is {"tensor": its name} and a dict a list of pairs, since keys may be numbers."""
    if isinstance(value, Tensor):
        # Tensors that share memory would be refused by safetensors: each is written for itself.
        tensors[place] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: place}
    if isinstance(value, Mapping):
        return {"dict": [[key, _flattened(item, f"{place}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_flattened(item, f"{place}/{k}", tensors) for k, item in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{place or 'the checkpoint'} is a {type(value).__name__}, which is never pickled")


def _restored(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if _TENSOR in value:
            return tensors[value[_TENSOR]]
        return {key: _restored(item, tensors) for key, item in value["dict"]}
    if isinstance(value, list):
        return [_restored(item, tensors) for item in value]
    return value


def cpu_weights(network: nn.Module) -> dict[str, Tensor]:
    """The network's own state on the CPU, in the usual memory order."""
    return {
        name: tensor.detach().to("cpu", memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }

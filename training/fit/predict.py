"""What a finished run's network says of cached fields: for packaging, for comparing, for teaching others."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from her2viewer.errors import UserError
from her2viewer.scoring.network import Network, network_of
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.preprocess import InputLayout
from training.data.cache import Fields
from training.data.index import CLASSES
from training.fit.batches import composed
from training.fit.checkpoint import load_weights

BEST, LAST, RUN = "best.safetensors", "last.safetensors", "run.json"


def load_run(run: Path) -> dict[str, Any]:
    """`run.json` of a fit. Raises UserError where there is none."""
    try:
        facts: dict[str, Any] = json.loads((run / RUN).read_text(encoding="utf-8"))
        if facts.get("schema") != "her2viewer.run/2":
            raise ValueError("another schema")
    except (OSError, ValueError) as error:
        raise UserError(
            "this is not the folder of a fit of this version",
            path=run,
            remedy="name the --out folder of 'training fit'",
        ) from error
    return facts


def layout_of(facts: dict[str, Any]) -> InputLayout:
    """The layout of a run's network."""
    return InputLayout.model_validate(facts["recipe"]["layout"])


def best_network(run: Path, facts: dict[str, Any]) -> tuple[Network, dict[str, Any]]:
    """A run's best network in eval mode on the CPU, and the facts of its epoch. Raises UserError where it is not whole."""
    network = network_of(facts["recipe"]["network"], len(CLASSES))
    beside = load_weights(run / BEST, network)
    return network.eval().to(memory_format=torch.channels_last), beside


def cell_side(layout: InputLayout) -> int:
    """The side of cached squares that a layout needs: the longest of its cells."""
    return max(max(layout.cell(stain)[2:]) for stain in layout.order)


@torch.inference_mode()
def predict_logits(
    network: Network, fields: Fields, members: Sequence[int], layout: InputLayout, device: str = "cpu"
) -> NDArray[np.float32]:
    """(n, classes) float32 logits of cached fields, in eval mode."""
    network.eval()
    rows = []
    for first in range(0, len(members), 64):
        inputs = np.stack([composed(fields, i, layout) for i in members[first : first + 64]])
        rows.append(network(normalised(inputs, layout, device)).float().cpu().numpy())
    return np.concatenate(rows)

"""What a draw of the augmentation costs beside the same steps by torchvision's transforms v2, on one thread each."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.benchmarks.measure import Row, faster, in_turn
from training.data.cache import Fields
from training.fit.augment import augmented, cell_sizes
from training.fit.batches import squares
from training.recipes.recipe import Augmentation

OURS, PEER = "OpenCV", "torchvision v2"


def rows(fields: Fields, layout: InputLayout, rounds: int) -> list[Row]:
    """The default augmentation over all fields, both stains, from cached squares to the cells of a layout."""
    ours = [squares(fields, i) for i in range(len(fields))]
    theirs = [_tensors(one) for one in ours]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a batch is drawn in one thread, beside the network
    try:
        seconds = in_turn(
            {OURS: lambda: _by_opencv(ours, layout), PEER: lambda: _by_v2(theirs, layout)}, rounds, warm_up=1
        )
    finally:
        torch.set_num_threads(threads)
    return [faster(f"augmenting {len(fields)} fields", seconds, OURS, PEER, 1)]


def _by_opencv(fields: Sequence[dict[Stain, NDArray[np.uint8]]], layout: InputLayout) -> None:
    how, sizes = Augmentation(he_dropout=0), cell_sizes((layout,))
    for k, field in enumerate(fields):
        augmented(field, field, how, layout, sizes, np.random.default_rng(k))


def _tensors(field: dict[Stain, NDArray[np.uint8]]) -> dict[Stain, Tensor]:
    return {stain: torch.from_numpy(image.copy()).permute(2, 0, 1).contiguous() for stain, image in field.items()}


def _by_v2(fields: Sequence[dict[Stain, Tensor]], layout: InputLayout) -> None:
    how, sizes = Augmentation(), cell_sizes((layout,))
    for k, field in enumerate(fields):
        rng = np.random.default_rng(k)
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        zoom = float(np.exp(rng.uniform(-how.zoom, how.zoom)))
        for stain, (width, height) in sizes.items():
            image = torch.rot90(field[stain], turns, (1, 2))
            image = functional.horizontal_flip(image) if flip else image
            side = image.shape[-1]
            pad = int(0.15 * side)
            image = functional.pad(image, [pad] * 4, padding_mode="reflect")
            reach = min(round(side / zoom), side + 2 * pad)
            top, left = (int(v) for v in rng.integers(0, side + 2 * pad - reach + 1, 2))
            cut = functional.resized_crop(image, top, left, reach, reach, [height, width], antialias=True)
            density = -torch.log10((cut.float() + 1) / 256) * float(
                np.exp(rng.uniform(-how.he_strength, how.he_strength))
            )
            light = functional.gaussian_blur(255 * 10**-density, [7, 7], [float(rng.uniform(0.1, how.blur))])
            v2.ToDtype(torch.uint8)(functional.gaussian_noise(light / 255, sigma=0.01).clamp(0, 1) * 255)

"""Batches as they are learned from: every draw a function of seed, epoch and place, whatever draws it and when."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from training.data.cache import Fields
from training.fit.augment import STAINS, augmented, cell_sizes
from training.recipes.recipe import Recipe

Batch = tuple[tuple[Tensor, ...], Tensor]
"""One (n, h, w, 3) uint8 picture per layout, the student's first, and (n,) int64 targets."""


def epoch_order(labels: NDArray[np.intp], members: Sequence[int], recipe: Recipe, epoch: int) -> NDArray[np.intp]:
    """Which field comes when: a shuffle of all, or of as many of each class as `sampling` says, drawn anew each epoch."""
    rng = np.random.default_rng([recipe.seed, epoch])
    pool = np.array(members)
    if recipe.sampling == "all":
        return rng.permutation(pool)
    of_class = [pool[labels[pool] == c] for c in np.unique(labels[pool])]
    if recipe.sampling == "undersampling":
        smallest = min(map(len, of_class))
        return rng.permutation(np.concatenate([rng.permutation(some)[:smallest] for some in of_class]))
    share = math.ceil(len(pool) / len(of_class))
    drawn = [np.resize(rng.permutation(some), share) for some in of_class]
    return rng.permutation(np.concatenate(drawn))[: len(pool)]


def steps_of(labels: NDArray[np.intp], members: Sequence[int], recipe: Recipe, devices: int = 1) -> int:
    """Batches in an epoch. A last batch that leaves a device one field or none is left out: no batch norm learns from that."""
    n = len(epoch_order(labels, members, recipe, 0))
    return max(n // recipe.batch + (n % recipe.batch >= 2 * devices), 1)


class Drawn(IterableDataset[Batch]):
    """The batches of one epoch, each drawn in a thread of its own while the one before is learned.

    Of several devices each takes every n-th field of a batch, so that they see together what one would see alone. teachers:
    layouts of the networks that teach this one; they see the same draws. `epoch` is asked at the start of each pass.
    """

    def __init__(
        self,
        fields: Fields,
        labels: NDArray[np.intp],
        members: Sequence[int],
        recipe: Recipe,
        teachers: Sequence[InputLayout] = (),
    ) -> None:
        super().__init__()
        self._fields, self._labels, self._members, self._recipe = fields, labels, members, recipe
        self._sizes = cell_sizes((recipe.layout, *teachers))
        self._layouts = tuple(map(_lenient, (recipe.layout, *teachers)))
        self.epoch: Callable[[], int] = lambda: 0
        self.rank, self.devices = 0, 1

    def __len__(self) -> int:
        return steps_of(self._labels, self._members, self._recipe, self.devices)

    def __iter__(self) -> Iterator[Batch]:
        epoch = self.epoch()
        order = epoch_order(self._labels, self._members, self._recipe, epoch)
        with ThreadPoolExecutor(1) as worker:
            ahead = worker.submit(self._batch, order, epoch, 0)
            for step in range(len(self)):
                ready = ahead.result()
                if step + 1 < len(self):
                    ahead = worker.submit(self._batch, order, epoch, step + 1)
                yield ready

    def _batch(self, order: NDArray[np.intp], epoch: int, step: int) -> Batch:
        batch = self._recipe.batch
        places = range(step * batch, min((step + 1) * batch, len(order)))[self.rank :: self.devices]
        pictures = [self._pictures(order, epoch, place) for place in places]
        inputs = tuple(torch.from_numpy(np.stack(of_layout)) for of_layout in zip(*pictures, strict=True))
        return inputs, torch.from_numpy(self._labels[order[list(places)]].astype(np.int64))

    def _pictures(self, order: NDArray[np.intp], epoch: int, place: int) -> tuple[NDArray[np.uint8], ...]:
        rng = np.random.default_rng([self._recipe.seed, epoch, place])
        stranger = squares(self._fields, int(rng.choice(self._members)))
        own = squares(self._fields, int(order[place]))
        drawn = augmented(own, stranger, self._recipe.augmentation, self._recipe.layout, self._sizes, rng)
        return tuple(compose(drawn, layout) for layout in self._layouts)


class Plain(IterableDataset[Batch]):
    """Fields as they are, in their order, for validation."""

    def __init__(self, fields: Fields, labels: NDArray[np.intp], members: Sequence[int], layout: InputLayout) -> None:
        super().__init__()
        self._fields, self._labels, self._members, self._layout = fields, labels, members, layout

    def __iter__(self) -> Iterator[Batch]:
        for first in range(0, len(self._members), 64):
            some = list(self._members[first : first + 64])
            inputs = np.stack([composed(self._fields, i, self._layout) for i in some])
            yield (torch.from_numpy(inputs),), torch.from_numpy(self._labels[some].astype(np.int64))


def squares(fields: Fields, index: int) -> dict[Stain, NDArray[np.uint8]]:
    """A cached field as (side, side, 3) uint8 per stain that is there."""
    both = fields[index]
    return {stain: both[STAINS.index(stain)] for stain in fields.stains(index)}


def composed(fields: Fields, index: int, layout: InputLayout) -> NDArray[np.uint8]:
    """A cached field as the network's picture, unchanged. A missing stain is filled, as for one that may be missing."""
    return compose(squares(fields, index), _lenient(layout))


def _lenient(layout: InputLayout) -> InputLayout:
    """The layout with every stain optional: data of one stain may teach a network of two."""
    return layout if layout.optional == layout.order else layout.model_copy(update={"optional": layout.order})

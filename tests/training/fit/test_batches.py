import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from training.fit.batches import Drawn, Plain, composed, epoch_order, steps_of
from training.recipes.recipe import NONE, Augmentation, Recipe

LABELS = np.array([0] * 5 + [1] * 50 + [2] * 100 + [3] * 45)
MEMBERS = list(range(200))
SMALL = InputLayout(width=64, height=32)


class Squares:
    """Fields in memory; every fifth lacks its H&E."""

    def __init__(self, count: int, side: int = 32) -> None:
        self._data = np.random.default_rng(0).integers(0, 256, (count, 2, side, side, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return np.asarray(self._data[index])

    def stains(self, index: int) -> tuple[Stain, ...]:
        return (Stain.IHC,) if index % 5 == 4 else (Stain.HE, Stain.IHC)


def test_each_class_is_drawn_equally_often_and_order_is_of_seed_and_epoch() -> None:
    recipe = Recipe(batch=8, sampling="oversampling")
    order = epoch_order(LABELS, MEMBERS, recipe, 0)
    counts = np.bincount(LABELS[order])
    assert counts.max() - counts.min() <= 4
    assert not np.array_equal(order, epoch_order(LABELS, MEMBERS, recipe, 1))
    assert np.array_equal(order, epoch_order(LABELS, MEMBERS, recipe, 0))


def test_undersampling_cuts_to_the_smallest_class_anew_each_epoch() -> None:
    recipe = Recipe(sampling="undersampling")
    orders = [epoch_order(LABELS, MEMBERS, recipe, epoch) for epoch in range(2)]
    assert all(np.bincount(LABELS[order]).tolist() == [5, 5, 5, 5] for order in orders)
    assert set(orders[0]) != set(orders[1])


def test_all_takes_each_once() -> None:
    assert sorted(epoch_order(LABELS, MEMBERS, Recipe(sampling="all"), 0)) == MEMBERS


@pytest.mark.parametrize(("fields", "batch", "steps"), [(16, 8, 2), (17, 8, 2), (18, 8, 3), (5, 8, 1)])
def test_a_last_batch_of_one_is_left_out(fields: int, batch: int, steps: int) -> None:
    recipe = Recipe(batch=batch, sampling="all", layout=SMALL)
    labels = np.zeros(fields, np.intp)
    drawn = Drawn(Squares(fields), labels, range(fields), recipe)
    assert len(list(drawn)) == len(drawn) == steps_of(labels, range(fields), recipe) == steps


def drawn_epoch(recipe: Recipe, epoch: int, rank: int = 0, devices: int = 1) -> torch.Tensor:
    drawn = Drawn(Squares(20), np.arange(20) % 4, range(20), recipe)
    drawn.epoch, drawn.rank, drawn.devices = (lambda: epoch), rank, devices
    return torch.cat([inputs[0] for inputs, _ in drawn])


def test_an_epoch_is_the_same_again_and_another_is_another() -> None:
    recipe = Recipe(batch=5, layout=SMALL)
    assert torch.equal(drawn_epoch(recipe, 3), drawn_epoch(recipe, 3))
    assert not torch.equal(drawn_epoch(recipe, 3), drawn_epoch(recipe, 4))


def test_two_devices_see_together_what_one_sees_alone() -> None:
    recipe = Recipe(batch=5, layout=SMALL, sampling="all")
    alone = drawn_epoch(recipe, 1)
    shared = [drawn_epoch(recipe, 1, rank, 2) for rank in range(2)]
    every = {one.numpy().tobytes() for part in shared for one in part}
    assert every == {one.numpy().tobytes() for one in alone} and sum(map(len, shared)) == len(alone)


def test_teachers_see_the_same_draw_in_their_own_layout() -> None:
    recipe = Recipe(batch=4, layout=InputLayout(order=(Stain.IHC,), width=32, height=32), augmentation=Augmentation())
    drawn = Drawn(Squares(8), np.arange(8) % 4, range(8), recipe, [InputLayout(width=64, height=32)])
    for inputs, _ in drawn:
        assert torch.equal(inputs[0], inputs[1][:, :, :32])


def test_without_augmentation_a_draw_is_what_validation_and_the_viewer_see() -> None:
    fields = Squares(10)
    recipe = Recipe(batch=10, layout=SMALL, augmentation=NONE, sampling="all")
    order = epoch_order(np.arange(10) % 4, range(10), recipe, 0)
    (inputs, targets), *_ = Drawn(fields, np.arange(10) % 4, range(10), recipe)
    (plain, truth), *_ = Plain(fields, np.arange(10) % 4, order.tolist(), SMALL)
    assert torch.equal(inputs[0], plain[0]) and torch.equal(targets, truth)
    whole = compose({Stain.HE: fields[0][0], Stain.IHC: fields[0][1]}, SMALL)
    assert np.array_equal(composed(fields, 0, SMALL), whole)


def test_a_field_without_its_he_is_filled() -> None:
    assert (composed(Squares(10), 4, SMALL)[:, 32:] == 0).all()


def test_stain_dropout_leaves_out_optional_stains_alone() -> None:
    layout = SMALL.model_copy(update={"optional": (Stain.HE,), "mean": (0.5, 0.5, 0.5)})
    recipe = Recipe(
        batch=20, layout=layout, augmentation=NONE.model_copy(update={"stain_dropout": 0.5}), sampling="all"
    )
    (inputs, _), *_ = Drawn(Squares(20), np.arange(20) % 4, range(20), recipe)
    he_missing = (inputs[0][:, :, 32:] == 128).flatten(1).all(dim=1)
    ihc_missing = (inputs[0][:, :, :32] == 128).flatten(1).all(dim=1)
    assert 6 <= int(he_missing.sum()) <= 16 and not ihc_missing.any()

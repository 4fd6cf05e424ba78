import numpy as np
import pytest
import torch
from torch.nn import functional

from training.fit.loss import criterion, soft_ordinal_labels, taught
from training.recipes.recipe import Recipe

LOGITS = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
TARGETS = torch.tensor([0, 1, 2, 3] * 3)
LABELS = np.array([0] * 10 + [1] * 30 + [2] * 40 + [3] * 20)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torch_own(smoothing: float) -> None:
    mine = criterion(Recipe(label_smoothing=smoothing), LABELS, 4)(LOGITS, TARGETS)
    assert torch.allclose(mine, functional.cross_entropy(LOGITS, TARGETS, label_smoothing=smoothing))


def test_class_weights_are_torch_own() -> None:
    weight = torch.tensor(len(LABELS) / (4 * np.bincount(LABELS)), dtype=torch.float32)
    mine = criterion(Recipe(label_smoothing=0, class_weights=True), LABELS, 4)(LOGITS, TARGETS)
    assert torch.allclose(mine, functional.cross_entropy(LOGITS, TARGETS, weight=weight))


def test_an_ordinal_loss_costs_more_the_further_off() -> None:
    loss = criterion(Recipe(loss="ordinal", label_smoothing=0), LABELS, 4)
    sure = 6 * torch.eye(4)
    costs = [float(loss(sure[[said]], torch.tensor([0]))) for said in range(4)]
    assert costs == sorted(costs) and costs[3] > costs[1] + 0.5
    soft = soft_ordinal_labels(4)
    assert torch.allclose(soft.sum(dim=1), torch.ones(4)) and (soft.argmax(dim=1) == torch.arange(4)).all()


def test_a_pupil_that_says_what_its_teachers_say_has_no_gradient_from_them() -> None:
    teacher = LOGITS.clone()
    pupil = LOGITS.clone().requires_grad_(True)
    taught(lambda logits, targets: 0 * logits.sum(), pupil, TARGETS, teacher[None]).backward()
    assert pupil.grad is not None and pupil.grad.abs().max() < 1e-6
    other = (LOGITS + torch.randn(12, 4)).requires_grad_(True)
    taught(lambda logits, targets: 0 * logits.sum(), other, TARGETS, teacher[None]).backward()
    assert other.grad is not None and other.grad.abs().max() > 1e-3

"""What a prediction costs: cross-entropy, soft ordinal labels, class weights, and what teachers say."""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.recipes.recipe import Recipe

Criterion = Callable[[Tensor, Tensor], Tensor]
"""(n, classes) float32 logits and (n,) targets -> the mean loss."""

ORDINAL_SHARPNESS: Final = 1.5
"""How fast a soft label falls off with the square of the distance in grades: 18% for a neighbour of the true one's 81%."""
TEACHING_TEMPERATURE: Final = 2.0
TEACHERS_SHARE: Final = 0.8


def criterion(recipe: Recipe, labels: NDArray[np.intp], classes: int) -> Criterion:
    """The recipe's loss. labels: of the fields that are learned from, for the class weights."""
    weights = None
    if recipe.class_weights:
        counts = np.maximum(np.bincount(labels, minlength=classes), 1)
        weights = torch.tensor(len(labels) / (classes * counts), dtype=torch.float32)
    soft = soft_ordinal_labels(classes) if recipe.loss == "ordinal" else torch.eye(classes)
    soft = (1 - recipe.label_smoothing) * soft + recipe.label_smoothing / classes

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        target = soft.to(logits.device)[targets]
        each = -(target * functional.log_softmax(logits, dim=1)).sum(dim=1)
        if weights is None:
            return each.mean()
        weight = weights.to(logits.device)[targets]
        return (weight * each).sum() / weight.sum()

    return loss


def soft_ordinal_labels(classes: int) -> Tensor:
    """(classes, classes): row k is the target for class k, softmax of -sharpness * squared distance in grades.

    Diaz and Marathe 2019, "Soft labels for ordinal regression", equation 1.
    """
    grade = torch.arange(classes, dtype=torch.float32)
    return torch.softmax(-ORDINAL_SHARPNESS * (grade[:, None] - grade[None]) ** 2, dim=1)


def taught(hard: Criterion, logits: Tensor, targets: Tensor, teachers: Tensor) -> Tensor:
    """The loss beside teachers: mostly their mean softened probabilities, a little the labels.

    teachers: (teachers, n, classes) logits. Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2; the
    square of the temperature keeps the gradients' size.
    """
    t = TEACHING_TEMPERATURE
    wanted = torch.softmax(teachers / t, dim=2).mean(dim=0)
    soft = -(wanted * functional.log_softmax(logits / t, dim=1)).sum(dim=1).mean() * t**2
    return TEACHERS_SHARE * soft + (1 - TEACHERS_SHARE) * hard(logits, targets)

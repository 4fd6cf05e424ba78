"""The training as Lightning sees it: one step, one validation, the optimizer and its schedule, averaged weights."""

import math
from collections.abc import Sequence

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from her2viewer.scoring.normalise import normalised_tensor
from her2viewer.scoring.preprocess import InputLayout
from training.fit.batches import Batch
from training.fit.loss import Criterion, taught
from training.recipes.recipe import Recipe

Teacher = tuple[nn.Module, int]
"""A network in eval mode and the place of its layout among a batch's pictures."""


class Training(lightning.LightningModule):
    """network: what is trained. steps: batches in an epoch. layouts: of a batch's pictures, the network's own first.

    Logs `training_loss`, `validation_loss` (each class weighing the same) and `validation_exact`.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        loss: Criterion,
        steps: int,
        layouts: Sequence[InputLayout],
        teachers: Sequence[Teacher] = (),
    ) -> None:
        super().__init__()
        self.network = network
        self.averaged = (
            AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True)  # type: ignore[no-untyped-call]
            if recipe.average
            else None
        )
        if self.averaged is not None:
            self.averaged.requires_grad_(False)  # several devices wait for a gradient of whatever may have one
        self._recipe, self._loss, self._steps, self._layouts = recipe, loss, steps, tuple(layouts)
        # Teachers are no part of this module: they are neither trained nor kept in its checkpoints.
        self._teachers = [(network.requires_grad_(False).eval(), place) for network, place in teachers]
        self._seen: list[tuple[Tensor, Tensor]] = []

    @property
    def result(self) -> nn.Module:
        """The network that counts: the averaged one where weights are averaged."""
        return self.network if self.averaged is None else self.averaged.module

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        pictures, targets = batch
        logits = self.network(self._input(pictures, 0)).float()
        if self._teachers:
            with torch.no_grad():
                said = [
                    network.to(self.device)(self._input(pictures, place)).float() for network, place in self._teachers
                ]
            loss = taught(self._loss, logits, targets, torch.stack(said))
        else:
            loss = self._loss(logits, targets)
        self.log("training_loss", loss.detach(), on_step=False, on_epoch=True, batch_size=len(targets), sync_dist=True)
        return loss

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        pictures, targets = batch
        self._seen.append((self.result(self._input(pictures, 0)).float().cpu(), targets.cpu()))

    def on_validation_epoch_end(self) -> None:
        logits, targets = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        losses = functional.cross_entropy(logits, targets, reduction="none")
        per_class = torch.stack([losses[targets == c].mean() for c in set(targets.tolist())])
        self.log("validation_loss", per_class.mean().to(self.device), sync_dist=True)
        self.log("validation_exact", (logits.argmax(dim=1) == targets).float().mean().to(self.device), sync_dist=True)

    def configure_optimizers(self) -> dict[str, object]:  # type: ignore[override]  # Lightning's own type is wider
        recipe = self._recipe
        kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
        optimizer = kind(self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        """The learning rate of a step as a share of the recipe's. Cosine: one epoch of warming up, then down to 0."""
        if self._recipe.schedule == "constant":
            return 1.0
        done = step / (self._recipe.epochs * self._steps)
        return min(1.0, (step + 1) / self._steps) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def _input(self, pictures: Sequence[Tensor], place: int) -> Tensor:
        return normalised_tensor(pictures[place], self._layouts[place])

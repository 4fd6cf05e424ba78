"""Training on the CPU: loading from the second epoch on, a whole epoch, and a step of the trainer beside a bare one."""

import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader

from her2viewer.cases.pairing import Pair
from her2viewer.scoring.network import network_of
from her2viewer.scoring.normalise import normalised_tensor
from her2viewer.scoring.stains import Stain
from tests.benchmarks import augmentation
from tests.benchmarks.measure import Row, in_turn, within
from training.data.cache import cached_fields
from training.data.index import CLASSES, index_folder
from training.data.search import files_of
from training.fit.batches import Drawn
from training.fit.loss import criterion
from training.fit.module import Training
from training.fit.predict import cell_side
from training.fit.run import _quiet
from training.phantom.writing import write_phantoms
from training.recipes.recipe import NONE, Augmentation, Recipe

Epoch = Callable[[], Iterator[tuple[Tensor, Tensor]]]
"""(n, 3, h, w) float32 inputs and (n,) targets, batch after batch."""

PEER = "Pillow, each epoch"


def rows(count: int = 32, batch: int = 32, steps: int = 4, rounds: int = 3) -> list[Row]:
    """count: phantom pairs of 1024 x 1024, as PNG; steps: batches in an epoch of the trainer."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_phantoms(root / "data", count=count, seed=1, test_share=0, image_format="png", truth=False)
        pairs = index_folder(root / "data").of("train")
        recipe = Recipe(batch=batch, sampling="all", optimizer="adam", schedule="constant", start="none")
        labels = np.array([CLASSES.index(pair.label or "") for pair in pairs])
        fields = cached_fields(pairs, root / "cache", cell_side(recipe.layout), say=lambda words: None)

        def ours(augmentation: Augmentation) -> Epoch:
            mine = recipe.model_copy(update={"augmentation": augmentation})
            drawn = Drawn(fields, labels, range(len(pairs)), mine)
            return lambda: ((normalised_tensor(x[0], recipe.layout), y) for x, y in drawn)

        ways = {
            "as they are": ours(NONE),
            "augmented": ours(Augmentation()),
            PEER: lambda: _thesis(pairs, labels, batch),
        }
        many = np.resize(np.arange(len(pairs)), steps * batch).tolist()
        return [
            *_loading(ways, len(pairs), rounds + 2),
            *augmentation.rows(fields, recipe.layout, rounds),
            *_epochs(ways, len(pairs), recipe, rounds),
            _step(Drawn(fields, labels, many, recipe), labels, recipe, steps, rounds, root),
        ]


def _thesis(pairs: Sequence[Pair], labels: np.ndarray, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Both files decoded for each sample in each epoch, pasted IHC left and H&E right, shrunk, scaled to 0..1."""
    order = torch.randperm(len(pairs)).tolist()
    for first in range(0, len(order), batch):
        some = order[first : first + batch]
        yield torch.stack([_pasted(files_of(pairs[i])) for i in some]), torch.from_numpy(labels[some])


def _pasted(files: Mapping[Stain, Path]) -> Tensor:
    pasted = Image.new("RGB", (2048, 1024))
    pasted.paste(Image.open(files[Stain.IHC]).convert("RGB"), (0, 0))
    pasted.paste(Image.open(files[Stain.HE]).convert("RGB"), (1024, 0))
    small = np.asarray(pasted.resize((224, 224)), np.float32) / 255
    return torch.from_numpy(small).permute(2, 0, 1)


def _loading(ways: Mapping[str, Epoch], images: int, rounds: int) -> list[Row]:
    # The default warm-up of three would decode the peer's files for longer than is measured; one is an epoch already.
    seconds = in_turn({name: _read_through(way) for name, way in ways.items()}, rounds, warm_up=1)
    return [
        _per_second("loading, fields as they are", images, seconds, "as they are", 10),
        _per_second("loading, fields augmented", images, seconds, "augmented", None),
    ]


def _read_through(epoch: Epoch) -> Callable[[], object]:
    return lambda: [len(targets) for _, targets in epoch()]


def _epochs(ways: Mapping[str, Epoch], images: int, recipe: Recipe, rounds: int) -> list[Row]:
    """One network, one loop, fed by each way."""
    network = network_of(recipe.network, len(CLASSES)).to(memory_format=torch.channels_last).train()
    learn = _learner(network, nn.CrossEntropyLoss(), recipe)

    def learned(epoch: Epoch) -> Callable[[], object]:
        return lambda: [learn(x, y) for x, y in epoch()]

    seconds = in_turn({name: learned(way) for name, way in ways.items()}, rounds, warm_up=1)
    return [
        _per_second("epoch with ResNet18, fields as they are", images, seconds, "as they are", None),
        _per_second("epoch with ResNet18, fields augmented", images, seconds, "augmented", None),
    ]


def _step(drawn: Drawn, labels: np.ndarray, recipe: Recipe, steps: int, rounds: int, folder: Path) -> Row:
    """The trainer's epochs, drawing, augmentation and logging included, in turn with as many bare steps on one batch."""
    network = network_of(recipe.network, len(CLASSES)).to(memory_format=torch.channels_last)
    bare = network_of(recipe.network, len(CLASSES)).to(memory_format=torch.channels_last).train()
    loss = criterion(recipe, labels, len(CLASSES))
    pictures, targets = next(iter(drawn))
    turns = _Turns(_learner(bare, loss, recipe), normalised_tensor(pictures[0], recipe.layout), targets, steps)
    with _quiet():
        warnings.filterwarnings("ignore", ".*no `val_dataloader`.*")  # a step is timed, no validation
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=rounds + 1,
            callbacks=[turns],
            logger=TensorBoardLogger(folder, name="", version="tensorboard"),
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=10,
        )
        drawn.epoch = lambda: trainer.current_epoch
        module = Training(network, recipe, loss, steps, (recipe.layout,))
        trainer.fit(module, DataLoader(drawn, batch_size=None))
    seconds = {name: values[1:] for name, values in turns.seconds.items()}  # the first epoch warms both up
    return within(f"training step, batch of {recipe.batch}", seconds, "trainer", "bare step", 1.2)


class _Turns(lightning.Callback):
    """Times each epoch of a trainer, and after it as many bare steps; both in seconds a step."""

    def __init__(self, learn: Callable[[Tensor, Tensor], object], x: Tensor, y: Tensor, steps: int) -> None:
        self._learn, self._x, self._y, self._steps = learn, x, y, steps
        self.seconds: dict[str, list[float]] = {"trainer": [], "bare step": []}
        self._began = 0.0

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        ended = time.perf_counter()
        for _ in range(self._steps):
            self._learn(self._x, self._y)
        self.seconds["trainer"].append((ended - self._began) / self._steps)
        self.seconds["bare step"].append((time.perf_counter() - ended) / self._steps)


def _learner(network: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], recipe: Recipe) -> Callable[..., None]:
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)

    def learn(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        loss(network(x), y).backward()
        optimizer.step()

    return learn


def _per_second(figure: str, images: int, seconds: Mapping[str, list[float]], ours: str, goal: float | None) -> Row:
    ratio = statistics.median(p / o for o, p in zip(seconds[ours], seconds[PEER], strict=True))
    speed = {name: round(images / statistics.median(values), 1) for name, values in seconds.items()}
    words, met = ("none", None) if goal is None else (f">= {goal:g} times faster", ratio >= goal)
    return Row(figure, speed[ours], "images/s", PEER, speed[PEER], round(ratio, 2), words, met)

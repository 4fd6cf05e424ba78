"""A training from an index and a recipe to weights on disk, by Lightning."""

import csv
import json
import math
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from her2viewer.errors import UserError
from her2viewer.scoring.network import network_of
from her2viewer.scoring.normalise import normalised
from training.data.cache import cached_fields
from training.data.index import CLASSES, Index
from training.data.split import Protocol, Split, split_pairs
from training.files import replacing
from training.fit.batches import Drawn, Plain, composed, steps_of
from training.fit.checkpoint import SafetensorsIO, cpu_weights, load_tree, save_tree
from training.fit.loss import criterion
from training.fit.module import Teacher, Training
from training.fit.predict import BEST, LAST, RUN, best_network, cell_side, layout_of, load_run
from training.fit.start import start_network
from training.recipes.recipe import Recipe

Say = Callable[[str], None]
SCHEMA: Final = "her2viewer.run/2"
LOG: Final = "log.csv"
_COLUMNS: Final = ("epoch", "training_loss", "validation_loss", "validation_exact", "learning_rate", "seconds")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to train, in Lightning's own words."""

    accelerator: str = "auto"
    devices: str = "auto"
    nodes: int = 1
    strategy: str = "auto"
    threads: int | None = None


def fit(
    index: Index,
    recipe: Recipe,
    out: Path,
    *,
    protocol: Protocol = "stratified",
    teachers: Sequence[Path] = (),
    machine: Machine | None = None,
    resume: bool = False,
    say: Say = print,
) -> None:
    """Trains and leaves in `out`: `best.safetensors` (by validation loss), `last.safetensors`, `run.json` and logs.

    Only pairs of the train split are touched. Two runs with one seed on the CPU give the same weights, and so does a run that
    was killed at any moment and resumed: it goes on from its last whole epoch, and every draw is a function of seed, epoch
    and place. teachers: folders of runs whose networks teach this one. Raises UserError for what a user can mend.
    """
    machine = machine or Machine()
    if machine.threads:
        torch.set_num_threads(machine.threads)
    torch.manual_seed(recipe.seed)
    cuda = torch.cuda.is_available() and machine.accelerator in ("auto", "gpu", "cuda")
    if recipe.precision == "16" and not cuda:
        raise UserError("precision 16 needs a CUDA device", remedy="use --precision bf16 or 32 on this machine")
    out.mkdir(parents=True, exist_ok=True)
    resume = resume and (out / LAST).exists()
    if not resume and (out / LAST).exists():
        raise UserError(
            "a training stands here already", path=out, remedy="go on with --resume, or name another folder with --out"
        )
    pairs = index.of("train")
    labels = np.array([CLASSES.index(pair.label or "") for pair in pairs])
    split = split_pairs(pairs, recipe.seed, protocol)
    _check_classes(labels, split)
    taught_by = [path.resolve().name for path in teachers]
    if resume:
        _check_resumed(out, recipe, split, taught_by)
        if _is_done(out, recipe):
            say(f"{out.name} is done already.")
            return
    lessons = [(path, load_run(path)) for path in teachers]
    layouts = (recipe.layout, *(layout_of(facts) for _, facts in lessons))
    side = max(map(cell_side, layouts))
    fields = cached_fields(pairs, out.parent / "cache", side, _counter(say, "decoded", len(pairs)), say=say)

    network = network_of(recipe.network, len(CLASSES))
    sample = np.stack([composed(fields, i, recipe.layout) for i in split.train[:64]])
    # A resumed run takes its weights from the checkpoint: nothing is to be downloaded or read again.
    started = load_run(out)["started_from"] if resume else None
    if started is None:
        started = start_network(network, recipe.start, recipe.seed, normalised(sample, recipe.layout, "cpu"), say)
    network.to(memory_format=torch.channels_last)
    masters: list[Teacher] = [(best_network(path, facts)[0], k) for k, (path, facts) in enumerate(lessons, 1)]
    loss = criterion(recipe, labels[list(split.train)], len(CLASSES))
    steps = steps_of(labels, split.train, recipe)
    module = Training(network, recipe, loss, steps, layouts, masters)
    if resume:
        _check_fits(out / LAST, module)
    drawn = Drawn(fields, labels, split.train, recipe, layouts[1:])
    if not resume:
        (out / LOG).unlink(missing_ok=True)
        write_run(out, index, recipe, protocol, split, started, taught_by)
    keeper = _Keeper(out, recipe, drawn, say)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator=machine.accelerator,
            devices=machine.devices if machine.devices == "auto" else _devices(machine.devices),
            num_nodes=machine.nodes,
            strategy=machine.strategy,
            precision={"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}[recipe.precision],  # type: ignore[arg-type]
            max_epochs=recipe.epochs,
            callbacks=_callbacks(recipe, keeper),
            logger=TensorBoardLogger(out, name="", version="tensorboard"),
            plugins=[SafetensorsIO()],
            enable_checkpointing=True,
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            use_distributed_sampler=False,
        )
        # Before Lightning asks how many batches there are.
        drawn.epoch, drawn.devices = (lambda: trainer.current_epoch), trainer.world_size
        _run(
            trainer,
            module,
            DataLoader(drawn, batch_size=None),
            DataLoader(Plain(fields, labels, split.validation or split.train[:1], recipe.layout), batch_size=None),
            out / LAST if resume else None,
            recipe,
            sample,
        )


class _Keeper(Checkpoint):
    """Keeps what an epoch left: the log's row, `best.safetensors`, and last of all the checkpoint to go on from.

    A `Checkpoint`, since Lightning calls these after all others: what is saved then holds the others' state of that epoch.
    """

    def __init__(self, out: Path, recipe: Recipe, drawn: Drawn, say: Say) -> None:
        self._out, self._recipe, self._drawn, self._say = out, recipe, drawn, say
        self._best, self._began = math.inf, 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._best = state_dict["best"]

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._drawn.rank = trainer.global_rank
        if trainer.current_epoch:
            self._say(f"Resumed after epoch {trainer.current_epoch}.")
        if trainer.is_global_zero:
            _cut_log(self._out / LOG, trainer.current_epoch)

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        epoch, loss = trainer.current_epoch + 1, figures["validation_loss"]
        if not math.isfinite(loss):
            raise UserError(
                f"the validation loss of epoch {epoch} is no number: the network has run away",
                path=self._out,
                remedy="train with a smaller --lr into an empty folder; the last whole epoch is kept",
            )
        improved = loss < self._best
        self._best = min(loss, self._best)
        facts = {"epoch": epoch, "validation_loss": loss, "validation_exact": figures["validation_exact"]}
        if trainer.is_global_zero:
            # What the log cannot be written to, the checkpoint cannot either: that one says so.
            rate = trainer.optimizers[0].param_groups[0]["lr"]
            seconds = round(time.perf_counter() - self._began, 1)
            _log(
                self._out / LOG,
                facts | {"training_loss": figures["training_loss"], "learning_rate": rate, "seconds": seconds},
            )
            if improved:
                save_tree(self._out / BEST, {"network": cpu_weights(pl_module.result), "facts": facts})
        trainer.save_checkpoint(self._out / LAST)
        if not trainer.is_global_zero:
            return
        self._say(
            f"epoch {epoch}/{self._recipe.epochs}: training loss {figures['training_loss']:.4f}, "
            f"validation loss {loss:.4f}, exact {figures['validation_exact']:.1%}"
            + (", the best so far" if improved else "")
        )


def _callbacks(recipe: Recipe, keeper: _Keeper) -> list[lightning.Callback]:
    found: list[lightning.Callback] = []
    if sys.stdout.isatty():
        found.append(RichProgressBar(leave=False))
    if recipe.patience:
        found.append(EarlyStopping("validation_loss", patience=recipe.patience, check_on_train_epoch_end=True))
    return [*found, keeper]


def _run(
    trainer: lightning.Trainer,
    module: Training,
    train: DataLoader[Any],
    validation: DataLoader[Any],
    checkpoint: Path | None,
    recipe: Recipe,
    sample: NDArray[np.uint8],
) -> None:
    """Fits, and says which batch size fits where the GPU's memory does not."""
    try:
        trainer.fit(module, train, validation, ckpt_path=None if checkpoint is None else str(checkpoint))
    except torch.OutOfMemoryError as error:
        fits = batch_that_fits(module, recipe, sample)
        raise UserError(
            f"a batch of {recipe.batch} does not fit into the GPU's memory",
            remedy=f"train with --batch {fits}, into an empty folder"
            if fits
            else "train on the CPU with --accelerator cpu",
        ) from error


def batch_that_fits(module: Training, recipe: Recipe, sample: NDArray[np.uint8]) -> int | None:
    """The largest halving of the recipe's batch of which one step forward and back fits, or None. sample: composed pictures."""
    batch = recipe.batch // 2
    while batch >= 2:
        try:
            torch.cuda.empty_cache()
            x = normalised(np.resize(sample, (batch, *sample.shape[1:])), recipe.layout, module.device)
            kind = {"bf16": torch.bfloat16, "16": torch.float16}.get(recipe.precision)
            with torch.autocast(module.device.type, dtype=kind, enabled=kind is not None):
                loss = module.network(x).float().sum()
            loss.backward()
        except torch.OutOfMemoryError:
            batch //= 2
        else:
            return batch
        finally:
            module.network.zero_grad(set_to_none=True)
    return None


def _devices(words: str) -> int | list[int]:
    """'2' is a count, '0,3' names devices. Raises UserError for other words."""
    try:
        return [int(word) for word in words.split(",")] if "," in words else int(words)
    except ValueError as error:
        raise UserError(f"'{words}' names no devices", remedy="give a count (2) or a list (0,1)") from error


def _check_classes(labels: NDArray[np.intp], split: Split) -> None:
    counts = np.bincount(labels[list(split.train)], minlength=len(CLASSES))
    empty = [name for name, count in zip(CLASSES, counts, strict=True) if count == 0]
    if empty:
        raise UserError(
            f"there is no pair of {' and '.join(empty)} to learn from",
            remedy="add pairs of each class to the train split; 'index' lists what is there",
        )


def _is_done(out: Path, recipe: Recipe) -> bool:
    """Whether a run has all its epochs, or stopped early: Lightning would train such a one further."""
    checkpoint = load_tree(out / LAST)
    waited = [
        state["wait_count"] for name, state in checkpoint["callbacks"].items() if name.startswith("EarlyStopping")
    ]
    return checkpoint["epoch"] + 1 >= recipe.epochs or any(count >= recipe.patience for count in waited)


def _check_fits(checkpoint: Path, module: Training) -> None:
    """Raises UserError where a checkpoint holds another network than this run trains."""
    theirs = {name: tensor.shape for name, tensor in load_tree(checkpoint)["state_dict"].items()}
    if theirs != {name: tensor.shape for name, tensor in module.state_dict().items()}:
        raise UserError(
            "it is a checkpoint of another training", path=checkpoint, remedy="train again into an empty folder"
        )


def _check_resumed(out: Path, recipe: Recipe, split: Split, teachers: Sequence[str]) -> None:
    """Raises UserError where a run would go on with other settings or other data than it began with."""
    facts = load_run(out)
    before = Recipe.model_validate(facts["recipe"])
    mine, theirs = (one.model_dump(mode="json", exclude={"start"}) for one in (recipe, before))
    changed = sorted(name for name in mine if mine[name] != theirs[name])
    if changed:
        raise UserError(
            f"this run began with {changed[0]} {theirs[changed[0]]}, not {mine[changed[0]]}",
            path=out,
            remedy="resume with the same settings, or train into another folder",
        )
    if list(teachers) != facts["teachers"]:
        began = ", ".join(facts["teachers"]) or "no teacher"
        raise UserError(f"this run began with {began}", path=out, remedy="resume with the same --teacher options")
    if asdict(split) != {name: tuple(part) for name, part in facts["split"].items()}:
        raise UserError(
            "the pairs are not those that this run began with", path=out, remedy="resume with the same data"
        )


def write_run(
    out: Path, index: Index, recipe: Recipe, protocol: Protocol, split: Split, started: str, teachers: Sequence[str]
) -> None:
    """`run.json`: all that `compare` and `package` need to know of this run."""
    counts = {name: dict(sorted(counter.items())) for name, counter in index.counts().items()}
    document = {
        "schema": SCHEMA,
        "data": str(index.root),
        "counts": counts,
        "refused": len(index.refused),
        "protocol": protocol,
        "split": asdict(split),
        "started_from": started,
        "teachers": list(teachers),
        "recipe": recipe.model_dump(mode="json"),
        "torch": torch.__version__,
        "lightning": lightning.__version__,
        "opencv": cv2.__version__,
    }
    with replacing(out / RUN) as draft:
        draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _log(path: Path, facts: Mapping[str, float]) -> None:
    """One more row of the CSV log; the header comes with the first."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow({name: facts[name] for name in _COLUMNS})


def _cut_log(path: Path, epochs: int) -> None:
    """Leaves the rows of whole epochs: a killed run may have logged one more than it could keep."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _counter(say: Say, verb: str, total: int) -> Callable[[int], None]:
    def count(done: int) -> None:
        if done % 200 == 0:
            say(f"  {verb} {done} of {total}")

    return count


@contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    """Without Lightning's hints that do not concern a user of this command."""
    import logging

    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # Batches are drawn ahead in a thread; worker processes would copy the memory map's pages for nothing.
        warnings.filterwarnings("ignore", ".*does not have many workers.*")
        # Lightning 2.6 itself builds what torch 2.15 deprecates.
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated.*", FutureWarning)
        # The number of batches is known and right; Lightning only doubts lengths of iterable datasets.
        warnings.filterwarnings("ignore", ".*IterableDataset.*has `__len__` defined.*")
        warnings.filterwarnings("ignore", ".*The number of training batches.*is smaller than the logging interval.*")
        try:
            yield
        finally:
            logger.setLevel(level)

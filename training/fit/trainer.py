"""Trains the network on an indexed folder: plain PyTorch, every draw a function of seed, epoch and place."""

import csv
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from her2viewer.scoring.network import ResNet18
from her2viewer.scoring.normalise import normalised
from her2viewer.scoring.preprocess import InputLayout, compose
from her2viewer.scoring.stains import Stain
from training.data.cache import Fields, cached_fields
from training.data.index import CLASSES, Index, Split, stratified_split
from training.fit.augment import augmented
from training.fit.checkpoint import load_checkpoint, save_checkpoint
from training.fit.start import starting_network
from training.recipes.recipe import NONE, Recipe

Say = Callable[[str], None]


def fit(
    index: Index, recipe: Recipe, out: Path, *, resume: bool = False, say: Say = print, threads: int | None = None
) -> None:
    """Trains and leaves in `out`: `best.safetensors` (by validation loss), `last.safetensors`, `run.json`, `log.csv`.

    Only pairs of the train split are touched. Two runs with one seed on the CPU give the same weights, and so does a run that
    was killed and resumed. Raises UserError for what a user can mend.
    """
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    pairs = index.of("train")
    labels = np.array([CLASSES.index(pair.label or "") for pair in pairs])
    split = stratified_split([pair.label or "" for pair in pairs], recipe.seed)
    fields = cached_fields(pairs, out.parent / "cache", recipe.layout.height, _counter(say, "decoded", len(pairs)))
    device = "cuda" if torch.cuda.is_available() else "cpu"

    calibration = normalised(
        np.stack([composed(fields[i], recipe.layout) for i in split.train[:64]]), recipe.layout, "cpu"
    )
    network, started_from = starting_network(recipe.start, len(CLASSES), recipe.seed, calibration, say)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    epoch, best = 0, math.inf
    if resume and (out / "last.safetensors").exists():
        facts = load_checkpoint(out / "last.safetensors", network, optimizer)
        epoch, best, started_from = facts["epoch"], facts["best"], facts["start"]
        say(f"Resumed after epoch {epoch}.")
    write_run(out, index, recipe, split, started_from)

    while epoch < recipe.epochs:
        began = time.perf_counter()
        trained = train_one_epoch(network, optimizer, fields, labels, split.train, recipe, epoch, device, say)
        loss, exact = validate(network, fields, labels, split.validation, recipe.layout, device)
        epoch += 1
        improved = loss < best
        best = min(loss, best)
        facts = {
            "epoch": epoch,
            "best": best,
            "start": started_from,
            "validation_loss": loss,
            "validation_exact": exact,
        }
        if improved:
            save_checkpoint(out / "best.safetensors", network, optimizer, facts)
        save_checkpoint(out / "last.safetensors", network, optimizer, facts)
        log_epoch(out / "log.csv", facts | {"training_loss": trained, "seconds": round(time.perf_counter() - began, 1)})
        say(
            f"epoch {epoch}/{recipe.epochs}: training loss {trained:.4f}, validation loss {loss:.4f}, exact {exact:.1%}"
        )


def train_one_epoch(
    network: ResNet18,
    optimizer: torch.optim.Optimizer,
    fields: Fields,
    labels: NDArray[np.intp],
    members: Sequence[int],
    recipe: Recipe,
    epoch: int,
    device: str,
    say: Say,
) -> float:
    """One pass over the training fields; returns the mean loss. The learning rate warms up over one epoch, then a cosine."""
    network.train()
    order = epoch_order(labels, members, recipe, epoch)
    steps = math.ceil(len(order) / recipe.batch)
    total = 0.0
    for step, (inputs, targets) in enumerate(batches(fields, labels, order, members, recipe, epoch)):
        done = (epoch * steps + step) / (recipe.epochs * steps)
        warm = min(1.0, (epoch * steps + step + 1) / steps)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        x = normalised(inputs, recipe.layout, device)
        loss = functional.cross_entropy(network(x), targets.to(device), label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(loss.detach())
        if step % 10 == 9:
            say(f"  epoch {epoch + 1}, step {step + 1}/{steps}: loss {total / (step + 1):.4f}")
    return total / steps


def epoch_order(labels: NDArray[np.intp], members: Sequence[int], recipe: Recipe, epoch: int) -> NDArray[np.intp]:
    """Which field comes when: a shuffle, in which with oversampling each class is drawn equally often (oversampling)."""
    rng = np.random.default_rng([recipe.seed, epoch])
    pool = np.array(members)
    if recipe.sampling != "oversampling":
        return rng.permutation(pool)
    present = np.unique(labels[pool])
    share = math.ceil(len(pool) / len(present))
    drawn = [np.resize(rng.permutation(pool[labels[pool] == c]), share) for c in present]
    return rng.permutation(np.concatenate(drawn))[: len(pool)]


def batches(
    fields: Fields, labels: NDArray[np.intp], order: NDArray[np.intp], pool: Sequence[int], recipe: Recipe, epoch: int
) -> Iterator[tuple[NDArray[np.uint8], Tensor]]:
    """(inputs (n, h, w, 3) uint8, targets (n,)) in order; the next batch is drawn while the last is learned."""

    def draw(place: int) -> NDArray[np.uint8]:
        rng = np.random.default_rng([recipe.seed, epoch, place])
        stranger = fields[int(rng.choice(pool))]
        he, ihc = augmented(fields[order[place]], stranger, recipe.augmentation, rng)
        return compose({Stain.HE: he, Stain.IHC: ihc}, recipe.layout)

    def batch(first: int) -> tuple[NDArray[np.uint8], Tensor]:
        places = range(first, min(first + recipe.batch, len(order)))
        return np.stack([draw(place) for place in places]), torch.from_numpy(labels[order[places.start : places.stop]])

    with ThreadPoolExecutor(1) as worker:
        starts = list(range(0, len(order), recipe.batch))
        if len(order) - starts[-1] == 1 and len(starts) > 1:
            starts.pop()  # a batch norm learns nothing from one field
        ahead = worker.submit(batch, starts[0])
        for following in [*starts[1:], None]:
            ready = ahead.result()
            if following is not None:
                ahead = worker.submit(batch, following)
            yield ready


@torch.inference_mode()
def validate(
    network: ResNet18,
    fields: Fields,
    labels: NDArray[np.intp],
    members: Sequence[int],
    layout: InputLayout,
    device: str,
) -> tuple[float, float]:
    """Mean cross-entropy with each class weighing the same, and the share of exact scores, without augmentation."""
    logits = predict_logits(network, fields, members, layout, device)
    targets = labels[list(members)]
    losses = functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(targets), reduction="none").numpy()
    per_class = [losses[targets == c].mean() for c in np.unique(targets)]
    return float(np.mean(per_class)), float((logits.argmax(axis=1) == targets).mean())


@torch.inference_mode()
def predict_logits(
    network: ResNet18, fields: Fields, members: Sequence[int], layout: InputLayout, device: str
) -> NDArray[np.float32]:
    """(n, classes) float32 logits of cached fields, in eval mode."""
    network.eval()
    rows = []
    for first in range(0, len(members), 64):
        inputs = np.stack([composed(fields[i], layout) for i in members[first : first + 64]])
        rows.append(network(normalised(inputs, layout, device)).float().cpu().numpy())
    return np.concatenate(rows)


def composed(field: NDArray[np.uint8], layout: InputLayout) -> NDArray[np.uint8]:
    """A cached field as the network's picture, unchanged."""
    he, ihc = augmented(field, field, NONE, np.random.default_rng(0))
    return compose({Stain.HE: he, Stain.IHC: ihc}, layout)


def write_run(out: Path, index: Index, recipe: Recipe, split: Split, started_from: str) -> None:
    """`run.json`: all that `evaluate` and `package` need to know of this run."""
    counts = {name: dict(sorted(counter.items())) for name, counter in index.counts().items()}
    document = {
        "schema": "her2viewer.run/1",
        "data": str(index.root),
        "counts": counts,
        "refused": len(index.refused),
        "split": asdict(split),
        "started_from": started_from,
        "recipe": recipe.settings(),
        "layout": recipe.layout.model_dump(mode="json"),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }
    (out / "run.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def log_epoch(path: Path, facts: dict[str, float | int | str]) -> None:
    """One more row of the CSV log; the header comes with the first."""
    row = {name: facts[name] for name in ("epoch", "training_loss", "validation_loss", "validation_exact", "seconds")}
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _counter(say: Say, verb: str, total: int) -> Callable[[int], None]:
    def count(done: int) -> None:
        if done % 200 == 0:
            say(f"  {verb} {done} of {total}")

    return count

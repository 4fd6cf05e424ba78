"""Which labelled pairs a data folder holds, and a clear list of everything that was refused."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2viewer.cases.pairing import Pair, pair_folder
from her2viewer.errors import ImageError, PairError
from her2viewer.imaging.opening import probe

CLASSES = ("0", "1+", "2+", "3+")

SIZE_TOLERANCE = 0.01
"""Halves of a pair may differ by a pixel in a hundred, as pictures cut from a page do; more is another field."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not used, and why, in words."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """The labelled pairs of a folder, sorted by case id, and what was refused."""

    root: Path
    pairs: tuple[Pair, ...]
    refused: tuple[Refusal, ...]

    def of(self, split: str) -> tuple[Pair, ...]:
        """The pairs of 'train' or 'test'."""
        return tuple(pair for pair in self.pairs if pair.split == split)

    def counts(self) -> dict[str, Counter[str]]:
        """Pairs per split and label."""
        table: dict[str, Counter[str]] = {}
        for pair in self.pairs:
            table.setdefault(pair.split or "", Counter())[pair.label or ""] += 1
        return table


def index_folder(root: Path) -> Index:
    """Pairs a folder in BCI layout and checks each pair from its headers: both readable and of one size.

    The label is read from each image's own name, never from an order of listing; a pair whose two names disagree, an
    unknown label, a missing half, a copy named `(1)` and an unreadable file are refused and listed. A pair without a split in
    its name or folder counts as 'train'. Raises PairError where no pair is left.
    """
    pairing = pair_folder(root)
    refused = [Refusal(path, "its other half is missing") for path in pairing.unpaired]
    refused += [Refusal(path, reason) for path, reason in pairing.refused]
    kept = []
    for pair in pairing.pairs:
        problem = _problem(pair)
        if problem is None:
            kept.append(Pair(pair.case_id, pair.he, pair.ihc, pair.label, pair.split or "train"))
        else:
            refused.append(problem)
    if not kept:
        raise PairError(
            "no labelled pair was found"
            + (f" ({len(refused)} files refused, the first: {refused[0].reason})" if refused else ""),
            path=root,
            remedy="name a folder in BCI layout: HE/train, IHC/train, HE/test, IHC/test with names like 00000_train_1+.png",
        )
    return Index(root, tuple(sorted(kept, key=lambda pair: pair.case_id)), tuple(refused))


def _problem(pair: Pair) -> Refusal | None:
    if pair.label not in CLASSES:
        return Refusal(pair.ihc, f"its name carries no label of {', '.join(CLASSES)}")
    try:
        sizes = [probe(path).size for path in (pair.he, pair.ihc)]
    except ImageError as error:
        return Refusal(error.path or pair.ihc, str(error))
    if any(abs(he - ihc) > SIZE_TOLERANCE * he for he, ihc in zip(*sizes, strict=True)):
        return Refusal(
            pair.ihc, f"the sizes differ: H&E {sizes[0][0]} x {sizes[0][1]}, IHC {sizes[1][0]} x {sizes[1][1]}"
        )
    return None


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in a list of pairs: to learn from, to choose the epoch by, and to calibrate the probabilities with."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    calibration: tuple[int, ...]


def stratified_split(labels: Sequence[str], seed: int, share: float = 0.1) -> Split:
    """Takes `share` of each class for validation and as much for calibration; each class keeps at least one to learn from."""
    rng = np.random.default_rng(seed)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in sorted(set(labels)):
        members = rng.permutation([i for i, other in enumerate(labels) if other == label])
        held = min(round(len(members) * share), (len(members) - 1) // 2)
        parts[1].extend(members[:held])
        parts[2].extend(members[held : 2 * held])
        parts[0].extend(members[2 * held :])
    train, validation, calibration = (tuple(sorted(int(i) for i in part)) for part in parts)
    return Split(train, validation, calibration)

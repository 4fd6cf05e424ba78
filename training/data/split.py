"""Parts of the train split: to learn from, to choose the epoch by, to calibrate with. The test split is never touched."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError

Protocol = Literal["stratified", "grouped"]
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)


@dataclass(frozen=True, slots=True)
class Split:
    """Positions in a list of pairs: to learn from, to choose the epoch by, and to calibrate the probabilities with."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    calibration: tuple[int, ...]


def split_pairs(pairs: Sequence[Pair], seed: int, protocol: Protocol = "stratified", share: float = 0.1) -> Split:
    """Validation and calibration parts of `share` each, by one of two protocols.

    'stratified' draws fields, as the published splits do; 'grouped' draws whole groups (slides, patients or clusters of
    related fields), so that no part holds a relative of another's. Raises UserError where a grouped split is asked for and
    the pairs name no groups, or fewer than three.
    """
    labels = [pair.label or "" for pair in pairs]
    if protocol == "stratified":
        return stratified_split(labels, seed, share)
    if not any(pair.group for pair in pairs):
        raise UserError(
            "a grouped split needs to know which fields belong together",
            remedy="fit on a table with a column group, slide or patient; "
            "'index DATA --audit --regroup FILE.csv' writes one from what it finds in the images",
        )
    return stratified_group_split(labels, [pair.group or f"alone {i}" for i, pair in enumerate(pairs)], seed, share)


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


def stratified_group_split(labels: Sequence[str], groups: Sequence[str], seed: int, share: float = 0.1) -> Split:
    """As `stratified_split`, but no group is in two parts; classes are kept as even as whole groups allow.

    The shares are met as nearly as groups allow. A class that stands in held-out groups alone gives one of them back, so that
    each class is learned from. Raises UserError for fewer than three groups.
    """
    if len(set(groups)) < 3:
        raise UserError(
            f"a grouped split needs at least three groups, and there are {len(set(groups))}",
            remedy="use the stratified split, or add fields of other slides",
        )
    parts = group_folds(labels, groups, seed, round(1 / share))
    held = [set(part.tolist()) for part in parts[:2]]
    for i in needed_in_train(labels, groups, held[0] | held[1]):
        held = [part - {i} for part in held]
    train = set(range(len(labels))) - held[0] - held[1]
    return Split(tuple(sorted(train)), tuple(sorted(held[0])), tuple(sorted(held[1])))


def needed_in_train(labels: Sequence[str], groups: Sequence[str], held: set[int]) -> set[int]:
    """Of the positions held out, those to give back so that no class is held out whole: its smallest group, all of it."""
    names = np.array(groups)
    needed: set[int] = set()
    for label in sorted(set(labels)):
        members = {i for i, other in enumerate(labels) if other == label}
        if members <= held - needed:
            smallest = min(members, key=lambda i: (int((names == groups[i]).sum()), i))
            needed |= set(np.flatnonzero(names == groups[smallest]).tolist())
    return needed


def group_folds(labels: Sequence[str], groups: Sequence[str], seed: int, folds: int) -> list[NDArray[np.intp]]:
    """Positions of each of `folds` parts (fewer where there are fewer groups) of about one size, no group in two."""
    from sklearn.model_selection import StratifiedGroupKFold

    number = max(2, min(folds, len(set(groups))))
    folder: Any = StratifiedGroupKFold(number, shuffle=True, random_state=seed)  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")  # that part goes without the class then
        try:
            return [held for _, held in folder.split(np.zeros(len(labels)), labels, groups)]
        except ValueError:  # no class has as many members as there are parts
            rng = np.random.default_rng(seed)
            order = {name: i % number for i, name in enumerate(rng.permutation(sorted(set(groups))))}
            part = np.array([order[name] for name in groups])
            return [np.flatnonzero(part == i) for i in range(number)]

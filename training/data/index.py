"""Which labelled pairs a data folder or table holds, and a clear list of everything that was refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from her2viewer.cases.names import same
from her2viewer.cases.pairing import Pair, label_of
from her2viewer.errors import ImageError, PairError
from her2viewer.imaging.opening import open_image, probe
from her2viewer.scoring.stains import Stain
from training.data.search import LABELS, SPLITS, files_of, is_table, search, told_by_folders
from training.data.split import Split, stratified_split

__all__ = ["CLASSES", "Index", "Refusal", "Split", "index_folder", "stratified_split"]

CLASSES = ("0", "1+", "2+", "3+")

SIZE_TOLERANCE = 0.01
"""Halves of a pair may differ by a pixel in a hundred, as pictures cut from a page do; more is another field."""

IMBALANCE = 4
"""A largest class this many times the smallest is said; BCI's train split has 8.4."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that is not used, and why, in words."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """The labelled pairs of a folder or table, sorted by case id, and what was refused.

    root: the folder or the table itself. remarks: what a reader of the counts should know, in sentences.
    """

    root: Path
    pairs: tuple[Pair, ...]
    refused: tuple[Refusal, ...]
    remarks: tuple[str, ...] = ()

    @property
    def base(self) -> Path:
        """The folder that relative paths start from."""
        return self.root.parent if is_table(self.root) else self.root

    def of(self, split: str) -> tuple[Pair, ...]:
        """The pairs of 'train' or 'test'."""
        return tuple(pair for pair in self.pairs if pair.split == split)

    def counts(self) -> dict[str, Counter[str]]:
        """Pairs per split and label."""
        table: dict[str, Counter[str]] = {}
        for pair in self.pairs:
            table.setdefault(pair.split or "", Counter())[pair.label or ""] += 1
        return table


def index_folder(
    root: Path, *, stain: Stain | None = None, deep: bool = False, progress: Callable[[int], None] = lambda done: None
) -> Index:
    """The labelled pairs of a folder in BCI's layout, of an own folder, or of a CSV (see `training.data.search`).

    Label and split are read from each image's own name or the folders it lies in, or from its row, never from an order of
    listing. Each pair is checked from its headers (both readable, of one size), with `deep` by decoding every pixel. A pair
    whose two names disagree, an unknown label or split, a missing half, a copy named `(1)` and an unreadable file are refused
    and listed. A pair without a split counts as 'train', and so does one of 'val', since a validation part is drawn from
    train.

    stain: take the images of that stain alone; the other file of each pair is then None. progress: called with the number of
    pairs checked. Raises PairError where no pair is left.
    """
    root = Path(root)
    pairing = search(root, stain)
    refused = [Refusal(path, _why_unpaired(path, pairing.unpaired)) for path in pairing.unpaired]
    refused += [Refusal(path, reason) for path, reason in pairing.refused]
    labelled = [_labelled(pair, root) for pair in pairing.pairs]
    refused += [item for item in labelled if isinstance(item, Refusal)]
    candidates = [item for item in labelled if isinstance(item, Pair)]
    kept = []
    with ThreadPoolExecutor(4) as workers:
        for done, (pair, problem) in enumerate(
            zip(candidates, workers.map(lambda pair: _problem(pair, deep), candidates), strict=True), 1
        ):
            if problem is None:
                kept.append(pair)
            else:
                refused.append(problem)
            progress(done)
    if not kept:
        raise PairError(
            "no labelled pair was found"
            + (f" (refused: {len(refused)}, the first: {refused[0].reason})" if refused else ""),
            path=root,
            remedy="name a folder in BCI layout (HE/train, IHC/train, HE/test, IHC/test with names like 00000_train_1+.png), "
            "one with folders named by split and label, or a CSV; images of one stain alone need --stain",
        )
    remarks = (*_remarks_on_names(kept), *_remarks_on_counts(kept))
    kept = [replace(pair, split="train") if pair.split == "val" else pair for pair in kept]
    return Index(root, tuple(sorted(kept, key=lambda pair: pair.case_id)), tuple(refused), remarks)


def _labelled(pair: Pair, root: Path) -> Pair | Refusal:
    """The pair with the label and the split that its row, its names and its folders agree on."""
    files = list(files_of(pair).values())
    told = {label_of(path.name) for path in files} - {None}
    if len(told) > 1 and pair.label in told and pair.label == label_of(files[0].name):
        return Refusal(files[-1], f"the two names disagree on the label: {' and '.join(sorted(map(str, told)))}")
    by_folder = {told_by_folders(path, root, LABELS) for path in files} - {None}
    if pair.label is None and len(by_folder) == 1:
        pair = replace(pair, label=by_folder.pop())
    elif by_folder - {pair.label}:
        return Refusal(
            files[-1],
            f"name and folder disagree on the label: {pair.label or 'none'} and {sorted(map(str, by_folder))[0]}",
        )
    label = LABELS.get(same(pair.label or ""))
    if label is None:
        given = f"the label '{pair.label}' is none of" if pair.label else "its name carries no label of"
        return Refusal(files[-1], f"{given} {', '.join(CLASSES)}")
    folders = {told_by_folders(path, root, SPLITS) for path in files} - {None}
    splits = {SPLITS.get(same(pair.split), pair.split)} if pair.split else set(folders)
    if len(splits | folders) > 1:
        return Refusal(
            files[-1], f"name and folder disagree on the split: {' and '.join(sorted(map(str, splits | folders)))}"
        )
    split = str(next(iter(splits), "train"))
    if split not in SPLITS.values():
        return Refusal(files[-1], f"the split '{split}' is neither train nor test")
    return replace(pair, label=label, split=split)


def _problem(pair: Pair, deep: bool) -> Refusal | None:
    files = files_of(pair)
    sizes, digests = [], []
    for path in files.values():
        try:
            sizes.append(probe(path).size)
            if deep:
                with open_image(path) as image:
                    image.read(0, 0, 0, *image.size)
                    digests.append(image.sha256)
        except ImageError as error:
            return Refusal(path, f"{error.what}; {error.remedy}")
    if len(files) < 2:
        return None
    he, ihc = sizes
    if any(abs(a - b) > SIZE_TOLERANCE * a for a, b in zip(he, ihc, strict=True)):
        return Refusal(files[Stain.IHC], f"the sizes differ: H&E {he[0]} x {he[1]}, IHC {ihc[0]} x {ihc[1]}")
    if files[Stain.HE] == files[Stain.IHC] or (deep and digests[0] == digests[1]):
        return Refusal(files[Stain.IHC], "it is the same picture as the H&E")
    return None


def _why_unpaired(path: Path, unpaired: Sequence[Path]) -> str:
    """A file whose partner is there under another label is another mistake than a file without one."""
    number = path.stem.partition("_")[0]
    others = [
        other
        for other in unpaired
        if other.parent != path.parent
        and other.parent.name == path.parent.name
        and other.stem.partition("_")[0] == number
    ]
    if len(others) == 1 and "_" in path.stem:
        return f"its other half is missing: {others[0].name} has the same number, but the names disagree"
    return "its other half is missing"


def _remarks_on_names(pairs: Sequence[Pair]) -> Iterator[str]:
    other = [
        pair for pair in pairs if any(label_of(path.name) not in (None, pair.label) for path in files_of(pair).values())
    ]
    if other:
        yield f"{len(other)} pairs have another label in the table than in their names; the table's is used."
    if held := sum(pair.split == "val" for pair in pairs):
        yield f"{held} pairs of the split 'val' count as train: fit takes its validation part from train itself."


def _remarks_on_counts(pairs: Sequence[Pair]) -> Iterator[str]:
    for split in ("train", "test"):
        counts = Counter(pair.label for pair in pairs if (pair.split == "test") == (split == "test"))
        if not counts:
            yield f"There is no pair in {split}" + (
                ": nothing can be fitted." if split == "train" else " to evaluate on."
            )
            continue
        if empty := [name for name in CLASSES if not counts[name]]:
            word = "class" if len(empty) == 1 else "classes"
            yield f"Empty {word} in {split}: {', '.join(empty)}" + (
                "; a network cannot learn what it never sees." if split == "train" else "; nothing can be said of it."
            )
        (most, large), (least, small) = counts.most_common(1)[0], min(counts.items(), key=lambda item: item[1])
        if large >= IMBALANCE * small:
            yield f"Imbalance in {split}: {most} has {large / small:.1f} times as many pairs as {least} ({large}, {small})."

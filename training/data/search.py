"""Which files belong together: the layouts of a data folder, a table, or images of one stain alone.

Folders may be named by stain (`HE`, `IHC`), by split (`train`, `val`, `test`) and by label (`0`, `1+`, `2+`, `3+`), in any
order: `HE/train/00000_train_1+.png` as in BCI, `train/2+/S7_HE.png` beside `train/2+/S7_IHC.png`, or `HE/test/3+/S9.png`
with `IHC/test/3+/S9.png`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from her2viewer.cases.manifest import TABLE_SUFFIXES
from her2viewer.cases.names import (
    STAIN_FOLDERS,
    case_and_stain,
    is_copy,
    is_image_name,
    label_of,
    natural,
    same,
    split_of,
)
from her2viewer.cases.pairing import Pair, Pairing, pair_folder, read_manifest, with_unique_ids
from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain

LABELS: Final = {"0": "0", "1": "1+", "1+": "1+", "2": "2+", "2+": "2+", "3": "3+", "3+": "3+"}
SPLITS: Final = {word: word for word in ("train", "test", "val")} | {"training": "train", "validation": "val"}
NOTHING: Final[Any] = None
"""The half that a pair of one stain does not have."""


def is_table(path: Path) -> bool:
    """True for the name of a CSV manifest that is not a folder's."""
    return path.suffix.lower() in TABLE_SUFFIXES and not path.is_dir()


def files_of(pair: Pair) -> dict[Stain, Path]:
    """The one or two files of a pair, H&E first."""
    both = {Stain.HE: pair.he, Stain.IHC: pair.ihc}
    return {stain: path for stain, path in both.items() if path is not None}


def search(root: Path, stain: Stain | None = None) -> Pairing:
    """Every pair of a folder or table, checked in nothing yet; with `stain`, the images of that stain alone.

    Raises PairError where it cannot be read, or holds nothing that could be one.
    """
    if is_table(root):
        return read_manifest(root) if stain is None else _lone(read_manifest(root, needed=(stain,)), stain)
    if stain is not None:
        return _images_of(root, stain)
    found = list(_layouts(root))
    if not found:
        return pair_folder(root)  # says what was looked for
    return Pairing(
        "; ".join(dict.fromkeys(pairing.rule for pairing in found)),
        with_unique_ids(pair for pairing in found for pair in pairing.pairs),
        tuple(path for pairing in found for path in pairing.unpaired),
        tuple(refused for pairing in found for refused in pairing.refused),
    )


def told_by_folders(path: Path, root: Path, words: dict[str, str]) -> str | None:
    """The split or label that the folders between `root` and a file are named by; the innermost counts."""
    if not path.is_relative_to(root):
        return None
    told = [words[same(part)] for part in path.relative_to(root).parts[:-1] if same(part) in words]
    return told[-1] if told else None


def _layouts(folder: Path) -> Iterator[Pairing]:
    """The pairing of each folder that holds images of its own, down through folders named by split or label."""
    folders, images = _listed(folder)
    stains = {STAIN_FOLDERS.get(same(entry.name)) for entry in folders} - {None}
    if len(stains) == 2:
        yield pair_folder(folder)
        return
    if images:
        try:
            yield pair_folder(folder)
        except PairError as error:
            yield Pairing("", (), refused=tuple((path, error.what) for path in images))
    for entry in folders:
        if same(entry.name) in SPLITS or same(entry.name) in LABELS:
            yield from _layouts(entry)
        elif any(is_image_name(path) for path in entry.rglob("*")):
            yield Pairing("", (), refused=((entry, "the folder is named neither by a split nor by a label"),))


def _images_of(root: Path, stain: Stain) -> Pairing:
    """Images of one stain: below its own folders where there are some, otherwise all whose names tell no other stain."""
    pairs, refused = [], []
    for path in sorted(_below(root), key=lambda path: natural(path.relative_to(root).as_posix())):
        folders = {STAIN_FOLDERS.get(same(part)) for part in path.relative_to(root).parts[:-1]}
        told = case_and_stain(path)
        if stain.other in folders or (told is not None and told[1] is stain.other):
            continue
        if is_copy(path):
            refused.append((path, "its name is that of a copy; rename it if it is a field of its own"))
            continue
        he, ihc = (path, NOTHING) if stain is Stain.HE else (NOTHING, path)
        pairs.append(Pair(path.stem if told is None else told[0], he, ihc, label_of(path.name), split_of(path.name)))
    return Pairing(f"images of {stain.caption} alone", with_unique_ids(pairs), refused=tuple(refused))


def _below(folder: Path) -> Iterator[Path]:
    folders, images = _listed(folder)
    yield from images
    for entry in folders:
        if any(same(entry.name) in words for words in (SPLITS, LABELS, STAIN_FOLDERS)):
            yield from _below(entry)


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the images in a folder, hidden ones and links to folders left out."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        reason = "there is no such folder" if isinstance(error, FileNotFoundError) else error.strerror
        raise PairError(f"{reason}", path=folder, remedy="name a folder of pairs or a CSV that lists them") from error
    folders = [path for path in entries if path.is_dir() and not path.is_symlink()]
    return folders, [path for path in entries if is_image_name(path) and not path.is_dir()]


def _lone(pairing: Pairing, stain: Stain) -> Pairing:
    missing = {str(stain.other): NOTHING}
    return replace(pairing, pairs=tuple(replace(pair, **missing) for pair in pairing.pairs))

"""The pairs of folders, by layout or by name ending.

No image is opened here. Whatever is left out is listed, with the reason: nothing is paired by its place in a listing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from her2viewer.cases.names import (
    STAIN_FOLDERS,
    case_and_stain,
    is_copy,
    is_image_name,
    natural,
    same,
)
from her2viewer.cases.pair import Pair, Pairing, Refused, pair_files, with_unique_ids
from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain

_LOOKED_FOR: Final = (
    "folders HE and IHC beside each other with equal file names in both, or names that end in _HE and _IHC (or _HER2)"
)

_Key = tuple[str, str]
"""(folder below the stain's own, name), both in the form that is equal for equal names."""


def pair_folder(root: Path | str) -> Pairing:
    """The pairs of a folder: BCI's layout (HE/ and IHC/, with or without folders below), otherwise name endings.

    Raises PairError where there is no pair in it, saying what was looked for.
    """
    root = Path(root)
    stains: dict[Stain, Path] = {}
    for entry in _entries(root):
        stain = STAIN_FOLDERS.get(same(entry.name))
        if stain is not None and entry.is_dir():
            if stain in stains:
                raise PairError(
                    f"there are two folders of {stain.caption} images, {stains[stain].name} and {entry.name}",
                    path=root,
                    remedy="leave one of them in it, or choose the two folders themselves",
                )
            stains[stain] = entry
    if len(stains) == 2:
        return pair_folders(stains[Stain.HE], stains[Stain.IHC])
    return pair_by_ending(root)


def pair_folders(he: Path | str, ihc: Path | str) -> Pairing:
    """The pairs of two folders whose files, and folders below, have equal names (suffixes may differ).

    Raises PairError where there is no pair.
    """
    he, ihc = Path(he), Path(ihc)
    if he.resolve() == ihc.resolve():
        raise PairError("the same folder was given for H&E and IHC", path=he, remedy="choose two different folders")
    refused: list[Refused] = []
    found = {Stain.HE: _by_name(he, refused), Stain.IHC: _by_name(ihc, refused)}
    rule = f"equal file names in {he.name} and {ihc.name}"
    return matched(rule, found, refused, missing=f"no file name in {he.name} is also in {ihc.name}", place=he.parent)


def pair_by_ending(root: Path) -> Pairing:
    """The pairs of a folder by names that end in the stain. Raises PairError where there is no pair."""
    refused: list[Refused] = []
    unpaired: list[Path] = []
    found: dict[Stain, dict[_Key, list[Path]]] = {stain: defaultdict(list) for stain in Stain}
    for path in images_in(root, refused):
        told = case_and_stain(path)
        if told is None:
            unpaired.append(path)
        else:
            case, stain = told
            found[stain]["", same(case)].append(path)
    unique = {stain: unambiguous(files, refused) for stain, files in found.items()}
    seen = len(unpaired) + len(refused) + sum(len(files) for files in found.values())
    missing = "no two images in it make a pair" if seen else "there are no images in it"
    return matched("file names that end in the stain", unique, refused, unpaired, missing=missing, place=root)


def _by_name(folder: Path, refused: list[Refused]) -> dict[_Key, Path]:
    """The images below a folder by their place in it and their name."""
    found: dict[_Key, list[Path]] = defaultdict(list)
    for path in images_in(folder, refused, below=True):
        found[same(path.parent.relative_to(folder).as_posix()), same(path.stem)].append(path)
    return unambiguous(found, refused)


def unambiguous(found: dict[_Key, list[Path]], refused: list[Refused]) -> dict[_Key, Path]:
    """Names that stand once. Where a name stands twice nobody can say which is meant, so none of them is used."""
    for paths in found.values():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            refused += [(path, f"its name stands more than once ({names}); keep one of them") for path in paths]
    return {key: paths[0] for key, paths in found.items() if len(paths) == 1}


def matched(
    rule: str,
    found: dict[Stain, dict[_Key, Path]],
    refused: list[Refused],
    unpaired: Iterable[Path] = (),
    *,
    missing: str,
    place: Path,
    make: Callable[[Path, Path], Pair] = pair_files,
) -> Pairing:
    """What stands on both sides, as pairs. Raises PairError, saying what is `missing` in `place`, where nothing does."""
    he, ihc = found[Stain.HE], found[Stain.IHC]
    both = sorted(he.keys() & ihc.keys(), key=lambda key: (natural(key[0]), natural(key[1]), key))
    if not both:
        raise PairError(
            missing, path=place, remedy=f"looked for {_LOOKED_FOR}; name the files so, or list them in a CSV"
        )
    alone = [*unpaired, *(he[key] for key in he.keys() - ihc.keys()), *(ihc[key] for key in ihc.keys() - he.keys())]
    return Pairing(
        rule,
        with_unique_ids(make(he[key], ihc[key]) for key in both),
        tuple(sorted(alone, key=_place)),
        tuple(sorted(refused, key=lambda item: _place(item[0]))),
    )


def images_in(folder: Path, refused: list[Refused], *, below: bool = False) -> list[Path]:
    """The image files of a folder, by name alone, copies refused; `below` takes in the folders below it."""
    found = []
    for path in _entries(folder):
        if path.is_dir():
            if below and not path.is_symlink():  # a link may lead back up
                found += images_in(path, refused, below=True)
        elif is_image_name(path):
            if is_copy(path):
                refused.append((path, "its name is that of a copy; rename it if it is a field of its own"))
            else:
                found.append(path)
    return found


def _entries(folder: Path) -> list[Path]:
    """What a folder holds and does not hide, in natural order. Raises PairError where it cannot be listed."""
    try:
        entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except FileNotFoundError as error:
        raise PairError(
            "there is no such folder", path=folder, remedy="check the name, and that the drive is connected"
        ) from error
    except NotADirectoryError as error:
        raise PairError("is a file, not a folder", path=folder, remedy="choose the folder it lies in") from error
    except PermissionError as error:
        raise PairError(
            "this user has no right to read the folder", path=folder, remedy="ask for the right, or copy it"
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PairError(
            f"the folder cannot be read ({reason})", path=folder, remedy="check the drive or network"
        ) from error
    return sorted(entries, key=_place)


def _place(path: Path) -> tuple[object, ...]:
    return (natural(path.parent.as_posix()), natural(path.name), path.name)

"""The one door: the pairs of a folder, of two folders or of a table, and what a name says of itself."""

from pathlib import Path

from her2viewer.cases.folders import pair_folder, pair_folders
from her2viewer.cases.manifest import TABLE_SUFFIXES, read_manifest
from her2viewer.cases.names import guess_stain, is_image_name, label_of
from her2viewer.cases.pair import Pair, Pairing, ihc_alone, pair_files, with_unique_ids
from her2viewer.errors import PairError

__all__ = [
    "Pair",
    "Pairing",
    "guess_stain",
    "ihc_alone",
    "label_of",
    "pair_files",
    "pair_folder",
    "pair_folders",
    "pairs_from",
    "read_manifest",
    "with_unique_ids",
]


def pairs_from(path: Path | str) -> Pairing:
    """The pairs of a folder or of a CSV. Raises PairError where it is neither, or holds none."""
    path = Path(path)
    if path.suffix.lower() in TABLE_SUFFIXES and not path.is_dir():
        return read_manifest(path)
    if is_image_name(path) and path.is_file():
        raise PairError(
            "is one image and not a pair", path=path, remedy="give its folder, or both files by --he and --ihc"
        )
    if path.is_file():
        raise PairError(
            "is neither a folder nor a CSV", path=path, remedy="give a folder of pairs or a CSV that lists them"
        )
    return pair_folder(path)

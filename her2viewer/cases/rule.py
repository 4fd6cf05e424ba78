"""By which rule files are matched, where the user names one."""

import re
import unicodedata
from collections import defaultdict
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from her2viewer.cases.folders import images_in, matched, pair_by_ending, pair_folders, unambiguous
from her2viewer.cases.manifest import TABLE_SUFFIXES, read_manifest
from her2viewer.cases.names import same
from her2viewer.cases.pair import Pair, Pairing, Refused, pair_files
from her2viewer.cases.pairing import pairs_from
from her2viewer.errors import PairError
from her2viewer.scoring.stains import Stain

CASE: Final = "{case}"
STAIN: Final = "{stain}"
_ANYTHING: Final = "*"
_STAINS: Final = r"(?P<stain>h&e|he|ihc|her2)"


class Rule(StrEnum):
    """What `pairs_by` can be told."""

    AUTO = "auto"
    FOLDERS = "folders"
    ENDINGS = "endings"
    PATTERN = "pattern"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Final = {
    Rule.AUTO: "Found by itself",
    Rule.FOLDERS: "Equal names in the folders HE and IHC",
    Rule.ENDINGS: "Names that end in _HE and _IHC",
    Rule.PATTERN: "A pattern of names",
}


def pairs_by(rule: Rule, first: Path, second: Path | None = None, pattern: str = "") -> Pairing:
    """The pairs of a folder, of two (H&E, IHC), or of a CSV, which needs no rule. Raises PairError."""
    if first.suffix.lower() in TABLE_SUFFIXES and not first.is_dir():
        return read_manifest(first)
    if second is not None:
        return pair_folders(first, second)
    match rule:
        case Rule.ENDINGS:
            return pair_by_ending(first)
        case Rule.PATTERN:
            return pair_by_pattern(first, pattern)
        case Rule.FOLDERS:
            places = {Stain.HE: first / "HE", Stain.IHC: first / "IHC"}
            if all(place.is_dir() for place in places.values()):
                return pair_folders(*places.values())
            raise PairError("it holds no folders HE and IHC", path=first, remedy="choose another rule, or the folder above")
        case Rule.AUTO:
            return pairs_from(first)


def pair_by_pattern(root: Path, pattern: str) -> Pairing:
    """The pairs of a folder and those below it by a pattern such as `{case}_{stain}*`, without the suffix of the file.

    `{case}` and `{stain}` stand for the case and the stain (he, h&e, ihc, her2 in any case), `*` for anything, and whatever else
    for itself. Raises PairError for a pattern without both, and where it finds no pair.
    """
    reading = _compiled(pattern)
    refused: list[Refused] = []
    unpaired: list[Path] = []
    found: dict[Stain, dict[tuple[str, str], list[Path]]] = {stain: defaultdict(list) for stain in Stain}
    for path in images_in(root, refused, below=True):
        told = reading.fullmatch(_name(path))
        if told is None:
            unpaired.append(path)
        else:
            stain = Stain.HE if same(told["stain"]) in ("he", "h&e") else Stain.IHC
            found[stain][same(path.parent.relative_to(root).as_posix()), same(told["case"])].append(path)
    unique = {stain: unambiguous(files, refused) for stain, files in found.items()}

    def make(he: Path, ihc: Path) -> Pair:
        told = reading.fullmatch(_name(he))
        return replace(pair_files(he, ihc), case_id=he.stem if told is None else told["case"])

    missing = f"no two images in it make a pair by the pattern {pattern}"
    return matched(f"the pattern {pattern}", unique, refused, unpaired, missing=missing, place=root, make=make)


def _name(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem)


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\{case\}|\{stain\}|\*)", unicodedata.normalize("NFC", pattern.strip()))
    if parts.count(CASE) != 1 or parts.count(STAIN) != 1:
        raise PairError(
            f"the pattern {pattern!r} does not name {CASE} and {STAIN} once each",
            remedy=f"write it as the names of your files are, for example {CASE}_{STAIN}",
        )
    named = {CASE: "(?P<case>.+?)", STAIN: _STAINS, _ANYTHING: ".*?"}
    return re.compile("".join(named.get(part) or re.escape(part) for part in parts), re.DOTALL | re.IGNORECASE)

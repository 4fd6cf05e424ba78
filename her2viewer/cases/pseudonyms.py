"""Names are taken from pairs before the work starts, so that nothing that is made of them afterwards can hold one."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from her2viewer.cases.names import same
from her2viewer.cases.pair import Pair
from her2viewer.scoring.stains import Stain

_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Alias:
    """What a case is called instead, and of which files."""

    case_id: str
    pair: Pair


@dataclass(slots=True)
class Pseudonyms:
    """Gives pairs another case id and other file names; remembers which, for a key file.

    A pseudonym is the beginning of a hash of the images' bytes. Of the name it would be no secret: whoever has a list of patients
    hashes them all and compares. A number by order would tell each one's place in the alphabet. Of the bytes it says nothing to
    whoever does not have the images, and it is the same in every run, so that a run can go on and two studies can be compared.
    Who has the images finds them again, as by the SHA-256 in each result: that is meant.
    """

    given: list[Alias] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def all(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """One after the other, as they are asked for: each one's bytes are read first."""
        return map(self.of, pairs)

    def of(self, pair: Pair) -> Pair:
        """The pair under another name. Its label stays, its group goes: it may be a patient's."""
        first = case_id = f"case-{_content(pair)}"
        number = 1
        while same(case_id) in self._taken:
            number += 1
            case_id = f"{first}-{number}"
        self._taken.add(same(case_id))
        self.given.append(Alias(case_id, pair))
        names = {
            stain: f"{case_id}_{word}{_suffix(path)}"
            for stain, word, path in ((Stain.HE, "HE", pair.he), (Stain.IHC, "IHC", pair.ihc))
            if path is not None
        }
        return replace(pair, case_id=case_id, group=None, names=tuple(names.items()))


def _content(pair: Pair) -> str:
    """Some digits of the hash of both files' bytes; where one cannot be read, of none, and the row will say why."""
    digest = hashlib.sha256()
    for path in (pair.he, pair.ihc):
        if path is None:
            digest.update(b"none")
            continue
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except (OSError, ValueError):
            return "unreadable"
    return digest.hexdigest()[:_DIGITS]


def _suffix(path: Path) -> str:
    """What a file ends in, where that is no name: 'S12.Meier' has none that could stay."""
    suffix = path.suffix.lower()
    return suffix if suffix in _KNOWN else ""


_KNOWN: Final = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".dib", ".webp"),
        *(".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".dcm", ".vms", ".svslide"),
    )
)

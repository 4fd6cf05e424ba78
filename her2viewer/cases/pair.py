"""A pair of files, and what a search for pairs found."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from her2viewer.cases.names import case_and_stain, label_of, same, split_of
from her2viewer.scoring.stains import Stain

Refused = tuple[Path, str]
"""A file that is left out, and why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files of the same tissue, or the IHC alone where there is no H&E.

    `label` and `split` are what their name or table says, for example '1+' and 'train'. `group` is the slide or patient where a
    table names one: fields of one group are no independent cases. `names` are what the files are called in whatever is written,
    where it is not their own (`Pseudonyms`).
    """

    case_id: str
    he: Path | None
    ihc: Path
    label: str | None = None
    split: str | None = None
    group: str | None = None
    names: tuple[tuple[Stain, str], ...] = ()

    @property
    def shown(self) -> tuple[Path | None, Path]:
        """(H&E, IHC) as they may be named: their paths, or bare names that stand in their place."""
        names = dict(self.names)
        he = self.he if self.he is None or Stain.HE not in names else Path(names[Stain.HE])
        return he, Path(names[Stain.IHC]) if Stain.IHC in names else self.ihc

    def in_other_words(self, text: str) -> str:
        """A sentence about the pair, with the names that its files go by."""
        for stain, name in self.names:
            path = self.he if stain is Stain.HE else self.ihc
            if path is not None:
                text = text.replace(path.name, name)
        return text

    @property
    def both(self) -> tuple[Path, Path]:
        """(H&E, IHC). Raises ValueError where the IHC is alone."""
        if self.he is None:
            raise ValueError(f"{self.case_id} has no H&E")
        return self.he, self.ihc


@dataclass(frozen=True, slots=True)
class Pairing:
    """What was found, and what was not used. `rule` says in words how files were matched.

    `unpaired` are images without a partner; `refused` are files left out for a reason. Pairs stand in natural order and
    no two share a `case_id`, even where case does not count.
    """

    rule: str
    pairs: tuple[Pair, ...]
    unpaired: tuple[Path, ...] = ()
    refused: tuple[Refused, ...] = ()


def pair_files(he: Path, ihc: Path) -> Pair:
    """Two files as a pair. The case, its label and its split are what the H&E's name says, without the stain at its end."""
    told, of_ihc = case_and_stain(he), case_and_stain(ihc)
    # In folders of their own 'S12_HE' may stand in both: then the whole name is the case.
    is_stain = told is not None and (of_ihc is None or told[1] is not of_ihc[1])
    case_id = told[0] if told is not None and is_stain else he.stem
    return Pair(case_id, he, ihc, label_of(he.name), split_of(he.name))


def ihc_alone(ihc: Path) -> Pair:
    """An IHC without an H&E. The case, its label and its split are what its name says, without the stain at its end."""
    told = case_and_stain(ihc)
    return Pair(told[0] if told is not None else ihc.stem, None, ihc, label_of(ihc.name), split_of(ihc.name))


def with_unique_ids(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """The pairs in their order; a case id that stood before gets ' (2)', ' (3)' and so on."""
    taken: set[str] = set()
    out = []
    for pair in pairs:
        case_id, number = pair.case_id, 1
        while same(case_id) in taken:
            number += 1
            case_id = f"{pair.case_id} ({number})"
        taken.add(same(case_id))
        out.append(replace(pair, case_id=case_id))
    return tuple(out)

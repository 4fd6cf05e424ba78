"""A pair of files, and what a search for pairs found."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from her2viewer.cases.names import same

Refused = tuple[Path, str]
"""A file that is left out, and why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files of the same tissue. `label` and `split` are what their name or table says, for example '1+' and 'train'."""

    case_id: str
    he: Path
    ihc: Path
    label: str | None = None
    split: str | None = None


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

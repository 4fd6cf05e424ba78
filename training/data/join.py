"""Several data sets as one: which pair came from where stays in its name and its group."""

from collections.abc import Sequence
from dataclasses import replace

from her2viewer.cases.pairing import Pair
from training.data.index import Index


def joined(indexes: Sequence[Index]) -> tuple[Pair, ...]:
    """All pairs, each named after its data set: `phantoms/00000_train_1+`. A pair without a group is a group of its own.

    Data sets of one name are numbered, so that no two pairs share a name.
    """
    found: list[Pair] = []
    taken: set[str] = set()
    for number, index in enumerate(indexes, 1):
        place = index.base.resolve().name
        name = place if place not in taken else f"{place}-{number}"
        taken.add(name)
        for pair in index.pairs:
            group = f"{name}/{pair.group or pair.case_id}"
            found.append(replace(pair, case_id=f"{name}/{pair.case_id}", group=group))
    return tuple(found)

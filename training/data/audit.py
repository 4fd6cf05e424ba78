"""Leakage: test fields whose very picture, whose tissue or whose slide is in train; and a split that keeps them apart."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from training.data.cache import Fields, cached_fields
from training.data.relatives import SIDE, Progress, Relation, relatives
from training.data.slides import slides_by_colour
from training.data.split import group_folds

COPY: Final = 0.98
"""Relatives that share more than this of a field are copies of one picture, less is an overlap."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What of an index is related. Positions are those of `pairs`.

    relations: two fields each, by content of their pixels; exact: positions with one and the same file, byte for byte;
    clusters: for each position the number of its cluster, of relatives and of what a table names as one group; slides: the
    number of the slide that it looks to be of, an estimate.
    """

    pairs: tuple[Pair, ...]
    relations: tuple[Relation, ...]
    exact: tuple[tuple[int, ...], ...]
    clusters: tuple[int, ...]
    slides: tuple[int, ...]

    def across(self, numbers: Sequence[int]) -> int:
        """Fields in test with one in train that has the same number of `clusters` or `slides`."""
        found = list(zip(self.pairs, numbers, strict=True))
        train = {number for pair, number in found if pair.split == "train"}
        return sum(pair.split == "test" and number in train for pair, number in found)

    def groups(self) -> tuple[int, ...]:
        """What a grouped split keeps together: clusters, and fields of one slide, by colour where the table names none."""
        named = all(pair.group for pair in self.pairs)
        edges = [] if named else _chained(self.slides)
        return _components(len(self.pairs), [*edges, *_chained(self.clusters)])

    def document(self) -> dict[str, Any]:
        """For the index's JSON: figures first, then every cluster of two and more and every relation, by case id."""
        name = [pair.case_id for pair in self.pairs]
        test = sum(pair.split == "test" for pair in self.pairs)
        return {
            "fields": len(self.pairs),
            "clusters": len(set(self.clusters)),
            "related_fields": sum(len(members) for members in self.members()),
            "exact_duplicates": [[name[i] for i in members] for members in self.exact],
            "copies": sum(relation.overlap >= COPY for relation in self.relations),
            "overlaps": sum(relation.overlap < COPY for relation in self.relations),
            "relations_across_labels": sum(
                self.pairs[relation.first].label != self.pairs[relation.second].label for relation in self.relations
            ),
            "relations_across_splits": sum(
                self.pairs[relation.first].split != self.pairs[relation.second].split for relation in self.relations
            ),
            "test_fields_with_a_relative_in_train": self.across(self.clusters),
            "share_of_test": round(self.across(self.clusters) / test, 4) if test else None,
            "slides_by_colour": len(set(self.slides)),
            "test_fields_of_a_slide_in_train_by_colour": self.across(self.slides),
            "slide_by_colour": dict(zip(name, self.slides, strict=True)),
            "groups": [[name[i] for i in members] for members in self.members()],
            "relations": [
                asdict(relation) | {"first": name[relation.first], "second": name[relation.second]}
                for relation in self.relations
            ],
        }

    def members(self) -> list[list[int]]:
        """The clusters of two fields and more, largest first."""
        found = defaultdict(list)
        for i, cluster in enumerate(self.clusters):
            found[cluster].append(i)
        return sorted((members for members in found.values() if len(members) > 1), key=lambda m: (-len(m), m))

    def sentences(self) -> list[str]:
        """What a reader should know, in words."""
        facts = self.document()
        sizes = Counter(len(members) for members in self.members())
        said = [
            f"{facts['fields']} fields in {facts['clusters']} clusters; {facts['related_fields']} fields have a relative"
            + (f", the largest cluster has {max(sizes)}." if sizes else "."),
            f"Same file: {sum(len(group) - 1 for group in self.exact)} fields stand more than once; "
            f"same picture saved anew, flipped or turned: {facts['copies']} pairs of fields; "
            f"overlapping fields: {facts['overlaps']} pairs.",
        ]
        said.append(f"By colour the fields look to be of {facts['slides_by_colour']} slides (an estimate).")
        if test := sum(pair.split == "test" for pair in self.pairs):
            related, alike = self.across(self.clusters), self.across(self.slides)
            said.append(
                f"{related} of {test} test fields ({related / test:.1%}) have a relative in train; "
                f"{alike} ({alike / test:.1%}) look to be of a slide that is in train."
            )
        if facts["relations_across_labels"]:
            said.append(f"{facts['relations_across_labels']} related pairs of fields carry different labels.")
        return said


def audit(
    pairs: Sequence[Pair],
    fields: Fields,
    hashes: Sequence[tuple[str, ...]],
    progress: Progress = lambda what, done, total: None,
) -> Audit:
    """Relatives by pixels, by identical files and by the groups of a table, put together into clusters.

    fields: the pairs at 224 pixels a side. hashes: the SHA-256 of each pair's files.
    """
    found = relatives(fields, progress=progress)
    owners: dict[str, list[int]] = defaultdict(list)
    named: dict[str, list[int]] = defaultdict(list)
    for i, pair in enumerate(pairs):
        for digest in hashes[i]:
            owners[digest].append(i)
        if pair.group:
            named[pair.group].append(i)
    exact = sorted({tuple(members) for members in owners.values() if len(members) > 1})
    edges = [(relation.first, relation.second) for relation in found]
    for members in (*exact, *named.values()):
        edges += [(members[0], other) for other in members[1:]]
    slides = slides_by_colour(fields, progress)
    return Audit(tuple(pairs), tuple(found), tuple(exact), _components(len(pairs), edges), slides)


def audited(
    pairs: Sequence[Pair],
    hashes: Sequence[tuple[str, ...]],
    cache: Path | None,
    progress: Progress,
    say: Callable[[str], None],
) -> Audit:
    """`audit` of files: decodes them into `cache`, or into a folder that is gone afterwards."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as passing:
        fields = cached_fields(
            pairs, cache or Path(passing), SIDE, lambda done: progress("decoded", done, len(pairs)), say=say
        )
        return audit(pairs, fields, hashes, progress)


def _chained(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Edges from the first position of each number to the others."""
    first: dict[int, int] = {}
    return [(first.setdefault(number, i), i) for i, number in enumerate(numbers)]


def _components(n: int, edges: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    rows, columns = np.array([*edges], np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(n, n))
    return tuple(int(component) for component in connected_components(graph, directed=False)[1])


def regrouped(found: Audit, seed: int = 0, test_share: float | None = None) -> tuple[Pair, ...]:
    """The pairs with a group each, split into train and test so that no group is in both; classes as even as groups allow.

    test_share: as it is now, or 0.2 where there is no test split. Raises UserError where there are too few groups.
    """
    pairs, clusters = found.pairs, found.groups()
    if test_share is None:
        test_share = sum(pair.split == "test" for pair in pairs) / len(pairs) or 0.2
    if len(set(clusters)) < 2:
        raise UserError(
            "all fields belong to one group, which cannot be split", remedy="add fields of other slides or patients"
        )
    groups = [f"group {cluster:05d}" for cluster in clusters]
    test = set(
        group_folds([pair.label or "" for pair in pairs], groups, seed, max(2, round(1 / test_share)))[0].tolist()
    )
    return tuple(
        replace(pair, group=group, split="test" if i in test else "train")
        for i, (pair, group) in enumerate(zip(pairs, groups, strict=True))
    )

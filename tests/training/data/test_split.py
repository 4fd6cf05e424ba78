import pytest

from her2viewer.cases.pairing import Pair
from her2viewer.errors import UserError
from training.data.index import CLASSES
from training.data.split import split_pairs, stratified_group_split


def grouped(sizes: dict[str, int], per_group: int) -> tuple[list[str], list[str]]:
    labels = [label for label, size in sizes.items() for _ in range(size)]
    groups = [f"{label}-{i // per_group}" for label, size in sizes.items() for i in range(size)]
    return labels, groups


def test_no_group_is_in_two_parts_and_classes_stay_even() -> None:
    labels, groups = grouped({"0": 60, "1+": 200, "2+": 400, "3+": 240}, 10)
    split = stratified_group_split(labels, groups, seed=2)
    parts = [split.train, split.validation, split.calibration]
    assert sorted(i for part in parts for i in part) == list(range(900))
    held = [{groups[i] for i in part} for part in parts]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])
    for part in parts[1:]:
        assert 80 <= len(part) <= 100
        share = [sum(labels[i] == c for i in part) / len(part) for c in CLASSES]
        assert share == pytest.approx([60 / 900, 200 / 900, 400 / 900, 240 / 900], abs=0.06)
    assert stratified_group_split(labels, groups, seed=2) == split != stratified_group_split(labels, groups, seed=3)


@pytest.mark.parametrize("seed", range(8))
def test_every_class_is_learned_from(seed: int) -> None:
    labels = ["0"] * 2 + ["1+"] * 20 + ["2+"] * 20 + ["3+"] * 3
    groups = ["a", "a"] + [f"b{i // 4}" for i in range(20)] + [f"c{i // 4}" for i in range(20)] + ["d"] * 3
    split = stratified_group_split(labels, groups, seed)
    assert {labels[i] for i in split.train} == set(CLASSES)
    assert not {groups[i] for i in split.train} & {groups[i] for i in split.validation + split.calibration}


def test_a_grouped_split_needs_groups() -> None:
    with pytest.raises(UserError, match=r"which fields belong together.*--regroup"):
        split_pairs([Pair("a", None, None, "1+", "train")] * 20, 0, "grouped")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="at least three groups"):
        stratified_group_split(["1+"] * 6, ["a"] * 3 + ["b"] * 3, 0)

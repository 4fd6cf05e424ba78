"""Figures of made-up rows: means, intervals, sets, pairwise differences, and the map that they speak for."""

from dataclasses import replace

import numpy as np
import pytest

from training.truth.figures import ALL, RIGHT, chosen_map, of_class, truth_of
from training.truth.maps import CENTRE, DAB, FREE, MapName
from training.truth.metrics import Marks
from training.truth.rows import MapRow, PairRow

LAYER2 = MapName("LayerCAM", "layer2")
OCCLUSION = MapName("Occlusion", "input")


def marks(value: float) -> dict[str, Marks]:
    return {"ihc": Marks(float(value > 0.5), value, value), "he": Marks(0.0, 0.1, 0.1)}


def pair(index: int, label: str, said: str, values: dict[MapName, float]) -> PairRow:
    area = {} if label == "0" else {"ihc": 0.2, "he": 0.2}
    maps = tuple(
        MapRow(name, marks(value) if area else {}, *((None,) * 3 if name.is_baseline else (2.0, 1.0, 0.5)))
        for name, value in values.items()
    )
    return PairRow("aa", index, label, said, 10, area, dict.fromkeys(area, 0.3), 0.5, maps)


def rows(gain: float, noise: float = 0.05, count: int = 60) -> list[PairRow]:
    """LayerCAM of layer2 `gain` better than the map that is free, pair by pair, but for noise; every tenth pair scored wrong."""
    rng = np.random.default_rng(0)
    found = []
    for index in range(count):
        label = ("1+", "2+", "3+", "0")[index % 4]
        base = rng.uniform(0.2, 0.6)
        values = {
            MapName(DAB): 0.5,
            MapName(CENTRE): 0.1,
            FREE: base,
            LAYER2: float(np.clip(base + gain + rng.normal(0, noise), 0, 1)),
        }
        if index < 12:
            values[OCCLUSION] = 0.95
        found.append(pair(index, label, "2+" if index % 10 == 0 else label, values))
    return found


def test_sets_and_counts() -> None:
    found = truth_of(rows(0.1))
    wrong = sum(index % 10 == 0 and ("1+", "2+", "3+", "0")[index % 4] != "2+" for index in range(60))
    assert (found.pairs, found.right, found.judged) == (60, 60 - wrong, 45)
    line = found.line(FREE, ALL)
    assert line is not None
    assert line.figures["mass"].fields == 45
    right = found.line(FREE, RIGHT)
    assert right is not None
    assert right.figures["mass"].fields == found.judged_right
    parts = [found.line(FREE, of_class(label)) for label in ("1+", "2+", "3+")]
    assert sum(part.figures["mass"].fields for part in parts if part) == found.judged_right
    assert (found.area, found.near, found.stain) == (pytest.approx(0.2), pytest.approx(0.3), "ihc")


def test_means_and_intervals_are_those_of_the_pairs() -> None:
    made = rows(0.1)
    found = truth_of(made)
    values = np.array([one.maps[2].marks["ihc"].mass for one in made if one.label != "0"])
    line = found.line(FREE, ALL)
    assert line is not None
    figure = line.figures["mass"]
    assert figure.value == pytest.approx(values.mean())
    low, high = figure.reach
    error = values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.4 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.4 * error)
    overall = [(float(value > 0.5) + 2 * value) / 3 for value in values]
    assert line.figures["overall"].value == pytest.approx(np.mean(overall))


def test_hits_alone_get_an_interval_that_is_not_too_narrow() -> None:
    line = truth_of(rows(0.1)).line(MapName(CENTRE), ALL)
    assert line is not None
    figure = line.figures["pointing"]
    assert (figure.value, figure.interval) == (0, "Wilson")
    assert figure.reach[1] > 0.05


def test_differences_are_taken_pair_by_pair() -> None:
    line = truth_of(rows(0.05, noise=0.001)).line(LAYER2, ALL)
    assert line is not None
    low, high = line.less[str(FREE)]["mass"].reach
    assert 0.045 < low < high < 0.055  # the pairs' own spread, over ten times that, has gone


def test_the_free_map_is_shown_first_unless_another_is_better_beyond_its_interval() -> None:
    better = truth_of(rows(0.15))
    assert (better.best, better.chosen) == (LAYER2, LAYER2)
    equal = truth_of(rows(0.001, noise=0.3))
    assert equal.chosen == FREE
    worse = truth_of(rows(-0.15))
    assert (worse.best, worse.chosen) == (FREE, FREE)


def test_neither_slow_maps_nor_baselines_are_chosen() -> None:
    found = truth_of(rows(0.0))
    assert found.ordered()[0].name == OCCLUSION
    assert found.best in (FREE, LAYER2)
    slow = found.line(OCCLUSION)
    assert slow is not None
    assert slow.figures["mass"].fields < found.judged_right
    assert chosen_map([line for line in found.lines if line.name.is_baseline]) == (None, FREE)


def test_amounts_tell_class_0_from_the_others() -> None:
    made = [pair(index, label, label, {FREE: 0.5}) for index, label in enumerate(["0", "0", "1+", "2+", "3+"])]
    made[0] = replace(made[0], maps=(MapRow(FREE, {}, 0.5, 0.2, None),))
    found = truth_of(made)
    (amounts,) = found.amounts
    assert (amounts.of_zero, amounts.of_others, amounts.blank, amounts.pairs) == (1.25, 2.0, 0.0, 5)
    assert amounts.ihc_share == 0.5


def test_a_model_that_is_never_right_has_no_figures_there() -> None:
    found = truth_of([pair(index, "1+", "3+", {FREE: 0.5}) for index in range(6)])
    assert found.ordered() == []
    assert found.ordered(ALL) != []
    assert (found.best, found.chosen, found.judged_right) == (None, FREE, 0)

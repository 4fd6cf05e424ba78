"""The guard as a whole, on a small seeded version of what `python -m tests.guard` counts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from her2viewer.scoring.evidence import FieldPixels
from her2viewer.scoring.guard.guard import check_field, guard_report
from her2viewer.scoring.guard.report import Examined
from her2viewer.scoring.preprocess import InputLayout
from her2viewer.scoring.stains import Stain
from tests.guard.good import folder_pairs
from tests.guard.wrong import KINDS, wrong_inputs
from tests.scoring.guard.conftest import Picture

LAYOUT = InputLayout()


def turned(pair: tuple[Picture, Picture], quarters: int, mirrored: bool) -> FieldPixels:
    images = (np.rot90(image, quarters) for image in pair)
    return FieldPixels.whole(*(np.ascontiguousarray(image[:, ::-1] if mirrored else image) for image in images))


def test_a_good_pair_passes_every_check_in_all_orientations(pair: tuple[Picture, Picture]) -> None:
    for quarters in range(4):
        for mirrored in (False, True):
            report = guard_report(turned(pair, quarters, mirrored), LAYOUT)
            assert report.failed == ()
            assert len(report.examined) >= 20
            assert report.summary == f"{len(report.examined)} of {len(report.examined)} checks passed"


def test_wrong_inputs_are_refused_or_warned_of(pair: tuple[Picture, Picture], good: FieldPixels) -> None:
    """One of each kind, without the network's own view; the guide says which kinds go through and how often.

    What goes through here: this pair's nuclei are faint, and far away little is left of them; turned, it is its own stranger.
    """
    pairs: list[Callable[[], FieldPixels]] = [lambda: good, lambda: turned(pair, 2, True)]
    passed = [
        wrong.kind for wrong in wrong_inputs({1: pairs}, 1, seed=3) if not guard_report(wrong.field, LAYOUT).failed
    ]
    assert set(passed) <= {"magnified 8 times too little", "two tissues"}, f"of {len(KINDS)} kinds"


def test_good_real_pairs_are_left_in_peace(shared_data: Path) -> None:
    alarms = {good.name: check_field(good.read(), LAYOUT) for good in folder_pairs("BCI pairs", shared_data / "bci")}
    assert sum(map(bool, alarms.values())) <= 1, alarms


def test_a_field_without_tissue_is_told_that_alone(pair: tuple[Picture, Picture]) -> None:
    report = guard_report(FieldPixels.whole(np.full_like(pair[0], 240), pair[1]), LAYOUT)
    assert [one.name for one in report.failed] == ["no_tissue"]
    assert {one.name for one in report.examined} == {
        "stain_missing", "outside_image", "unlike_sizes", "low_resolution", "no_tissue"
    }  # fmt: skip


def test_what_the_network_says_stands_with_the_rest(good: FieldPixels) -> None:
    far = Examined("unfamiliar", Stain.HE, "distance", 3.0, 2.0, at_least=False, message="It is unlike: beware.")
    assert guard_report(good, LAYOUT, (far,)).failed == (far,)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_made_the_same_again(kind: str, good: FieldPixels, pair: tuple[Picture, Picture]) -> None:
    from tests.guard.wrong import Sources

    pairs: list[Callable[[], FieldPixels]] = [lambda: good, lambda: turned(pair, 1, False)]
    one, other = (KINDS[kind](Sources(0, pairs, np.random.default_rng(5))) for _ in range(2))
    for image, again in zip(one, other, strict=True):
        assert image.dtype == np.uint8 and image.shape == again.shape == (1024, 1024, 3)
        assert np.array_equal(image, again)

"""Objectives on a screen, in figures and words."""

import pytest

from her2viewer.gui.scale.magnification import (
    MAGNIFICATION_RULE,
    PRESETS,
    magnification_words,
    objective_of,
    um_per_device_px,
)


@pytest.mark.parametrize(("objective", "um"), [(40, 0.25), (20, 0.5), (10, 1.0), (5, 2.0), (2.5, 4.0)])
def test_the_convention_of_scanners(objective: float, um: float) -> None:
    assert objective in PRESETS
    assert um_per_device_px(objective) == um
    assert objective_of(um) == objective


@pytest.mark.parametrize(
    ("px", "um", "words"),
    [
        (1.0, None, "1:1"),
        (0.5, None, "200%"),
        (2.5, None, "40%"),
        (1.0, 0.25, "40x"),
        (4.0, 0.25, "10x"),
        (1.0, 0.46, "21.7x"),
    ],
)
def test_magnification_in_words(px: float, um: float | None, words: str) -> None:
    assert magnification_words(px, um) == words


def test_the_rule_shows_wider_membranes_at_lower_power() -> None:
    widths = [membrane.um for membrane in MAGNIFICATION_RULE]
    powers = [membrane.objective for membrane in MAGNIFICATION_RULE]
    assert [membrane.score for membrane in MAGNIFICATION_RULE] == ["1+", "2+", "3+"]
    assert widths == sorted(widths) == [0.64, 1.0, 2.14]
    assert powers == sorted(powers, reverse=True) == [40, 10, 5]
    # What each objective is named for is at least two of its device pixels wide at 40x, where 1+ begins.
    assert MAGNIFICATION_RULE[0].um / um_per_device_px(40) > 2

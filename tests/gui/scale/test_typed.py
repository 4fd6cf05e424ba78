"""What may be typed as a pixel size, and for which image it is remembered."""

from pathlib import Path

import numpy as np
import pytest

from her2viewer.errors import UserError
from her2viewer.gui.scale.typed import (
    COARSEST_UM,
    FINEST_UM,
    MOST_REMEMBERED,
    TYPED_ORIGIN,
    TypedScales,
    is_um_per_px,
    read_um_per_px,
)
from her2viewer.imaging.flat import FlatImage


def source(name: str, width: int = 8) -> FlatImage:
    return FlatImage(Path(name), np.zeros((4, width, 3), np.uint8), kind="PNG", sha256="0" * 64)


@pytest.mark.parametrize(
    ("text", "um"),
    [
        ("0.25", 0.25),
        (" 0,46 ", 0.46),
        ("0.5 µm/px", 0.5),
        ("1e-1", 0.1),
        (str(FINEST_UM), FINEST_UM),
        ("50", COARSEST_UM),
    ],
)
def test_what_can_be_typed(text: str, um: float) -> None:
    assert read_um_per_px(text) == um


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no pixel size is typed"),
        ("0", "a pixel cannot be 0 µm wide"),
        ("-0.25", "a pixel cannot be -0.25 µm wide"),
        ("nan", "a pixel cannot be nan µm wide"),
        ("inf", "a pixel cannot be inf µm wide"),
        ("0.0001", "finer than light shows"),
        ("500", "too coarse for a microscope"),
        ("0.25.3", "'0.25.3' is not a number"),
        ("forty", "'forty' is not a number"),
    ],
)
def test_what_cannot_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_um_per_px(text)
    assert said in str(caught.value)
    assert "type " in caught.value.remedy


@pytest.mark.parametrize("value", [True, "0.25", None, 0, -1, 1e9, float("nan")])
def test_a_value_from_a_file_is_looked_at(value: object) -> None:
    assert not is_um_per_px(value)


def test_a_figure_holds_for_its_image_and_goes_again() -> None:
    scales = TypedScales().typed(source("a"), 0.25).typed(source("b"), 0.5)
    found = scales.of(source("a"))
    assert found is not None and (found.um, found.origin) == (0.25, TYPED_ORIGIN)
    assert scales.of(source("a", width=9)) is None, "another picture under the same name"
    assert scales.typed(source("a"), None).of(source("a")) is None
    assert scales.typed(source("a"), None).of(source("b")) is not None


def test_the_oldest_is_forgotten_in_the_end() -> None:
    scales = TypedScales()
    for number in range(MOST_REMEMBERED + 1):
        scales = scales.typed(source(str(number)), 0.25)
    assert len(scales.um) == MOST_REMEMBERED
    assert scales.of(source("0")) is None and scales.of(source("1")) is not None

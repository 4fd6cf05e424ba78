import numpy as np
import pytest

from her2viewer.export.text import draw_text, printable, text_width, wrapped


def ink(text: str, size: int = 32) -> np.ndarray:
    """What a text looks like, cut to its ink."""
    image = np.full((3 * size, text_width(text, size) + size, 3), 255, np.uint8)
    draw_text(image, text, size // 2, 2 * size, size, (0, 0, 0))
    dark = image[..., 0] < 128
    rows, columns = dark.any(1).nonzero()[0], dark.any(0).nonzero()[0]
    return dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("sign", "ÄöüßéµμΩЖ&×±≥–…症例한日あ2+")
def test_signs_are_drawn_and_not_boxes(sign: str) -> None:
    assert printable(sign) == sign
    for stand_in in ("?", "□", "\N{REPLACEMENT CHARACTER}"):
        assert ink(sign).shape != ink(stand_in).shape or (ink(sign) != ink(stand_in)).any()


def test_the_accent_is_there() -> None:
    assert ink("Ü").shape[0] > ink("U").shape[0] * 1.15
    assert ink("µ").shape[0] > ink("u").shape[0] * 1.15


def test_signs_that_the_typeface_lacks_are_named() -> None:
    assert printable("a द?\n😀") == "a [U+0926]?[U+000A][U+1F600]"


@pytest.mark.parametrize("text", ["Field-level prediction", "Fall Ü 症例 7", "x" * 200, "a " * 80, "No call: a, b; c"])
@pytest.mark.parametrize("width", [40, 200, 1000])
def test_no_line_is_wider_than_it_may_be_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, 13, width)
    assert max(text_width(line, 13) for line in lines) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_width_is_that_of_the_ink() -> None:
    for text in ("2+", "Field-level prediction", "µm & Ü"):
        assert 0 <= text_width(text, 40) - ink(text, 40).shape[1] < 10


def test_nothing_makes_no_lines() -> None:
    assert wrapped("", 13, 100) == []

import pytest

from her2viewer.export.score_colour import SCORE_COLOURS
from her2viewer.gui.theme import DARK, LIGHT, Tokens


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_text_can_be_read_in_both_themes(tokens: Tokens) -> None:
    grounds = (tokens.window, tokens.panel, tokens.raised, tokens.empty)
    for text in (tokens.text, tokens.quiet):
        assert min(contrast(text, ground) for ground in grounds) >= 4.5
    assert contrast(tokens.warning, tokens.warning_ground) >= 4.5
    assert contrast(tokens.error, tokens.error_ground) >= 4.5
    assert contrast(tokens.error, tokens.window) >= 4.5
    assert contrast(tokens.warning, tokens.window) >= 4.5
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for colour in SCORE_COLOURS:
        assert contrast(colour, tokens.panel) >= 2.6  # a bar beside its text

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2viewer.export.overlay import ColourMap, OverlayStyle, blend, colour_table, colourise, painted

STYLES = st.builds(
    OverlayStyle,
    opacity=st.floats(0, 1),
    threshold=st.floats(0, 1),
    colour_map=st.sampled_from(ColourMap),
    fade=st.booleans(),
)


def independent(tissue: np.ndarray, values: np.ndarray, full: float, style: OverlayStyle) -> np.ndarray:
    """Colour over tissue in floating point: share of full scale, its 8-bit step, colour, alpha, "over"."""
    step = np.clip(np.round(np.maximum(values.astype(np.float64), 0) / full * 255), 0, 255)
    share = step / 255
    alpha = style.opacity * (share if style.fade else 1.0) * ((share >= style.threshold) & (share > 0))
    colour = colour_table(style.colour_map)[step.astype(int)].astype(float)
    return tissue + alpha[..., None] * (colour - tissue)


@given(style=STYLES, seed=st.integers(0, 99), full=st.floats(0.01, 5))
def test_equals_an_independent_float_computation(style: OverlayStyle, seed: int, full: float) -> None:
    rng = np.random.default_rng(seed)
    tissue = rng.integers(0, 256, (12, 17, 3), np.uint8)
    values = rng.normal(0, full, (12, 17)).astype(np.float32)
    # A value on the border of two steps may fall to either side; the test keeps away from borders.
    values = (np.round(values / full * 255) * full / 255).astype(np.float32)
    overlay = colourise(values, full, style)
    out = blend(tissue, overlay)
    # One level for rounding the result, and half a level of alpha.
    assert np.abs(out - independent(tissue, values, full, style)).max() <= 1.01
    assert (painted(tissue, values, full, style) == out).all()
    clear = overlay[..., 3] == 0
    assert (out[clear] == tissue[clear]).all()


def test_alpha_is_exact_at_both_ends() -> None:
    tissue = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    colour = np.full((16, 16, 4), 77, np.uint8)
    colour[..., 3] = 0
    assert (blend(tissue, colour) == tissue).all()
    colour[..., 3] = 255
    assert (blend(tissue, colour) == 77).all()


def test_every_mixture_is_rounded_exactly() -> None:
    """All 256 of tissue, colour and alpha, in whole numbers."""
    tissue, colour = (np.broadcast_to(one, (256, 256)) for one in np.indices((256, 256), np.uint8))
    for alpha in range(256):
        overlay = np.dstack([colour, colour, colour, np.full_like(colour, alpha)])
        exact = tissue.astype(int) * (255 - alpha) + colour.astype(int) * alpha
        mixed = blend(np.dstack([tissue] * 3), overlay)
        assert (mixed == ((2 * exact + 255) // 510)[..., None]).all()


def test_no_positive_evidence_is_transparent() -> None:
    values = np.full((4, 4), -1, np.float32)
    assert not colourise(values, 0, OverlayStyle()).any()
    tissue = np.full((4, 4, 3), 9, np.uint8)
    assert (painted(tissue, values, 0, OverlayStyle()) == tissue).all()
    assert not colourise(values, 1, OverlayStyle(threshold=0, fade=False))[..., 3].any()


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        OverlayStyle(opacity=1.1)
    with pytest.raises(ValueError, match="tissue is"):
        blend(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2, 4), np.uint8))
    with pytest.raises(ValueError, match="the map"):
        painted(np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2), np.float32), 1.0, OverlayStyle())
